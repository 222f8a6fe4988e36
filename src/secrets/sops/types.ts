import type { Credentials, KeyContext, MasterKey, MasterKeyType } from '../keys/index.ts';
import type { DataKeyCache } from './data-key-cache.ts';
import type { KeyService } from './key-services.ts';

export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'ini' | 'binary';

export interface DecryptOptions extends KeyContext {
  readonly format: SopsFormat;
  /** Default: the input format. */
  readonly outputFormat?: SopsFormat;
  readonly credentials: Credentials;
  /** Skip the check of the MAC, for trees that were changed after encryption on purpose. Default false. */
  readonly ignoreMac?: boolean;
  /** For error positions. */
  readonly file?: string;
  /** Spaces of indentation of YAML (4) or JSON (-1, a tab) output. */
  readonly indent?: number;
  /** Asked instead of this process alone, in order; see localKeyService. */
  readonly keyServices?: readonly KeyService[];
  /** Data keys opened before, and where to keep those opened now. Without effect beside `keyServices`. */
  readonly dataKeys?: DataKeyCache;
  /** Key types tried first; default age, pgp. */
  readonly decryptionOrder?: readonly MasterKeyType[];
  /** Told what is odd but no error; never a value. */
  readonly warn?: (message: string) => void;
}

export interface Decrypted {
  readonly bytes: Uint8Array;
  /** True when the MAC was present and matched. */
  readonly macVerified: boolean;
  /** Display strings of the keys of the file, and of the one that opened it. */
  readonly recipients: readonly string[];
  readonly openedBy: string;
  readonly lastModified: string;
}

/** Exactly one selection rule, as SOPS has it; none means `unencryptedSuffix: '_unencrypted'`. */
export interface SelectionRule {
  readonly unencryptedSuffix?: string;
  readonly encryptedSuffix?: string;
  readonly unencryptedRegex?: string;
  readonly encryptedRegex?: string;
  readonly unencryptedCommentRegex?: string;
  readonly encryptedCommentRegex?: string;
}

export interface EncryptOptions extends KeyContext {
  readonly format: SopsFormat;
  readonly outputFormat?: SopsFormat;
  /** Key groups; one group is the common case. */
  readonly groups: readonly (readonly MasterKey[])[];
  readonly shamirThreshold?: number;
  readonly selection?: SelectionRule;
  readonly macOnlyEncrypted?: boolean;
  readonly credentials?: Credentials;
  /** Asked instead of this process alone, in order; see localKeyService. */
  readonly keyServices?: readonly KeyService[];
  /** Spaces of indentation of YAML (4) or JSON (-1, a tab). */
  readonly indent?: number;
  readonly file?: string;
  /** Told what is odd but no error; never a value. */
  readonly warn?: (message: string) => void;
}
