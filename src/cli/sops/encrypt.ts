import { encrypt, matchCreationRule } from '../../secrets/sops/index.ts';
import { indentFor, loadConfig } from './config.ts';
import { ambientCredentials } from './credentials.ts';
import type { SopsCommand } from './face.ts';
import { conflict, readInput, streamsOf, writeResult } from './files.ts';
import { newFileOptions } from './recipients.ts';
import { FILE_FLAGS, KEY_FLAG_LIST, SELECTION_FLAG_LIST, THRESHOLD } from './usage.ts';

/** `sops encrypt`: reads all, decides all, writes once. */
export const encryptCommand: SopsCommand = {
  flags: [...FILE_FLAGS, ...KEY_FLAG_LIST, ...SELECTION_FLAG_LIST, THRESHOLD],
  run: async (face) => {
    const { args, world, entropy, warn } = face;
    const streams = streamsOf(args, world);
    if (streams.path === undefined && args.text('filename-override') === undefined)
      throw conflict('must specify --filename-override when reading from stdin');
    const bytes = await readInput(streams.path, world);
    const config = await loadConfig(args, world, warn);
    const rule = config === undefined ? undefined : matchCreationRule(config, streams.name, world.cwd);
    const indent = indentFor(streams.output, args, config);
    const credentials = await ambientCredentials(world, undefined);
    const encrypted = await encrypt(bytes, {
      world,
      entropy,
      warn,
      format: streams.input,
      outputFormat: streams.output,
      credentials,
      keyServices: face.keyServices(credentials),
      ...newFileOptions(face, rule),
      file: streams.name,
      ...(indent === undefined ? {} : { indent }),
    });
    await face.audit('encrypt', streams.name);
    await writeResult(encrypted, args, streams, world, false);
  },
};
