import { isExpired } from '../objects/index.ts';
import type { Cluster, KubeList, ListOptions } from './types.ts';

/** What client-go asks for at a time. */
const PAGE_SIZE = 500;

/**
 * A whole collection, read page by page. When the server forgets the version of the pages half way, it is read again
 * in one piece.
 */
export async function listAll(
  cluster: Cluster,
  kind: { readonly apiVersion: string; readonly kind: string },
  options: Omit<ListOptions, 'limit' | 'continue'> = {},
): Promise<KubeList> {
  const items = [];
  let page: KubeList = { resourceVersion: '', items: [] };
  do {
    try {
      page = await cluster.list(kind, {
        ...options,
        limit: PAGE_SIZE,
        ...(page.continue === undefined ? {} : { continue: page.continue }),
      });
    } catch (error) {
      if (page.continue === undefined || !isExpired(error)) throw error;
      return cluster.list(kind, options);
    }
    items.push(...page.items);
  } while (page.continue !== undefined);
  return { resourceVersion: page.resourceVersion, items };
}
