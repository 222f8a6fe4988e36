import { cloneJson, type KubeObject } from '../../kube/objects/index.ts';
import type { WriteContext } from './types.ts';

/** Kinds with a status subresource start without status (REST-10). */
export function dropStatusOnCreate({ version }: WriteContext, object: KubeObject): void {
  if (version.status) delete object['status'];
}

/**
 * What a write to this endpoint may change, in place: the main endpoint keeps the live status, `/status` keeps
 * everything else (REST-10), `/finalize` changes only a namespace's finalizers.
 */
export function keepOtherParts(context: WriteContext, object: KubeObject, live: KubeObject): void {
  const { resource, version, subresource } = context;
  switch (subresource) {
    case 'status':
      keepAllBut(object, live, ['status'], resource.custom ? ['managedFields', 'resourceVersion'] : undefined);
      if (resource.storeName === 'deployments.apps') keepLabels(object, live);
      break;
    case 'approval':
      keepAllBut(object, live, ['status'], ['managedFields', 'resourceVersion']);
      break;
    case 'finalize':
      keepAllBut(object, live, ['spec'], undefined);
      break;
    default:
      if (version.status) copyField(object, live, 'status');
      if (resource.plural === 'namespaces' && resource.group === '') copyField(object, live, 'spec');
  }
}

/** `metadata`: the fields of it that the write may change; undefined for all of them. */
function keepAllBut(object: KubeObject, live: KubeObject, fields: readonly string[], metadata: readonly string[] | undefined): void {
  for (const key of new Set([...Object.keys(object), ...Object.keys(live)])) {
    if (!fields.includes(key) && key !== 'metadata' && key !== 'apiVersion') copyField(object, live, key);
  }
  if (metadata === undefined) return;
  const changed = object.metadata as Record<string, unknown>;
  const kept = cloneJson(live.metadata) as Record<string, unknown>;
  for (const field of metadata) {
    if (Object.hasOwn(changed, field)) kept[field] = changed[field];
    else delete kept[field];
  }
  object.metadata = kept;
}

function keepLabels({ metadata }: KubeObject, live: KubeObject): void {
  if (live.metadata.labels === undefined) delete metadata.labels;
  else metadata.labels = { ...live.metadata.labels };
}

function copyField(object: KubeObject, live: KubeObject, field: string): void {
  if (live[field] === undefined) delete object[field];
  else object[field] = cloneJson(live[field]);
}
