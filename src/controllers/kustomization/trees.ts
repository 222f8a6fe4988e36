import { boundedCache } from '../../base/cache/index.ts';
import type { Tree } from '../../base/files/index.ts';

/**
 * The unpacked artifacts of sources, one for each source: all Kustomizations of a source share one download and one
 * tree (BY-13), and a new revision takes the place of the old one.
 */
export interface TreeCache {
  /**
   * The tree of this digest, loaded if the one kept is another. Concurrent calls share one load; a failed load is
   * not kept.
   */
  load(source: string, digest: string, load: () => Promise<Tree>): Promise<Tree>;
}

interface Entry {
  readonly digest: string;
  readonly tree: Promise<Tree>;
}

/**
 * @param maxSources trees kept, the least recently used goes first
 * @param isStale test only, the planted bug `staleArtifact`: the digest is not looked at
 */
export function treeCache(maxSources: number, isStale = false): TreeCache {
  const entries = boundedCache<string, Entry>({ maxEntries: maxSources });
  return {
    load: (source, digest, load) => {
      const kept = entries.get(source);
      if (kept !== undefined && (isStale || kept.digest === digest)) return kept.tree;
      const entry: Entry = { digest, tree: load() };
      entries.set(source, entry);
      entry.tree.catch(() => {
        if (entries.get(source) === entry) entries.delete(source);
      });
      return entry.tree;
    },
  };
}
