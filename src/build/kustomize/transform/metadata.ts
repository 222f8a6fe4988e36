import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import { compareText } from '../gvk.ts';
import type { FieldSpec } from '../kustomization.ts';
import { newString } from '../node.ts';
import { writeEntryAt } from '../write.ts';

/**
 * Writes labels or annotations into all fields that the specs name, keys in sorted order. A value that is new in several
 * fields of an object is one node in all of them, as upstream: whoever changes it later changes it everywhere.
 */
export function addEntries(collection: Collection, entries: Readonly<Record<string, string>>, specs: readonly FieldSpec[]): void {
  const keys = Object.keys(entries).toSorted(compareText);
  if (keys.length === 0) return;
  for (const resource of collection.resources) {
    for (const key of keys) {
      const value = newString(entries[key] ?? '');
      for (const spec of specs) {
        visitField(resource, spec, 'map', (node) => {
          writeEntryAt(node, key, value, resource, spec.path ?? '');
        });
      }
    }
  }
}
