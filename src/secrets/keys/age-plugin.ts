import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import type { Identity, Recipient, Stanza } from 'age-encryption';

import { aborted, codeOf, SottoError } from '../../base/errors/index.ts';
import { decodeUnpadded } from './age-ssh.ts';
import { encodeStanza, readStanzas, type PluginStanza } from './age-stanzas.ts';
import { pluginName } from './age-text.ts';
import type { AgePlugins } from './credentials.ts';

const MAX_SAID = 300;

type Phase = 'recipient-v1' | 'identity-v1';

/** How a plugin is reached. */
export interface PluginOptions {
  /** Undefined: plugins may not run. */
  readonly plugins: AgePlugins | undefined;
  readonly makeStanza: (args: string[], body: Uint8Array) => Stanza;
  readonly signal?: AbortSignal;
}

/**
 * The program behind a recipient `age1<name>1…`: the name.
 *
 * @throws SottoError AGE_RECIPIENT_INVALID
 */
export function pluginOfRecipient(recipient: string): string {
  const name = pluginName(recipient, 'age1', '');
  if (name === undefined) throw new SottoError('AGE_RECIPIENT_INVALID', 'the age plugin recipient is malformed');
  return name;
}

/**
 * The program behind an identity `AGE-PLUGIN-<NAME>-1…`: the name.
 *
 * @throws SottoError AGE_IDENTITY_INVALID; never quotes the identity
 */
function pluginOfIdentity(identity: string): string {
  const name = pluginName(identity, 'age-plugin-', '-');
  if (name === undefined) throw new SottoError('AGE_IDENTITY_INVALID', 'the age plugin identity is malformed');
  return name;
}

/** A recipient whose stanzas a plugin makes. @throws (wrapFileKey) SottoError AGE_PLUGIN_UNAVAILABLE, AGE_PLUGIN_FAILED */
export function pluginRecipient(recipient: string, options: PluginOptions): Recipient {
  const name = pluginOfRecipient(recipient);
  return {
    wrapFileKey: async (fileKey) => {
      const stanzas: Stanza[] = [];
      const said = [
        encodeStanza(['add-recipient', recipient]),
        encodeStanza(['wrap-file-key'], fileKey),
        encodeStanza(['extension-labels']),
        encodeStanza(['done']),
      ];
      await converse(name, 'recipient-v1', said, options, (command) => {
        const [what, index, ...args] = command.args;
        if (what === 'labels') return 'ok';
        if (what !== 'recipient-stanza') return undefined;
        if (index !== '0' || args.length === 0) throw failed(name, 'it wraps for a file that does not exist');
        stanzas.push(options.makeStanza(args, command.body));
        return 'ok';
      });
      if (stanzas.length === 0) throw failed(name, 'it made no stanza');
      return stanzas;
    },
  };
}

/** An identity that a plugin holds. @throws (unwrapFileKey) SottoError AGE_PLUGIN_UNAVAILABLE, AGE_PLUGIN_FAILED */
export function pluginIdentity(identity: string, options: PluginOptions): Identity {
  const name = pluginOfIdentity(identity);
  return {
    unwrapFileKey: async (stanzas) => {
      let fileKey: Uint8Array | null = null;
      const said = [
        encodeStanza(['add-identity', identity]),
        ...stanzas.map(({ args, body }) => encodeStanza(['recipient-stanza', '0', ...args], body)),
        encodeStanza(['done']),
      ];
      await converse(name, 'identity-v1', said, options, (command) => {
        if (command.args[0] !== 'file-key') return undefined;
        if (command.args[1] !== '0' || fileKey !== null) throw failed(name, 'it answers twice, or for another file');
        fileKey = command.body;
        return 'ok';
      });
      return fileKey;
    },
  };
}

/** What a phase does with a command of the plugin; undefined: not one of this phase. */
type Answer = (command: PluginStanza) => 'ok' | undefined;

async function converse(name: string, phase: Phase, said: readonly string[], options: PluginOptions, answer: Answer): Promise<void> {
  const { plugins, signal } = options;
  if (plugins === undefined) throw unavailable(name, 'plugins may not run here');
  const program = await findProgram(name, plugins);
  if (isStopped(signal)) throw aborted();
  const child = spawn(program, [`--age-plugin=${phase}`], { stdio: ['pipe', 'pipe', 'ignore'], env: { ...plugins.env }, cwd: '/' });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop, { once: true });
  const started = new Promise<never>((_resolve, reject) => child.once('error', (error) => reject(unavailable(name, codeOf(error)))));
  // a plugin that ends early breaks the pipe; what it said, or did not say, tells why
  child.stdin.on('error', () => undefined);
  try {
    await Promise.race([started, talk(child, name, said, plugins, answer)]);
  } catch (error) {
    if (isStopped(signal)) throw aborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    child.stdin.end();
    child.kill('SIGTERM');
  }
}

function isStopped(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

async function talk(
  child: ChildProcessByStdio<Writable, Readable, null>,
  name: string,
  said: readonly string[],
  plugins: AgePlugins,
  answer: Answer,
): Promise<void> {
  child.stdin.write(said.join(''));
  for await (const command of readStanzas(child.stdout as AsyncIterable<Uint8Array>)) {
    const [what = ''] = command.args;
    if (what === 'done') return;
    const reply = answer(command) ?? (await fromUser(command, plugins)) ?? 'unsupported';
    if (what === 'error') throw failed(name, textOf(command.body) || 'it does not say why');
    child.stdin.write(typeof reply === 'string' ? encodeStanza([reply]) : encodeStanza(reply.args, reply.body));
  }
  throw failed(name, 'it ended before it was done');
}

/** Commands that talk to the user; undefined for those we do not know. */
async function fromUser({ args, body }: PluginStanza, plugins: AgePlugins): Promise<'ok' | 'fail' | PluginStanza | undefined> {
  const [what, yes, no] = args;
  const text = textOf(body);
  switch (what) {
    case 'msg':
      plugins.message?.(text);
      return plugins.message === undefined ? 'fail' : 'ok';
    case 'request-public':
    case 'request-secret': {
      const value = await plugins.request?.(text, what === 'request-secret');
      return value === undefined ? 'fail' : { args: ['ok'], body: Buffer.from(value.reveal(), 'utf8') };
    }
    case 'confirm': {
      const choice = await plugins.confirm?.(text, choiceText(yes) ?? 'yes', choiceText(no));
      return choice === undefined ? 'fail' : { args: ['ok', choice ? 'yes' : 'no'], body: new Uint8Array() };
    }
    default:
      return undefined;
  }
}

function choiceText(encoded: string | undefined): string | undefined {
  return encoded === undefined ? undefined : textOf(decodeUnpadded(encoded) ?? new Uint8Array());
}

/** Text of a plugin, without anything that could steer a terminal. */
function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('utf8')
    .replaceAll(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, MAX_SAID);
}

async function findProgram(name: string, { path }: AgePlugins): Promise<string> {
  for (const folder of path.filter(isAbsolute)) {
    const program = join(folder, `age-plugin-${name}`);
    const isThere = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return program;
  }
  throw unavailable(name, 'its program was not found');
}

function unavailable(name: string, why: string): SottoError {
  return new SottoError('AGE_PLUGIN_UNAVAILABLE', `the age plugin ${name} cannot be used: ${why}`, {
    hint: `install age-plugin-${name} in a folder of PATH`,
  });
}

function failed(name: string, why: string): SottoError {
  return new SottoError('AGE_PLUGIN_FAILED', `the age plugin ${name} failed: ${why}`);
}
