import type { Request } from '../../kube/runtime/index.ts';

/** A Kustomization and what it depends on, by key. */
export interface Node {
  readonly key: string;
  readonly request: Request;
  readonly dependsOn: readonly string[];
}

/** Dependencies first, or the cycle that makes an order impossible. */
export type Ordering =
  | { readonly kind: 'ordered'; readonly requests: readonly Request[] }
  | { readonly kind: 'cycle'; readonly keys: readonly string[] };

/** Orders Kustomizations so that each follows its dependencies, as far as they are among the nodes. */
export function orderByDependencies(nodes: readonly Node[]): Ordering {
  const byKey = new Map(nodes.map((node): [string, Node] => [node.key, node]));
  const finished = new Set<string>();
  const path: string[] = [];
  const requests: Request[] = [];
  const visit = (node: Node): readonly string[] | undefined => {
    if (finished.has(node.key)) return undefined;
    if (path.includes(node.key)) return [...path.slice(path.indexOf(node.key)), node.key];
    path.push(node.key);
    for (const key of node.dependsOn) {
      const next = byKey.get(key);
      const cycle = next === undefined ? undefined : visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    finished.add(node.key);
    requests.push(node.request);
    return undefined;
  };
  for (const node of nodes) {
    const cycle = visit(node);
    if (cycle !== undefined) return { kind: 'cycle', keys: cycle };
  }
  return { kind: 'ordered', requests };
}
