import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';

import type { Tree } from '../../base/files/index.ts';

/**
 * The whole file system as a tree: a kustomization on the command line may name any directory, and only the load
 * restriction says where its files may lie. Paths are relative to `/`.
 */
export function hostTree(): Tree {
  const real = (path: string): string | undefined => {
    try {
      return realpathSync(`/${path}`);
    } catch {
      return undefined; // nothing there, or a loop of links
    }
  };
  const kind = (path: string): 'file' | 'directory' | undefined => {
    const found = statSync(`/${path}`, { throwIfNoEntry: false });
    return found?.isFile() === true ? 'file' : found?.isDirectory() === true ? 'directory' : undefined;
  };
  const safeKind = (path: string): 'file' | 'directory' | undefined => {
    try {
      return kind(path);
    } catch {
      return undefined; // a loop of links, a file where a directory should be, a directory that may not be entered
    }
  };
  return {
    kind: safeKind,
    read: (path) => (safeKind(path) === 'file' ? readFileSync(`/${path}`) : undefined),
    list: (path) => (safeKind(path) === 'directory' ? readdirSync(`/${path}`).toSorted() : []),
    isExecutable: (path) => ((statSync(`/${path}`, { throwIfNoEntry: false })?.mode ?? 0) & 0o111) !== 0,
    resolve: (path) => real(path)?.slice(1),
  };
}
