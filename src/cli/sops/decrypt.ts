import { decrypt, decryptToTree, extract, parsePath, type SealOptions } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';
import { streamsOf, writeResult } from './files.ts';
import { readEncrypted } from './opening.ts';
import { EXTRACT, FILE_FLAGS, IGNORE_MAC, ORDER } from './usage.ts';

/** `sops decrypt`. Nothing is written before everything is verified. */
export const decryptCommand: SopsCommand = {
  flags: [...FILE_FLAGS, EXTRACT, IGNORE_MAC, ORDER],
  run: async (face) => {
    const { args, world } = face;
    const streams = streamsOf(args, world);
    const path = args.text('extract');
    const steps = path === undefined ? undefined : parsePath(path);
    const { bytes, options } = await readEncrypted(face, streams, { ignoreMac: true });
    const result =
      steps === undefined
        ? (await decrypt(bytes, options)).bytes
        : extract((await decryptToTree(bytes, options)).tree, steps, streams.output, contextOf(options));
    await face.audit('decrypt', streams.name);
    await writeResult(result, args, streams, world, true);
  },
};

function contextOf({ file = '', indent, warn = () => undefined }: SealOptions): Parameters<typeof extract>[3] {
  return { file, warn, ...(indent === undefined ? {} : { indent }) };
}
