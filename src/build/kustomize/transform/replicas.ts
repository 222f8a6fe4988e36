import { SottoError } from '../../../base/errors/index.ts';
import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import { formatGvk, isSelected } from '../gvk.ts';
import type { FieldSpec } from '../kustomization.ts';
import { wrongKind } from '../write.ts';

/**
 * Sets the replica count of every workload that has, or had, the name.
 *
 * @throws SottoError KUSTOMIZE_REPLICAS when there is none
 */
export function setReplicas(collection: Collection, name: string, count: number, specs: readonly FieldSpec[]): void {
  let found = false;
  for (const spec of specs) {
    const named = collection.resources.filter((resource) => resource.allIds.some((id) => id.name === name && isSelected(id, spec)));
    for (const resource of named) {
      found = true;
      visitField(resource, spec, 'scalar', (node) => {
        if (node.kind !== 'scalar') throw wrongKind(node, 'scalar', resource, spec.path ?? '');
        node.text = String(count);
        node.tag = node.style === 'plain' ? '!!int' : '!!str';
      });
    }
  }
  if (found) return;
  const kinds = specs.map((spec) => formatGvk(spec)).join(' ');
  throw new SottoError('KUSTOMIZE_REPLICAS', `resource with name ${name} does not match a config with the following GVK [${kinds}]`);
}
