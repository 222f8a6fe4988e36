import type { KubeObject } from '../../kube/objects/index.ts';
import type { Tree } from '../../base/files/index.ts';

export interface BuildOptions {
  readonly tree: Tree;
  /** Directory of the kustomization file, relative to the tree's root. */
  readonly path: string;
  /**
   * `root-only`: files must lie in or below the kustomization's directory (the CLI's default). `none`: anywhere in
   * the tree (Flux).
   */
  readonly loadRestrictor: 'root-only' | 'none';
  /** `fifo` (library, Flux) or `legacy` (CLI without flag); `sortOptions` of the root file overrides it. */
  readonly order: 'fifo' | 'legacy';
  /**
   * A schema of the `openapi` field is laid over the built-in one (Flux). Default false: it takes its place (the CLI).
   */
  readonly keepBuiltinSchema?: boolean;
  /** Text of the root kustomization file, used in place of the one in the tree (Flux's overlay). */
  readonly rootFile?: string;
  /** Adds the label that `buildMetadata: [managedByLabel]` asks for, whatever the file says (a flag of the CLI). */
  readonly managedByLabel?: boolean;
  /** Told every warning as it comes up: those of a build that fails are nowhere else. */
  readonly warn?: (warning: BuildWarning) => void;
  /** Records which file and transformer set each field; see {@link BuiltObject.fields}. Costs time. */
  readonly explain?: boolean;
}

/** What set a field: a file (`resource`), a generator or transformer by upstream's name, or a step at the end. */
export interface FieldSource {
  readonly by: string;
  readonly file: string;
  readonly line?: number;
}

export interface BuildWarning {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  /** Set when a patch or replacement selects no object. */
  readonly unmatched?: true;
  /** Set when the warning is about a field of the kustomization file that has a successor. */
  readonly deprecated?: { readonly field: string; readonly replacement: string };
}

export interface BuiltObject {
  readonly object: KubeObject;
  /** Where the object came from: its file, or the kustomization file of its generator. */
  readonly origin: { readonly file: string; readonly line?: number; readonly generator?: string };
  /** With `explain`: what set each field, by paths such as `spec.containers[name=app].image`. */
  readonly fields?: ReadonlyMap<string, FieldSource>;
}

export interface BuildResult {
  readonly objects: readonly BuiltObject[];
  readonly warnings: readonly BuildWarning[];
}
