import { apiErrors, cloneJson, isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { writeChange, type PatchType, type Resource, type WriteContext } from '../registry/index.ts';
import { applyMergePatch, applyJsonPatch, type Json } from '../../kube/objects/index.ts';
import type { Answer } from './answer.ts';
import { unsupported } from './body.ts';
import type { Call } from './call.ts';

const SCALE: Resource = {
  group: 'autoscaling',
  plural: 'scales',
  singular: 'scale',
  kind: 'Scale',
  listKind: 'ScaleList',
  shortNames: [],
  categories: [],
  namespaced: true,
  custom: false,
  versions: [],
  storageVersion: 'v1',
  storeName: 'scales.autoscaling',
  subresources: [],
  rules: {},
};

function answerOf(object: KubeObject): Answer {
  return { kind: 'object', status: 200, object, resource: SCALE, version: { name: 'v1', status: false } };
}

/** GET of `/scale` (REST-11). @throws ApiError 404 for kinds that can't be scaled */
export function readScale(call: Call, object: KubeObject): Answer {
  return answerOf(scaleOf(call, object));
}

/** PUT or PATCH of `/scale`: changes the replicas of the object. @throws ApiError */
export async function writeScale(
  call: Call,
  context: WriteContext,
  change: (() => unknown) | { type: PatchType; patch: unknown },
): Promise<Answer> {
  const { path } = pathsOf(call);
  const { object } = await writeChange(call.env, context, {
    make: (live) => {
      if (live === undefined) throw apiErrors.notFound(call.resource, call.info.name);
      const next = cloneJson(live);
      setAt(next, path, wantedReplicas(call, live, change));
      return next;
    },
    tracked: false,
    mayCreate: () => false,
    retries: true,
    isPut: false,
  });
  return answerOf(scaleOf(call, object));
}

function wantedReplicas(call: Call, live: KubeObject, change: (() => unknown) | { type: PatchType; patch: unknown }): number {
  const current = scaleOf(call, live) as unknown as Json;
  const next = typeof change === 'function' ? change() : patched(current, change);
  const spec = isJsonObject(next) ? next['spec'] : undefined;
  const replicas = isJsonObject(spec) ? (spec['replicas'] ?? 0) : undefined;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw apiErrors.invalid({ group: 'autoscaling', kind: 'Scale' }, call.info.name, [
      {
        reason: 'FieldValueInvalid',
        field: 'spec.replicas',
        message: `Invalid value: ${JSON.stringify(replicas ?? null)}: must be greater than or equal to 0`,
      },
    ]);
  }
  return replicas;
}

function patched(current: Json, { type, patch }: { type: PatchType; patch: unknown }): Json {
  if (type === 'json') return applyJsonPatch(current, patch);
  if (type === 'apply')
    throw unsupported(['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json']);
  return applyMergePatch(current, patch);
}

function pathsOf({ version, resource, info }: Call): { path: string[]; status: string[]; selector: string[] } {
  if (version.scale === undefined) throw apiErrors.notFound(resource, info.name);
  const split = (path: string | undefined): string[] => (path ?? '').split('.').filter((part) => part !== '');
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = version.scale;
  return { path: split(specReplicasPath), status: split(statusReplicasPath), selector: split(labelSelectorPath) };
}

function scaleOf(call: Call, object: KubeObject): KubeObject {
  const { path, status, selector } = pathsOf(call);
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const spec = object['spec'] as { selector?: { matchLabels?: Record<string, string> } } | undefined;
  const labels = Object.entries(spec?.selector?.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const selected = call.resource.custom ? customSelector(object, selector) : labels;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(([, value]) => value !== undefined),
    ),
    spec: { replicas: at(object, path) ?? 0 },
    status: { replicas: at(object, status) ?? 0, ...(selected === '' ? {} : { selector: selected }) },
  };
}

function customSelector(object: KubeObject, path: readonly string[]): string {
  const value = path.length === 0 ? undefined : at(object, path);
  return typeof value === 'string' ? value : '';
}

function at(object: KubeObject, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, step) => (isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined), object);
}

function setAt(object: KubeObject, path: readonly string[], value: number): void {
  let target: Record<string, unknown> = object;
  for (const step of path.slice(0, -1)) {
    if (!isJsonObject(target[step])) target[step] = {};
    target = target[step] as Record<string, unknown>;
  }
  const last = path.at(-1);
  if (last !== undefined) target[last] = value;
}
