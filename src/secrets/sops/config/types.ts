import type { SelectionRule } from '../types.ts';
import type { KeyFields, MasterKeyType } from '../../keys/index.ts';

/** A key as `.sops.yaml` names it. */
export interface ConfiguredKey {
  readonly type: MasterKeyType;
  readonly fields: KeyFields;
}

/** One of `creation_rules`. */
export interface CreationRule {
  /** Empty: every file. */
  readonly pathRegex: string;
  /** Duplicates removed where upstream removes them: in `key_groups`. */
  readonly groups: readonly (readonly ConfiguredKey[])[];
  readonly shamirThreshold: number;
  readonly selection: SelectionRule;
  readonly macOnlyEncrypted: boolean;
}

/** Where `publish` puts a file. */
export type Destination =
  | { readonly kind: 's3' | 'gcs'; readonly bucket: string; readonly prefix: string }
  | {
      readonly kind: 'vault';
      readonly path: string;
      /** Empty: from the environment. */
      readonly address: string;
      readonly mount: string;
      readonly version: 1 | 2;
    };

/** One of `destination_rules`. */
export interface DestinationRule {
  /** Empty: every file. */
  readonly pathRegex: string;
  readonly destination: Destination;
  /** How the file is encrypted again before it is published; undefined: published as it is. */
  readonly recreationRule: CreationRule | undefined;
  readonly omitExtensions: boolean;
}

/** Spaces per level; undefined where the file says nothing. */
export interface StoreSettings {
  readonly yaml?: number;
  readonly json?: number;
  readonly jsonBinary?: number;
}

/** A parsed `.sops.yaml`. */
export interface SopsConfig {
  readonly file: string;
  /** Undefined: as if there were no configuration for new files. */
  readonly creationRules: readonly CreationRule[] | undefined;
  readonly destinationRules: readonly DestinationRule[];
  readonly stores: StoreSettings;
  /** Unknown fields and fields without effect, each with its place. */
  readonly warnings: readonly string[];
}
