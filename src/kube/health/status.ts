import { parseApiVersion, type KubeObject } from '../objects/index.ts';
import { conditionsOf, integerOf } from './fields.ts';
import { KIND_RULES } from './kinds.ts';
import { current, failed, inProgress, type Health } from './verdict.ts';

export type { Health, HealthStatus } from './verdict.ts';

/**
 * The status of an object as it was read, status included; `undefined` stands for an object that was not found.
 *
 * @param options `now` in milliseconds since the epoch: without it a Pod that cannot be scheduled counts as in progress
 *   for ever
 */
export function statusOf(object: KubeObject | undefined, options: { readonly now?: number } = {}): Health {
  if (object === undefined) return { status: 'NotFound', message: 'Resource not found' };
  return genericStatus(object) ?? kindStatus(object, options.now) ?? readyStatus(object) ?? current('Resource is current');
}

/** Rules that come before those of the kind. */
function genericStatus(object: KubeObject): Health | undefined {
  if ((object.metadata.deletionTimestamp ?? '') !== '') return { status: 'Terminating', message: 'Resource scheduled for deletion' };
  const generation = integerOf(object, 'metadata.generation', NaN);
  const observed = integerOf(object, 'status.observedGeneration', NaN);
  if (generation < observed || generation > observed) {
    return inProgress(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`);
  }
  for (const { type, status, message } of conditionsOf(object)) {
    if (status === 'True' && type === 'Reconciling') return inProgress(message);
    if (status === 'True' && type === 'Stalled') return failed(message);
  }
  return undefined;
}

function kindStatus(object: KubeObject, now: number | undefined): Health | undefined {
  const { group } = parseApiVersion(object.apiVersion);
  const key = group === '' ? object.kind : `${group}/${object.kind}`;
  return KIND_RULES.get(key)?.(object, now);
}

/** A Ready condition decides for kinds without rules of their own; False may still become True. */
function readyStatus(object: KubeObject): Health | undefined {
  const ready = conditionsOf(object).find(({ type }) => type === 'Ready');
  if (ready === undefined || !['True', 'False', 'Unknown'].includes(ready.status)) return undefined;
  if (ready.status === 'True') return current('Resource is Ready');
  return inProgress(ready.message);
}
