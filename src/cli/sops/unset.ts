import { SottoError } from '../../base/errors/index.ts';
import { openDocument, sealDocument, unsetValue, type PathStep, type SopsTree } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams, writeTarget } from './files.ts';
import { readEncrypted } from './opening.ts';
import { parseSteps } from './set.ts';
import { IGNORE_MAC, ORDER, THRESHOLD, toggle, TYPE_FLAGS } from './usage.ts';

/** `sops unset FILE PATH`: removes one value, in place, under the same data key. */
export const unsetCommand: SopsCommand = {
  flags: [
    ...TYPE_FLAGS,
    { ...THRESHOLD, help: 'accepted, without effect' },
    IGNORE_MAC,
    toggle('idempotent', 'leave the file untouched when nothing is at this path'),
    ORDER,
  ],
  run: async (face) => {
    const { args, world } = face;
    const [file, path] = args.positional;
    if (file === undefined || path === undefined || args.positional.length !== 2)
      throw new ExitError(status.noFile, 'Error: no file specified, or index is missing');
    const steps = parseSteps(path, 'Invalid unset index format');
    const streams = fileStreams(args, world, file);
    const { bytes, options } = await readEncrypted(face, streams, { ignoreMac: true, missing: 'unreadable' });
    const document = await openDocument(bytes, options);
    await face.audit('decrypt', file);
    const tree = removeValue(document.tree, steps, args.has('idempotent'));
    if (tree === undefined) return;
    const sealed = sealDocument(document, tree, options);
    await face.audit('encrypt', file);
    await writeTarget(streams.path, sealed, world, false);
  },
};

/** Undefined when there is nothing to remove and that is fine. */
function removeValue(tree: SopsTree, path: readonly PathStep[], isIdempotent: boolean): SopsTree | undefined {
  try {
    return unsetValue(tree, path);
  } catch (error) {
    if (isIdempotent && error instanceof SottoError && error.code === 'SOPS_KEY_NOT_FOUND') return undefined;
    throw error;
  }
}
