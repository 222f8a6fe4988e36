import { Collection } from './collection.ts';
import type { Kustomization, Variable } from './kustomization.ts';
import type { Loader } from './loader.ts';
import type { Session } from './session.ts';
import { EMPTY_CONFIG, type TransformerConfig } from './transformerconfig.ts';

/** What a directory adds to: its objects, the field specs met so far, and the vars. */
export interface Accumulator {
  readonly collection: Collection;
  config: TransformerConfig;
  readonly variables: Map<string, Variable>;
}

export function newAccumulator(): Accumulator {
  return { collection: new Collection(), config: EMPTY_CONFIG, variables: new Map() };
}

/** A directory with its parsed kustomization file. */
export interface Target {
  readonly loader: Loader;
  /** The kustomization file, relative to the tree. */
  readonly file: string;
  readonly kustomization: Kustomization;
  readonly session: Session;
  /** The directory relative to where the build began, when origins are recorded. */
  readonly originPath: string | undefined;
}
