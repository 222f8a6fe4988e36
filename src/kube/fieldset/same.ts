import { deepEqual, type KubeObject, type ManagedFieldsEntry } from '../objects/index.ts';

/**
 * True when two objects differ in nothing but the times of their managedFields: then a write changes nothing
 * and the stored object stays (REST-06, SSA-07).
 */
export function sameIgnoringManagedFieldsTime(a: KubeObject, b: KubeObject): boolean {
  return deepEqual(timeless(a), timeless(b));
}

function timeless(object: KubeObject): KubeObject {
  const { managedFields, ...metadata } = object.metadata;
  if (managedFields === undefined) return object;
  const entries = managedFields.map(({ time: _, ...entry }) => entry as ManagedFieldsEntry);
  return { ...object, metadata: { ...metadata, managedFields: entries.toSorted(byIdentity) } };
}

/** Times take part in the stored order, so it is made without them. */
function byIdentity(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const text = (entry: ManagedFieldsEntry): string =>
    JSON.stringify([entry.operation, entry.manager, entry.apiVersion, entry.subresource ?? '']);
  const [x, y] = [text(a), text(b)];
  return x < y ? -1 : Number(x > y);
}
