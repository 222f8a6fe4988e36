import { decryptToTree } from '../../secrets/sops/index.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams } from './files.ts';
import { readEncrypted } from './opening.ts';
import { ORDER, TYPE_FLAGS } from './usage.ts';

/** `sops verify FILE…`, Sotto's own: opens the files and checks every tag and the MAC; no value is shown. */
export const verifyCommand: SopsCommand = {
  flags: [ORDER, ...TYPE_FLAGS.filter(({ name }) => name === 'input-type')],
  run: async (face) => {
    if (face.args.positional.length === 0) throw new ExitError(status.noFile, 'Error: no file specified');
    for (const file of face.args.positional) await verify(file, face);
  },
};

async function verify(file: string, face: SopsFace): Promise<void> {
  const { bytes, options } = await readEncrypted(face, fileStreams(face.args, face.world, file, 'input'));
  await face.audit('decrypt', file);
  const { openedBy, lastModified } = await decryptToTree(bytes, { ...options, ignoreMac: false });
  face.world.stdout.write(`${file}: MAC verified, last modified ${lastModified}, opened by ${openedBy}\n`);
}
