import { SottoError } from '../../base/errors/index.ts';
import type { Resource } from './resource.ts';
import { formatId, idKey, type ResourceId } from './resourceid.ts';

/**
 * The objects of an accumulator in order, with indexes by current and by any id. The indexes are made when first
 * asked for; whoever changes ids calls {@link idsChanged}.
 */
export class Collection {
  #list: Resource[] = [];
  #current: Map<string, Resource[]> | undefined;
  #any: Map<string, Resource[]> | undefined;

  get resources(): readonly Resource[] {
    return this.#list;
  }

  idsChanged(): void {
    this.#current = undefined;
    this.#any = undefined;
  }

  withCurrentId(id: ResourceId): readonly Resource[] {
    this.#current ??= indexBy(this.#list, (resource) => [resource.id]);
    return this.#current.get(idKey(id)) ?? [];
  }

  /** The objects that have, or once had, this id. */
  withAnyId(id: ResourceId): readonly Resource[] {
    this.#any ??= indexBy(this.#list, (resource) => resource.allIds);
    return this.#any.get(idKey(id)) ?? [];
  }

  /**
   * Adds an object at the end.
   *
   * @throws SottoError KUSTOMIZE_DUPLICATE_ID
   */
  append(resource: Resource): void {
    const [earlier] = this.withCurrentId(resource.id);
    if (earlier !== undefined) throw duplicateId(resource, earlier);
    this.#list.push(resource);
    if (this.#current !== undefined) addTo(this.#current, [resource.id], resource);
    if (this.#any !== undefined) addTo(this.#any, resource.allIds, resource);
  }

  appendAll(resources: Iterable<Resource>): void {
    for (const resource of resources) this.append(resource);
  }

  /** Puts an object in the place of another one, whose ids it has. */
  replace(old: Resource, by: Resource): void {
    const position = this.#list.indexOf(old);
    if (position >= 0) this.#list[position] = by;
    for (const index of [this.#current, this.#any]) {
      for (const id of old.allIds) {
        const found = index?.get(idKey(id));
        const at = found?.indexOf(old) ?? -1;
        if (found !== undefined && at >= 0) found[at] = by;
      }
    }
  }

  /** Keeps the objects that pass; ids stay what they were. */
  keep(predicate: (resource: Resource) => boolean): void {
    const kept = this.#list.filter((resource) => predicate(resource));
    if (kept.length === this.#list.length) return;
    this.#list = kept;
    this.idsChanged();
  }

  /** Puts the objects into a new order. */
  reorder(resources: readonly Resource[]): void {
    this.#list = [...resources];
  }

  /** The ids that more than one object has now. */
  conflicts(): readonly (readonly Resource[])[] {
    this.#current ??= indexBy(this.#list, (resource) => [resource.id]);
    return [...this.#current.values()].filter((resources) => resources.length > 1);
  }
}

function indexBy(resources: readonly Resource[], idsOf: (resource: Resource) => ResourceId[]): Map<string, Resource[]> {
  const index = new Map<string, Resource[]>();
  for (const resource of resources) if (!resource.deleted) addTo(index, idsOf(resource), resource);
  return index;
}

function addTo(index: Map<string, Resource[]>, ids: readonly ResourceId[], resource: Resource): void {
  for (const id of ids) {
    const key = idKey(id);
    const found = index.get(key);
    if (found === undefined) index.set(key, [resource]);
    else if (found.at(-1) !== resource) found.push(resource);
  }
}

export function duplicateId(resource: Resource, earlier: Resource): SottoError {
  return new SottoError(
    'KUSTOMIZE_DUPLICATE_ID',
    `may not add resource with an already registered id: ${formatId(resource.id)} (first in ${earlier.source.file})`,
    {
      at: resource.source.line === undefined ? { file: resource.source.file } : { file: resource.source.file, line: resource.source.line },
    },
  );
}
