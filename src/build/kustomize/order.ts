import { SottoError } from '../../base/errors/index.ts';
import type { Collection } from './collection.ts';
import { compareText, formatGvk, ORDER_FIRST, ORDER_LAST, ranksOf, sortTextOf } from './gvk.ts';
import type { SortOptions } from './kustomization.ts';
import type { ResourceId } from './resourceid.ts';

/**
 * Puts the objects into output order: `sortOptions` of the root file, else what the caller wants
 * (k:api/internal/builtins/SortOrderTransformer.go).
 *
 * @throws SottoError KUSTOMIZE_SORT
 */
export function sortResources(collection: Collection, options: SortOptions | undefined, order: 'fifo' | 'legacy', file: string): void {
  const wanted = options === undefined ? order : options.order;
  if (wanted !== 'fifo' && wanted !== 'legacy') {
    throw new SottoError('KUSTOMIZE_SORT', "the field 'sortOptions.order' must be one of [fifo, legacy]", { at: { file } });
  }
  const legacy = options?.legacySortOptions;
  if (wanted === 'fifo' && legacy !== undefined) {
    throw new SottoError(
      'KUSTOMIZE_SORT',
      "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
      {
        at: { file },
      },
    );
  }
  if (wanted === 'fifo') return;
  const compare = legacyOrder(
    legacy === undefined ? ORDER_FIRST : (legacy.orderFirst ?? []),
    legacy === undefined ? ORDER_LAST : (legacy.orderLast ?? []),
  );
  const keyed = collection.resources.map((resource) => ({ resource, id: resource.id }));
  collection.reorder(keyed.toSorted((a, b) => compare(a.id, b.id)).map(({ resource }) => resource));
}

function legacyOrder(first: readonly string[], last: readonly string[]): (a: ResourceId, b: ResourceId) => number {
  const rank = ranksOf(first, last);
  return (a, b) => {
    if (a.group === b.group && a.version === b.version && a.kind === b.kind) return compareText(idSortText(a), idSortText(b));
    const byRank = rank(a.kind) - rank(b.kind);
    if (byRank !== 0) return byRank;
    const byText = compareText(sortTextOf(a), sortTextOf(b));
    // The core Namespace comes before one of another group, against the order of the texts.
    const isNamespace = a.kind === 'Namespace' && b.kind === 'Namespace' && (a.group === '' || b.group === '');
    return isNamespace ? -byText : byText;
  };
}

function idSortText(id: ResourceId): string {
  return `${formatGvk(id)}|${id.namespace || '~X'}|${id.name || '~N'}`;
}
