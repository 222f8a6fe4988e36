import { access } from 'node:fs/promises';

import { SottoError } from '../../base/errors/index.ts';
import {
  exampleTree,
  matchCreationRule,
  newDocument,
  openDocument,
  type SealOptions,
  type SopsDocument,
} from '../../secrets/sops/index.ts';
import { indentFor, loadConfig, loadConfigRule } from './config.ts';
import { ambientCredentials } from './credentials.ts';
import { editDocument } from './edit-session.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { fileStreams, type Streams } from './files.ts';
import { readEncrypted } from './opening.ts';
import { newFileOptions } from './recipients.ts';
import { FILENAME, IGNORE_MAC, KEY_FLAG_LIST, ORDER, SELECTION_FLAG_LIST, SHOW_KEYS, THRESHOLD, TYPE_FLAGS } from './usage.ts';

type FileStreams = Streams & { readonly path: string };

/** `sops edit FILE`: the plain text in an editor; a file that does not exist begins with examples. */
export const editCommand: SopsCommand = {
  flags: [...KEY_FLAG_LIST, ...TYPE_FLAGS, ...SELECTION_FLAG_LIST, THRESHOLD, SHOW_KEYS, IGNORE_MAC, ORDER],
  run: (face) => edit(face, undefined),
};

/** `sops FILE`: the same; the creation rule is read and must be valid, `--filename-override` counts. */
export const legacyEditCommand: SopsCommand = {
  flags: [...editCommand.flags, FILENAME],
  run: async (face) => {
    await loadConfigRule(face);
    await edit(face, face.args.text('filename-override'));
  },
};

async function edit(face: SopsFace, override: string | undefined): Promise<void> {
  const { args, world } = face;
  const [file] = args.positional;
  if (file === undefined) throw new ExitError(status.noFile, 'Error: no file specified');
  const named = fileStreams(args, world, override ?? file);
  const streams: FileStreams = { ...named, path: fileStreams(args, world, file, 'none').path };
  const { document, options } = (await isThere(streams.path, face)) ? await openExisting(face, streams) : await startNew(face, streams);
  await editDocument(document, { ...options, path: streams.path, showKeys: args.has('show-master-keys'), audit: face.audit });
}

interface Opened {
  readonly document: SopsDocument;
  readonly options: SealOptions;
}

async function openExisting(face: SopsFace, streams: FileStreams): Promise<Opened> {
  const { bytes, options } = await readEncrypted(face, streams, { ignoreMac: true, missing: 'unreadable' });
  const document = await openDocument(bytes, options);
  await face.audit('decrypt', streams.path);
  return { document, options };
}

async function startNew(face: SopsFace, streams: FileStreams): Promise<Opened> {
  const { args, world, entropy, warn } = face;
  const config = await loadConfig(args, world, warn);
  const rule = config === undefined ? undefined : matchCreationRule(config, streams.name, world.cwd);
  const indent = indentFor(streams.output, args, config);
  const credentials = await ambientCredentials(world, undefined);
  const options = {
    world,
    entropy,
    warn,
    format: streams.input,
    outputFormat: streams.output,
    file: streams.name,
    ...(indent === undefined ? {} : { indent }),
  };
  const chosen = newFileOptions(face, rule);
  const tree = exampleTree(streams.input);
  try {
    const document = await newDocument(tree, { ...options, ...chosen, credentials, keyServices: face.keyServices(credentials) });
    return { document, options };
  } catch (error) {
    throw wrapFailure(error);
  }
}

const OTHER_CODES = new Set(['SOPS_SELECTION_INVALID', 'SOPS_SHAMIR', 'SOPS_NO_KEYS']);

/** Upstream has a status of its own for keys that cannot wrap; a recipient that is none fails earlier there. */
function wrapFailure(error: unknown): unknown {
  if (!(error instanceof SottoError) || OTHER_CODES.has(error.code) || error.code.endsWith('_INVALID')) return error;
  return new ExitError(status.noDataKey, `Error encrypting the data key with one or more master keys: ${error.message}`);
}

function isThere(path: string, { world }: SopsFace): Promise<boolean> {
  return world.outside(() =>
    access(path).then(
      () => true,
      () => false,
    ),
  );
}
