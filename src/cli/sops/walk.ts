import { stat } from 'node:fs/promises';
import { relative, resolve } from 'node:path';

import { codeOf } from '../../base/errors/index.ts';
import { diskTree, type Tree } from '../../base/files/index.ts';
import type { World } from '../../base/world/index.ts';
import { ExitError, status } from './failures.ts';

const IGNORED = new Set(['.git', 'node_modules']);

/**
 * The files below some paths, as they are named from the working directory. Links are not followed; a path that is a file
 * stands for itself.
 *
 * @throws ExitError 100 for a path that is not there
 */
export async function filesBelow(paths: readonly string[], world: World): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const absolute = resolve(world.cwd, path);
    const kind = await world
      .outside(() => stat(absolute))
      .catch((error: unknown) => {
        throw new ExitError(status.noFile, `Error: cannot operate on "${path}": ${codeOf(error)}`);
      });
    if (!kind.isDirectory()) found.push(path);
    else for (const file of filesOf(diskTree(absolute), '')) found.push(relative(world.cwd, resolve(absolute, file)));
  }
  return [...new Set(found)];
}

function* filesOf(tree: Tree, directory: string): Generator<string> {
  for (const name of tree.list(directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    if (IGNORED.has(name) || tree.resolve(path) !== path) continue;
    if (tree.kind(path) === 'directory') yield* filesOf(tree, path);
    else if (tree.kind(path) === 'file') yield path;
  }
}
