import type { Sensitive } from '../../base/sensitive/index.ts';

/** Asks for a passphrase when it is needed; undefined means that there is none to be had. */
export type AskPassphrase = () => Promise<Sensitive<string> | undefined>;

/** How age plugins run. Without it no plugin program is ever started. */
export interface AgePlugins {
  /** Folders that are searched for `age-plugin-<name>`, in order. */
  readonly path: readonly string[];
  /** The whole environment of the plugin; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** Shows a message to the user. */
  readonly message?: (text: string) => void;
  /** Asks for a value; undefined means that nobody can be asked. */
  readonly request?: (text: string, isSecret: boolean) => Promise<Sensitive<string> | undefined>;
  /** Offers one or two choices; true for the first. */
  readonly confirm?: (text: string, yes: string, no: string | undefined) => Promise<boolean | undefined>;
}

/** OpenPGP keys, and whether the gpg program may be used. */
export interface PgpCredentials {
  /** Armored private keys; one text may hold several. */
  readonly keys?: readonly { readonly source: string; readonly armored: Sensitive<string>; readonly passphrase?: AskPassphrase }[];
  /** Armored public keys to wrap for; public halves of `keys` count as well. */
  readonly publicKeys?: readonly { readonly source: string; readonly armored: string }[];
  readonly gpg?: GpgSettings;
  /** Places that were looked at and held nothing, for error messages. */
  readonly searched?: readonly string[];
}

/** The gpg program, used after the keys that are given as text. */
export interface GpgSettings {
  /** Default `gpg`. */
  readonly program?: string;
  /** GNUPGHOME of a keyring that exists. Without it the `keys` are imported into a private home, for one call. */
  readonly home?: string;
  /** Environment of gpg and its agent (`PATH`, `GPG_TTY`, `HOME` …); nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface AwsAccessKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: Sensitive<string>;
  readonly sessionToken?: Sensitive<string>;
}

/** The first of `keys`, `provider` and `ambient` that is there counts. */
export interface AwsCredentials {
  readonly keys?: AwsAccessKeys;
  /** Workload identity. */
  readonly provider?: (signal?: AbortSignal) => Promise<AwsAccessKeys>;
  /** The SDK's own chain (environment, shared files, instance metadata); `aws_profile` counts only here. Only a face asks for it. */
  readonly ambient?: boolean;
  /** Base URLs that replace those of the key's region and partition. */
  readonly endpoint?: string;
  readonly stsEndpoint?: string;
  /** Part of the session name of an assumed role; default: this machine's. */
  readonly hostname?: string;
}

/** The first of `json`, `accessToken`, `tokenSource` and `ambient` that is there counts. */
export interface GcpCredentials {
  /** A credentials document of type `service_account` or `authorized_user`; other types only with `trusted`. */
  readonly json?: Sensitive<string>;
  /**
   * The document is the user's own: types that read files, run programs or call URLs (`external_account` …) are
   * allowed. Never set for a tenant: such a document can make the controller give away its own identity.
   */
  readonly trusted?: boolean;
  readonly accessToken?: Sensitive<string>;
  /** Workload identity. */
  readonly tokenSource?: (signal?: AbortSignal) => Promise<Sensitive<string>>;
  /** Application default credentials. Only a face asks for it. */
  readonly ambient?: boolean;
  /** Default `grpc`. */
  readonly clientType?: 'grpc' | 'rest';
  /** `host`, `host:port` or an URL. Plain `http://` gets no token. */
  readonly endpoint?: string;
  readonly universeDomain?: string;
}

/** Which of Azure's ways to get a token. */
export type AzureIdentity =
  | { readonly kind: 'secret'; readonly tenantId: string; readonly clientId: string; readonly clientSecret: Sensitive<string> }
  | {
      readonly kind: 'certificate';
      readonly tenantId: string;
      readonly clientId: string;
      /** PEM with certificate and private key. */
      readonly certificate: Sensitive<string>;
      readonly password?: Sensitive<string>;
      readonly sendChain?: boolean;
    }
  /** The managed identity of the machine. */
  | { readonly kind: 'managed'; readonly clientId?: string }
  /** Workload identity: gives a token for a scope. */
  | { readonly kind: 'token'; readonly token: (scope: string, signal?: AbortSignal) => Promise<Sensitive<string>> }
  /** DefaultAzureCredential. Only a face asks for it. */
  | { readonly kind: 'ambient' };

export interface AzureCredentials {
  readonly identity: AzureIdentity;
  readonly authorityHost?: string;
}

/** TLS towards Vault; PEM texts. */
export interface VaultTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Sensitive<string>;
  readonly serverName?: string;
  readonly skipVerify?: boolean;
}

/** Vault or OpenBao. The address comes from the file, so it decides where the token goes: see `allowList`. */
export interface VaultCredentials {
  readonly token?: Sensitive<string>;
  /** Used when there is no `token`: a login at this address, or undefined when it is not one of ours. */
  readonly tokenFor?: (address: string, signal?: AbortSignal) => Promise<Sensitive<string> | undefined>;
  readonly namespace?: string;
  readonly tls?: VaultTls;
  /** `all` (default), `none`, or prefixes of addresses. */
  readonly allowList?: 'all' | 'none' | readonly string[];
}
