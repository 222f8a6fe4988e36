import type { Tree } from '../../base/files/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import type { SignedObject } from './signature.ts';

/** How to prove who asks. User names are not secret. */
export type GitCredentials =
  | { readonly kind: 'basic'; readonly username: string; readonly password: Sensitive<string> }
  | { readonly kind: 'bearer'; readonly token: Sensitive<string> }
  | {
      readonly kind: 'ssh';
      /** A private key in PEM or OpenSSH form. */
      readonly identity: Sensitive<string>;
      readonly passphrase?: Sensitive<string>;
      /** Lines of a known_hosts file: no host that is not in it is talked to. */
      readonly knownHosts: string;
    };

/** Where a repository is and how to reach it. */
export interface GitRemote {
  /** `http://`, `https://` or `ssh://`, never with a password in it. */
  readonly url: string;
  readonly credentials?: GitCredentials;
  readonly tls?: {
    /** PEM certificates that are trusted besides the system's. */
    readonly authorities?: string;
    /** A client certificate and its key, PEM. */
    readonly certificate?: { readonly chain: string; readonly key: Sensitive<string> };
  };
  readonly proxy?: {
    /** `http://`, `https://` or `socks5://`, without credentials. */
    readonly address: string;
    readonly username?: string;
    readonly password?: Sensitive<string>;
  };
}

/** `spec.ref` of a GitRepository. The first of commit, name, tag, semver, branch that is set counts; none: branch `master`. */
export interface GitReference {
  readonly branch?: string;
  readonly tag?: string;
  readonly semver?: string;
  readonly name?: string;
  readonly commit?: string;
}

/** Full names of references (`refs/heads/main`, `HEAD`) and the commits they lead to; tags are followed. */
export type RemoteRefs = ReadonlyMap<string, string>;

export interface GitFetchOptions {
  /** Milliseconds after which git is stopped. Default 60 s. */
  readonly timeoutMs?: number;
  /** Whether {@link GitCommit.signed} is wanted. */
  readonly withSignatures?: boolean;
}

/** The parts of a commit, and of the tag that led to it, that signatures cover. */
export interface SignedCommit {
  readonly commit: SignedObject;
  /** Set when a tag was asked for; one without annotation has no signature. */
  readonly tag?: SignedObject & { readonly name: string; readonly hash: string };
}

/** What a reference led to. */
export interface GitCommit {
  /** As in `status.artifact.revision`: `main@sha1:<hex>`. */
  readonly revision: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** The commit's files. Symbolic links are left out, submodules are empty directories. */
  readonly tree: Tree;
  /** The first line of the commit message. */
  readonly commitSubject: string;
  /** Set when it was asked for. */
  readonly signed?: SignedCommit;
}

/**
 * Fetches from Git repositories.
 *
 * Failures are SottoErrors whose messages follow upstream's (they stand in conditions after `failed to checkout and
 * determine revision: `): GIT_EMPTY (the repository has no references), GIT_REF_NOT_FOUND, GIT_AUTHENTICATION,
 * GIT_NOT_FOUND, GIT_HOST_KEY, GIT_TLS, GIT_PROTOCOL (a transport that is not allowed), GIT_UNSUPPORTED (SHA-256
 * repositories), GIT_TIMEOUT, GIT_UNREACHABLE, GIT_FAILED, GIT_MISSING (no git program), ABORTED.
 */
export interface GitFetcher {
  /** All references of the remote, without fetching objects. Empty for an empty repository. */
  listRefs(remote: GitRemote, signal?: AbortSignal, options?: GitFetchOptions): Promise<RemoteRefs>;
  fetch(remote: GitRemote, reference: GitReference, options: GitFetchOptions, signal?: AbortSignal): Promise<GitCommit>;
}
