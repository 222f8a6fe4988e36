import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import { isSelected, type GvkSelector } from '../gvk.ts';
import type { FieldSpec } from '../kustomization.ts';
import { textOf } from '../node.ts';
import { writeTextAt } from '../write.ts';

/** Kinds whose names are never changed (k:api/internal/builtins/PrefixTransformer.go). */
const SKIPPED: readonly GvkSelector[] = [
  { kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', kind: 'APIService' },
  { kind: 'Namespace' },
];

/** Adds a prefix or suffix to names, and to whatever else the field specs name. */
export function addAffix(collection: Collection, where: 'prefix' | 'suffix', affix: string, specs: readonly FieldSpec[]): void {
  if (affix === '') return;
  for (const resource of collection.resources) {
    const original = resource.originalId;
    if (SKIPPED.some((selector) => isSelected(original, selector))) continue;
    for (const spec of specs) {
      if (!isSelected(original, spec)) continue;
      if (spec.path === 'metadata/name') {
        (where === 'prefix' ? resource.prefixes : resource.suffixes).push(affix);
        resource.rememberName();
      }
      visitField(resource, spec, 'scalar', (node) => {
        const text = textOf(node);
        writeTextAt(node, where === 'prefix' ? affix + text : text + affix, resource, spec.path ?? '');
      });
    }
  }
  collection.idsChanged();
}
