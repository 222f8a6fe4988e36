import { fieldOf, isMap, lookup, mapAt, newString, removeField, setField } from './node.ts';
import type { Resource } from './resource.ts';

/** Stands for what upstream notes about an object in annotations under its own prefix. */
const NOTE = 'internal.config.kubernetes.io/notes';

/**
 * Runs a change of an object with its notes in place. True when the change kept them: a patch that removes or replaces
 * all annotations takes upstream's notes with it, and an object without notes has no earlier names and no hash.
 */
export function keepsNotes(resource: Resource, change: () => void): boolean {
  if (!resource.hasNotes) {
    change();
    return true;
  }
  const metadata = mapAt(resource.root, 'metadata');
  const annotations = metadata === undefined ? undefined : mapAt(metadata, 'annotations');
  if (annotations !== undefined) setField(annotations, NOTE, newString(''));
  change();
  const after = lookup(resource.root, 'metadata', 'annotations');
  const kept = fieldOf(after, NOTE) !== undefined;
  if (isMap(after)) removeField(after, NOTE);
  return kept || annotations === undefined;
}
