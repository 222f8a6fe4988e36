import { SottoError } from '../../base/errors/index.ts';
import { stringifyYaml, toJson } from '../../text/yaml/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { gvkFrom } from './gvk.ts';
import { ORIGIN_ANNOTATION, originText, transformationsText, TRANSFORMATIONS_ANNOTATION } from './origin.ts';
import type { Resource } from './resource.ts';
import { isClusterScoped } from './scope.ts';
import { formatId } from './resourceid.ts';
import type { Trace } from './trace.ts';
import type { BuildResult, BuildWarning, BuiltObject } from './types.ts';

const INTERNAL = 'internal.config.kubernetes.io/';

/** Annotations that are taken off at the end, whoever wrote them. */
const REMOVED = new Set([
  ...[
    'previousKinds',
    'previousNames',
    'previousNamespaces',
    'prefixes',
    'suffixes',
    'refBy',
    'generatorBehavior',
    'needsHashSuffix',
    'allowNameChange',
    'allowKindChange',
    'path',
    'index',
    'seqindent',
    'id',
    'annotations-migration-resource-id',
    'helm-generated',
  ].map((name) => INTERNAL + name),
  'config.kubernetes.io/path',
  'config.kubernetes.io/index',
  'config.k8s.io/id',
  ORIGIN_ANNOTATION,
  TRANSFORMATIONS_ANNOTATION,
]);

/** Rewrites annotations as strings, without internal ones and with those that `buildMetadata` asks for. */
export function finishAnnotations(resource: Resource, buildMetadata: ReadonlySet<string>): void {
  const annotations = resource.annotations;
  for (const name of annotations.keys()) if (REMOVED.has(name)) annotations.delete(name);
  if (buildMetadata.has('originAnnotations') && resource.origin !== undefined)
    annotations.set(ORIGIN_ANNOTATION, originText(resource.origin));
  if (buildMetadata.has('transformerAnnotations') && resource.transformations.length > 0) {
    annotations.set(TRANSFORMATIONS_ANNOTATION, transformationsText(resource.transformations));
  }
  resource.writeTexts('annotations', annotations);
}

/** The object as JSON. Throws SottoError KUSTOMIZE_OUTPUT for a value that does not fit its type. */
export function toBuiltObject(resource: Resource, warn: (warning: BuildWarning) => void, trace?: Trace): BuiltObject {
  try {
    const keepTimestamps = (path: readonly (string | number)[]): boolean => {
      warn({ message: `${formatId(resource.id)}: the unquoted date at ${path.join('.')} becomes a time`, file: resource.source.file });
      return false;
    };
    const object = toJson(resource.root, { profile: 'goYaml3', file: resource.source.file, keepTimestamps });
    const fields = trace?.fieldsOf(resource);
    return { object: object as unknown as KubeObject, origin: resource.source, ...(fields === undefined ? {} : { fields }) };
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    const reason = error.message.replace(/^the value cannot be decoded as a /, 'cannot decode !!str (not shown) as a ');
    throw new SottoError('KUSTOMIZE_OUTPUT', `${formatId(resource.id)}: ${reason}`, {
      at: error.at ?? { file: resource.source.file },
      cause: error,
    });
  }
}

/** The objects as `kustomize build` prints them: keys sorted, joined by `---`. */
export function renderYaml(result: BuildResult): string {
  return result.objects.map(yamlOf).join('---\n');
}

function yamlOf({ object }: BuiltObject): string {
  return stringifyYaml(object, { profile: 'goYaml2' });
}

/**
 * The objects as `kustomize build -o DIRECTORY` writes them: one file each, named `[namespace_]group_version_kind_name.yaml`
 * in lower case. The namespace stands there when namespaced objects of more than one are built.
 */
export function renderFiles(result: BuildResult): { readonly name: string; readonly text: string }[] {
  const placed = result.objects.map((built) => {
    const { apiVersion, kind, metadata } = built.object;
    const gvk = gvkFrom(apiVersion, kind);
    const words = [gvk.group, gvk.version, kind].filter((word) => word !== '').join('_');
    const namespace = isClusterScoped(gvk) ? undefined : metadata.namespace || 'default';
    return { text: yamlOf(built), namespace, name: `${words}_${metadata.name ?? ''}.yaml` };
  });
  const namespaces = new Set(placed.flatMap(({ namespace }) => namespace ?? []));
  return placed.map(({ text, namespace, name }) => ({
    name: (namespaces.size > 1 && namespace !== undefined ? `${namespace}_${name}` : name).toLowerCase(),
    text,
  }));
}
