import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import { compareText } from '../gvk.ts';
import type { FieldSpec } from '../kustomization.ts';
import { writeEntryAt } from '../write.ts';

/** Writes labels or annotations into all fields that the specs name, keys in sorted order. */
export function addEntries(collection: Collection, entries: Readonly<Record<string, string>>, specs: readonly FieldSpec[]): void {
  const keys = Object.keys(entries).toSorted(compareText);
  if (keys.length === 0) return;
  for (const resource of collection.resources) {
    for (const spec of specs) {
      visitField(resource, spec, 'map', (node) => {
        for (const key of keys) writeEntryAt(node, key, entries[key] ?? '', resource, spec.path ?? '');
      });
    }
  }
}
