import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { encodeBech32 } from './bech32.ts';

/**
 * A plugin as small as can be: it "wraps" a file key by exclusive or with the byte in its recipient. The mode, from its own
 * environment, makes it ask, fail or misbehave. It notes its arguments, environment and conversation.
 */
const PLUGIN = `#!${process.execPath}
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
const note = (text) => appendFileSync(process.env.NOTES, text + '\\n');
note(JSON.stringify({ argv: process.argv.slice(2), env: Object.keys(process.env).filter((name) => !name.startsWith('__')).sort() }));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const read = async () => {
  const args = (await lines.next()).value.split(' ').slice(1);
  let body = '';
  for (;;) { const { value } = await lines.next(); body += value; if (value.length < 64) break; }
  return { args, body: Buffer.from(body, 'base64') };
};
const say = (args, body = Buffer.alloc(0)) => {
  const text = body.toString('base64').replaceAll('=', '');
  const parts = []; for (let i = 0; i <= text.length; i += 64) parts.push(text.slice(i, i + 64));
  process.stdout.write('-> ' + args.join(' ') + '\\n' + parts.join('\\n') + '\\n');
};
const ask = async (args, body) => { say(args, body); const reply = await read(); note(JSON.stringify([args[0], ...reply.args, reply.body.toString()])); return reply; };
const heard = [];
for (;;) { const command = await read(); heard.push(command); if (command.args[0] === 'done') break; }
note(heard.map(({ args }) => args[0]).join(' '));
const mode = process.env.MODE ?? '';
const flip = (bytes) => Buffer.from(bytes.map((byte) => byte ^ 42));
if (mode === 'silent') await new Promise(() => setInterval(() => {}, 1000));
if (mode === 'garbage') { process.stdout.write('hello\\n'); }
if (mode === 'ends') process.exit(0);
if (mode === 'ask') {
  await ask(['msg'], Buffer.from('touch me\\x1b[31m'));
  await ask(['request-secret'], Buffer.from('PIN?'));
  await ask(['confirm', Buffer.from('sure').toString('base64').replaceAll('=', ''), Buffer.from('never').toString('base64').replaceAll('=', '')], Buffer.from('really?'));
  await ask(['grease-xyz'], Buffer.from('nonsense'));
}
if (mode === 'error') await ask(['error', 'internal'], Buffer.from('the token was pulled out'));
if (process.argv[2] === '--age-plugin=recipient-v1') {
  const { body } = heard.find(({ args }) => args[0] === 'wrap-file-key');
  await ask(['recipient-stanza', '0', 'flip', 'x'], flip(body));
} else {
  const stanza = heard.find(({ args }) => args[0] === 'recipient-stanza' && args[2] === 'flip');
  if (stanza !== undefined && mode !== 'not-mine') await ask(['file-key', '0'], flip(stanza.body));
}
say(['done']);
`;

export const PLUGIN_RECIPIENT = encodeBech32('age1flip', new Uint8Array([1, 2, 3]));
export const PLUGIN_IDENTITY = encodeBech32('age-plugin-flip-', new Uint8Array([4, 5, 6])).toUpperCase();

/** Writes the program `age-plugin-flip` into a folder. */
export function installPlugin(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'age-plugin-flip'), PLUGIN);
  chmodSync(join(folder, 'age-plugin-flip'), 0o755);
}
