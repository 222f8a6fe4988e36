import { SottoError } from '../../base/errors/index.ts';
import { newAccumulator } from './accumulator.ts';
import { duplicateId, type Collection } from './collection.ts';
import { addHashes } from './generators.ts';
import { contentHash } from './hash.ts';
import { rootLoader } from './loader.ts';
import { fixNameReferences } from './namereferences.ts';
import { isMap, fieldOf, textOf } from './node.ts';
import { sortResources } from './order.ts';
import { finishAnnotations, toBuiltObject } from './render.ts';
import { Session } from './session.ts';
import { accumulate, loadTarget } from './target.ts';
import { addEntries } from './transform/metadata.ts';
import type { BuildOptions, BuildResult } from './types.ts';
import { Trace } from './trace.ts';
import { resolveVariables } from './variables.ts';

const LOCAL_CONFIG = 'config.kubernetes.io/local-config';
const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'sotto' };

/**
 * Builds a directory as kustomize 5.8.1 does.
 *
 * @throws SottoError with a code that starts with KUSTOMIZE_ or YAML_, naming file, line and the chain of directories
 */
export function build(options: BuildOptions): BuildResult {
  const trace = options.explain === true ? new Trace() : undefined;
  const session = new Session(options, trace);
  try {
    const loader = rootLoader(options, options.path);
    return session.within(loader.directory || '.', () => {
      const { rootFile } = options;
      const first = loadTarget({ loader, session, originPath: undefined, ...(rootFile === undefined ? {} : { text: rootFile }) });
      const buildMetadata = new Set(first.kustomization.buildMetadata ?? []);
      const target = { ...first, originPath: buildMetadata.size > 0 ? '' : undefined };
      const accumulator = newAccumulator();
      accumulate(target, accumulator);

      // What follows is done once, at the end of the whole build.
      const { collection, config } = accumulator;
      const note = (by: string): void => trace?.note(collection.resources, { by, file: target.file });
      addHashes(collection, contentHash);
      note('content hash');
      fixNameReferences(collection, config.nameReference, session.warn);
      note('name reference');
      resolveVariables(accumulator, config.varReference, target.file, session.warn);
      note('vars');
      refuseDuplicates(collection);
      dropLocalConfig(collection);
      sortResources(collection, target.kustomization.sortOptions, options.order, target.file);
      if (options.managedByLabel === true || buildMetadata.has('managedByLabel'))
        addEntries(collection, MANAGED_BY, [{ path: 'metadata/labels', create: true }]);
      for (const resource of collection.resources) finishAnnotations(resource, buildMetadata);
      note('buildMetadata');
      const objects = collection.resources.map((resource) => toBuiltObject(resource, session.warn, trace));
      return { objects, warnings: session.warnings };
    });
  } catch (error) {
    throw session.failure(error);
  }
}

/** Patches can rename two objects to one; where upstream crashes, this is an error. */
function refuseDuplicates(collection: Collection): void {
  const [conflict] = collection.conflicts();
  if (conflict?.[0] !== undefined && conflict[1] !== undefined) throw duplicateId(conflict[1], conflict[0]);
}

/** Objects for the build only are dropped; what patches left without kind or name is an error. */
function dropLocalConfig(collection: Collection): void {
  for (const resource of collection.resources) {
    const missing = resource.kind === '' ? 'kind' : resource.name === '' && !resource.kind.endsWith('List') ? 'metadata.name' : undefined;
    if (missing === undefined) continue;
    throw new SottoError('KUSTOMIZE_MANIFEST', `missing ${missing} in object`, { at: { file: resource.source.file } });
  }
  collection.keep((resource) => {
    const annotations = fieldOf(fieldOf(resource.root, 'metadata'), 'annotations');
    const value = isMap(annotations) ? fieldOf(annotations, LOCAL_CONFIG) : undefined;
    return value === undefined || textOf(value) === 'false';
  });
}
