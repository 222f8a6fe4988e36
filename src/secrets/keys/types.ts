import type { Entropy, World } from '../../base/world/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import type {
  AgePlugins,
  AskPassphrase,
  AwsCredentials,
  AzureCredentials,
  GcpCredentials,
  PgpCredentials,
  VaultCredentials,
} from './credentials.ts';

/** The names that SOPS metadata gives to key types. */
export type MasterKeyType = 'age' | 'pgp' | 'kms' | 'gcp_kms' | 'azure_kv' | 'hc_vault' | 'hckms';

/**
 * Everything that may open a key, always handed in: rooms never read the environment or a home folder. Only
 * a face builds credentials from the user's surroundings.
 */
export interface Credentials {
  readonly age?: {
    /** Identity lines (`AGE-SECRET-KEY-1…`, `AGE-SECRET-KEY-PQ-1…`, OpenSSH private keys), each with where it came from. */
    readonly identities: readonly {
      readonly source: string;
      readonly identity: Sensitive<string>;
      /** Opens a protected OpenSSH key or a passphrase-protected identity file. */
      readonly passphrase?: AskPassphrase;
      /** The `.pub` line of an SSH key whose format hides its public half. */
      readonly publicKey?: string;
    }[];
    /** Places that were looked at and held nothing, or failed, for error messages. */
    readonly searched?: readonly string[];
    /** Lets `age-plugin-…` programs run. */
    readonly plugins?: AgePlugins;
  };
  readonly pgp?: PgpCredentials;
  readonly aws?: AwsCredentials;
  readonly gcp?: GcpCredentials;
  readonly azure?: AzureCredentials;
  readonly vault?: VaultCredentials;
}

/** What calls on a key may use besides credentials. */
export interface KeyContext {
  readonly world: World;
  readonly entropy: Entropy;
  readonly signal?: AbortSignal;
}

/** "Not mine" (no credential fits) and "mine" are answers; "mine, but failed" is a thrown SottoError. */
export type Unwrapped =
  /** The bytes are a fresh copy that the caller may wipe. */
  { readonly kind: 'opened'; readonly dataKey: Sensitive<Uint8Array> } | { readonly kind: 'not-mine'; readonly reason: string };

/** The fields of one key entry of SOPS metadata or of a key group, `enc` and `created_at` left out. */
export type KeyFields = Readonly<Record<string, string | Readonly<Record<string, string>>>>;

/** One recipient of a data key. */
export interface MasterKey {
  readonly type: MasterKeyType;
  /** How SOPS names it in messages and compares it: recipient, fingerprint, ARN … */
  readonly display: string;
  /** What SOPS metadata record about the key besides `enc` and `created_at`. Default: `recipient` with `display`. */
  readonly fields?: KeyFields;
  /** @returns the `enc` text of SOPS metadata */
  wrap(dataKey: Sensitive<Uint8Array>, credentials: Credentials, context: KeyContext): Promise<string>;
  /** @throws SottoError when a credential fits and the wrapped key is damaged, denied or unreachable */
  unwrap(wrapped: string, credentials: Credentials, context: KeyContext): Promise<Unwrapped>;
}
