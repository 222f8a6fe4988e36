import { rewrapDataKey, type KeyGroups } from '../../secrets/sops/index.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams, writeBytes, writeTarget } from './files.ts';
import { readEncrypted } from './opening.ts';
import { keysOfFlags, thresholdOf } from './recipients.ts';
import { CONTEXT, IN_PLACE, KEY_FLAGS, PROFILE, THRESHOLD, value } from './usage.ts';

const FILE = value('file', 'the file to change', 'f');
/** Upstream reports the data key in one line here, with the general status. */
const STATUSES = { SOPS_NO_IDENTITY: status.generic, SOPS_KEY_FAILED: status.generic };

/** `sops groups add`: one more group; the data key is split again. */
export const groupsAddCommand: SopsCommand = {
  flags: [
    FILE,
    ...KEY_FLAGS.map(({ flag }) => ({ ...value(flag, 'a key of the new group'), repeat: true })),
    PROFILE,
    CONTEXT,
    IN_PLACE,
    THRESHOLD,
  ],
  statuses: STATUSES,
  run: (face) => {
    const added = keysOfFlags(face, '');
    return change(face, (groups) => [...groups, added]);
  },
};

/** `sops groups delete INDEX`: groups count from 0. */
export const groupsDeleteCommand: SopsCommand = {
  flags: [FILE, IN_PLACE, THRESHOLD],
  statuses: STATUSES,
  run: async (face) => {
    const { args } = face;
    const [text] = args.positional;
    if (text === undefined || args.positional.length !== 1)
      throw new ExitError(status.generic, 'error: exactly one positional argument (index) required');
    if (!/^\d{1,9}$/.test(text)) throw new ExitError(status.generic, `failed to parse [index] argument: ${text} is no position`);
    await change(face, (groups, threshold) => {
      const index = Number(text);
      if (index >= groups.length)
        throw new ExitError(status.generic, `there is no group ${index}: the file has ${groups.length}, counted from 0`);
      if (groups.length - 1 < threshold) {
        throw new ExitError(
          status.generic,
          'removing this key group will make the Shamir threshold impossible to satisfy: ' +
            `Shamir threshold is ${threshold}, but we only have ${groups.length - 1} key groups`,
        );
      }
      return groups.filter((_, position) => position !== index);
    });
  },
};

async function change(face: SopsFace, decide: (groups: KeyGroups, threshold: number) => KeyGroups): Promise<void> {
  const { args, world } = face;
  const file = args.text('file') ?? '';
  if (file === '') throw new ExitError(status.unreadable, 'Error reading file: open : no such file or directory');
  const streams = fileStreams(args, world, file, 'none');
  const threshold = thresholdOf(face) ?? 0;
  const { bytes, options } = await readEncrypted(face, streams, { order: false, missing: 'unreadable' });
  const rewrapped = await rewrapDataKey(bytes, {
    ...options,
    groups: (groups, current) => decide(groups, threshold || current),
    ...(threshold === 0 ? {} : { shamirThreshold: threshold }),
  });
  if (args.has('in-place')) await writeTarget(streams.path, rewrapped, world, false);
  else writeBytes(world.stdout, rewrapped);
}
