import type { KubeObject } from '../../kube/objects/index.ts';
import type { Tree } from '../../base/files/index.ts';
import type { BuildWarning } from '../kustomize/index.ts';
import type { SopsFormat } from '../../secrets/sops/index.ts';

/** The fields of a Flux Kustomization's spec that decide what is built. */
export interface KustomizationSpec {
  readonly path?: string;
  readonly targetNamespace?: string;
  readonly namePrefix?: string;
  readonly nameSuffix?: string;
  readonly patches?: readonly { readonly patch: string; readonly target?: Readonly<Record<string, string>> }[];
  readonly images?: readonly { readonly name: string; readonly newName?: string; readonly newTag?: string; readonly digest?: string }[];
  readonly components?: readonly string[];
  readonly ignoreMissingComponents?: boolean;
  readonly buildMetadata?: readonly string[];
  readonly commonMetadata?: { readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly postBuild?: {
    readonly substitute?: Readonly<Record<string, string>>;
    readonly substituteFrom?: readonly { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string; readonly optional?: boolean }[];
    readonly substituteStrategy?: 'WithVariables' | 'Always';
  };
}

/**
 * Opens encrypted input. The real one holds a Kustomization's keys; the keyless one keeps structure and puts
 * placeholders in place of values. Absent in {@link FleetOptions}: decryption is not configured.
 */
export interface Decryptor {
  /** A whole document in its own format, as it lies in Git: the MAC is checked. */
  decrypt(input: {
    readonly bytes: Uint8Array;
    readonly format: SopsFormat;
    readonly outputFormat?: SopsFormat;
    readonly file?: string;
    /** False for built objects, which kustomize changed after encryption. */
    readonly pristine: boolean;
  }): Promise<Uint8Array>;
}

/** Reads a Secret or ConfigMap of the Kustomization's own namespace; undefined when it does not exist. */
export type VariableSource = (ref: { readonly kind: 'Secret' | 'ConfigMap'; readonly name: string }) => Promise<KubeObject | undefined>;

export interface FleetOptions {
  readonly tree: Tree;
  readonly spec: KustomizationSpec;
  /** Namespace and name of the Kustomization, for messages. */
  readonly owner: { readonly namespace: string; readonly name: string };
  readonly decryptor?: Decryptor;
  readonly variables?: VariableSource;
  /** Paths (relative to the tree's root) to leave out, as `flux build` does with `.sourceignore`. Default: none. */
  readonly ignore?: (path: string) => boolean;
  /** An unset variable without a default is an error. Default true. */
  readonly strictSubstitution?: boolean;
  readonly signal?: AbortSignal;
}

/** How a Secret came to be: for the summary, audit and who-can. */
export interface SecretOrigin {
  readonly file: string;
  readonly mechanism: 'sops' | 'sops-generator' | 'generator' | 'plain' | 'sops-value';
}

export interface FleetObject {
  readonly object: KubeObject;
  readonly file: string;
  readonly line?: number;
  /** Set for Secrets. */
  readonly secret?: SecretOrigin;
}

export interface FleetBuild {
  readonly objects: readonly FleetObject[];
  readonly warnings: readonly BuildWarning[];
}
