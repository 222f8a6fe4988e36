import type { Accumulator, Target } from './accumulator.ts';
import type { Origin } from './origin.ts';
import { addAffix } from './transform/affix.ts';
import { setImage } from './transform/images.ts';
import { addLabels } from './transform/labels.ts';
import { addEntries } from './transform/metadata.ts';
import { setNamespace } from './transform/namespace.ts';
import { applyOldJsonPatch, applyOldMergePatches, applyPatch } from './transform/patches.ts';
import { applyReplacements, loadReplacements } from './transform/replacements.ts';
import { setReplicas } from './transform/replicas.ts';

/** One run of a transformer; `kind` is upstream's name of it, which `buildMetadata` prints. */
export interface Transformer {
  readonly kind: string;
  /** Set for transformers with a configuration file of their own. */
  readonly origin?: Origin;
  /** Its configuration, or patch, when that is a file of its own. */
  readonly file?: string;
  run(): void;
}

/** The transformers that a kustomization file asks for, in the order in which they always run (KZ-30). */
export function transformersOf(target: Target, accumulator: Accumulator): Transformer[] {
  const { kustomization: file, loader, session } = target;
  const { collection, config } = accumulator;
  const { warn } = session;
  const at = target.file;
  const some = <T>(entries: readonly T[] | undefined, kind: string, run: (entry: T) => void): Transformer[] =>
    (entries ?? []).map((entry) => ({ kind, run: () => run(entry) }));
  const given = <T>(value: T | undefined, isGiven: boolean, kind: string, run: (value: T) => void): Transformer[] =>
    value !== undefined && isGiven ? [{ kind, run: () => run(value) }] : [];
  const hasLabels = (file.labels ?? []).length > 0 || Object.keys(file.commonLabels ?? {}).length > 0;
  return [
    ...given(file.patchesStrategicMerge, (file.patchesStrategicMerge ?? []).length > 0, 'PatchStrategicMergeTransformer', (entries) =>
      applyOldMergePatches(collection, entries, loader, at, session),
    ),
    ...(file.patches ?? []).map((patch) => ({
      kind: 'PatchTransformer',
      ...(patch.path === undefined ? {} : { file: loader.locate(patch.path) }),
      run: () => applyPatch(collection, patch, loader, at, session),
    })),
    ...given(file.namespace, file.namespace !== '', 'NamespaceTransformer', (namespace) =>
      setNamespace(collection, { namespace, specs: config.namespace, subjects: 'defaultOnly', unsetOnly: false }, session),
    ),
    ...given(file.namePrefix, file.namePrefix !== '', 'PrefixTransformer', (prefix) =>
      addAffix(collection, 'prefix', prefix, config.namePrefix),
    ),
    ...given(file.nameSuffix, file.nameSuffix !== '', 'SuffixTransformer', (suffix) =>
      addAffix(collection, 'suffix', suffix, config.nameSuffix),
    ),
    ...some(file.labels, 'LabelTransformer', (entry) => addLabels(collection, entry, config)),
    ...given(file.commonLabels ?? {}, hasLabels, 'LabelTransformer', (labels) => addEntries(collection, labels, config.commonLabels)),
    ...given(file.commonAnnotations, Object.keys(file.commonAnnotations ?? {}).length > 0, 'AnnotationsTransformer', (annotations) =>
      addEntries(collection, annotations, config.commonAnnotations),
    ),
    ...some(file.patchesJson6902, 'PatchJson6902Transformer', (patch) => applyOldJsonPatch(collection, patch, loader, at, session)),
    ...some(file.replicas, 'ReplicaCountTransformer', ({ name = '', count = 0 }) => setReplicas(collection, name, count, config.replicas)),
    ...some(file.images, 'ImageTagTransformer', (image) => setImage(collection, image, config.images, warn)),
    ...given(file.replacements, (file.replacements ?? []).length > 0, 'ReplacementTransformer', (entries) =>
      applyReplacements(collection, loadReplacements(entries, loader, at), at, session),
    ),
  ];
}
