import { builtinResources } from './builtin.ts';
import type { Catalog, Resource } from './types.ts';

/** The served resources: the built-in ones, and those that CRDs add. */
export function createCatalog(): Catalog {
  const builtin = builtinResources();
  const resources = new Map(builtin.map((resource) => [idOf(resource.group, resource.plural), resource]));
  const builtinIds = new Set(resources.keys());
  let generation = 1;

  const custom = (): Resource[] =>
    [...resources]
      .filter(([id]) => !builtinIds.has(id))
      .map(([, resource]) => resource)
      .toSorted((a, b) => compare(a.group, b.group) || compare(a.plural, b.plural));
  const search = (test: (resource: Resource) => boolean): Resource | undefined => resources.values().find(test);
  return {
    get generation() {
      return generation;
    },
    find: (group, plural) => resources.get(idOf(group, plural)),
    findKind: (group, kind) => search((resource) => resource.group === group && resource.kind === kind),
    byStoreName: (name) => search((resource) => resource.storeName === name),
    all: () => [...builtin, ...custom()],
    setCustom: (resource) => {
      resources.set(idOf(resource.group, resource.plural), resource);
      generation++;
    },
    removeCustom: (group, plural) => {
      if (resources.delete(idOf(group, plural))) generation++;
    },
  };
}

function idOf(group: string, plural: string): string {
  return `${plural}.${group}`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
