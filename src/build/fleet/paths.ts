import { joinPath, type Tree } from '../../base/files/index.ts';

/** Names of a kustomization file, in the order in which they are looked for. */
const KUSTOMIZATION_FILES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** The kustomization files of a directory, as paths. */
export function kustomizationFiles(tree: Tree, directory: string): string[] {
  return KUSTOMIZATION_FILES.map((name) => join(directory, name)).filter((path) => tree.kind(path) === 'file');
}

/** A path below a directory; names come from the tree itself, so it cannot leave the root. */
export function join(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** What a kustomization file names, as a path of the tree; undefined for URLs and for paths outside the root. */
export function localPath(tree: Tree, directory: string, reference: string): string | undefined {
  if (reference.includes('://') || reference.startsWith('/')) return undefined;
  const path = joinPath(directory, reference);
  return path === undefined ? undefined : tree.resolve(path);
}
