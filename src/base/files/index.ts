/**
 * Files: private atomic writes, and {@link Tree}, a read-only directory that builds and archives work on,
 * in memory or on disk.
 *
 * @module
 */
export { makePrivateDirectory, privateTemporaryDirectory, sweepTemporaryDirectories, writePrivateFile, writeFileAtomic } from './atomic.ts';
export { diskTree, joinPath, memoryTree, overlayTree, type Tree, type TreeFile } from './tree.ts';
