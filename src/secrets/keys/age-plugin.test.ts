import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { encodeStanza, readStanzas, type PluginStanza } from './age-stanzas.ts';
import { encodeBech32 } from './bech32.ts';
import { ageKey, generateAgeIdentity, parseAgeIdentities, type AgePlugins, type Credentials } from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf } from './keys.fixture.ts';

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

const RECIPIENT = encodeBech32('age1flip', new Uint8Array([1, 2, 3]));
const IDENTITY = encodeBech32('age-plugin-flip-', new Uint8Array([4, 5, 6])).toUpperCase();
let folder: string;
let notes: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-plugin-'));
  notes = join(folder, 'notes');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'age-plugin-flip'), PLUGIN);
  chmodSync(join(folder, 'age-plugin-flip'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

const plugins = (mode = '', more: Partial<AgePlugins> = {}): AgePlugins => ({
  path: ['relative', folder],
  env: { NOTES: notes, MODE: mode },
  ...more,
});
const credentials = (use?: AgePlugins): Credentials => ({
  age: { identities: parseAgeIdentities(`# a plugin\n${IDENTITY}\n`, 'keys.txt'), ...(use === undefined ? {} : { plugins: use }) },
});
const noted = (): string[] => {
  const text = readFileSync(notes, 'utf8');
  writeFileSync(notes, '');
  return text.trim().split('\n');
};

describe('age plugins', () => {
  it('SOPS-21, AGE-08: wraps for a plugin recipient and unwraps with a plugin identity', async () => {
    const wrapped = await ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins()), context);
    expect(Buffer.from(wrapped.split('\n').slice(1, -2).join(''), 'base64').toString('latin1')).toContain('-> flip x\n');
    expect(noted()).toEqual([
      '{"argv":["--age-plugin=recipient-v1"],"env":["MODE","NOTES"]}',
      'add-recipient wrap-file-key extension-labels done',
      '["recipient-stanza","ok",""]',
    ]);
    expect(bytesOf(await ageKey(RECIPIENT).unwrap(wrapped, credentials(plugins()), context))).toEqual(DATA_KEY_NUMBERS);
    expect(noted()).toEqual([
      '{"argv":["--age-plugin=identity-v1"],"env":["MODE","NOTES"]}',
      'add-identity recipient-stanza done',
      '["file-key","ok",""]',
    ]);
  });

  it('AGE-08: answers messages, questions and confirmations, and does not know grease', async () => {
    const seen: string[] = [];
    const user = {
      message: (text: string) => void seen.push(text),
      request: (text: string, isSecret: boolean) => Promise.resolve(new Sensitive(`${text}${isSecret}`)),
      confirm: (text: string, yes: string, no?: string) => Promise.resolve(seen.push(text, yes, no ?? '') > 99),
    };
    await ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins('ask', user)), context);
    expect(seen).toEqual(['touch me [31m', 'really?', 'sure', 'never']);
    expect(noted().slice(2, -1)).toEqual([
      '["msg","ok",""]',
      '["request-secret","ok","PIN?true"]',
      '["confirm","ok","no",""]',
      '["grease-xyz","unsupported",""]',
    ]);
    await ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins('ask')), context);
    expect(noted().slice(2, -2)).toEqual(['["msg","fail",""]', '["request-secret","fail",""]', '["confirm","fail",""]']);
  });

  it('AGE-08: a plugin that has no file key for us is "not mine"', async () => {
    const wrapped = await ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins()), context);
    expect((await ageKey(RECIPIENT).unwrap(wrapped, credentials(plugins('not-mine')), context)).kind).toBe('not-mine');
  });

  it.each([
    ['error', 'AGE_PLUGIN_FAILED', 'the token was pulled out'],
    ['garbage', 'AGE_PLUGIN_FAILED', 'does not speak the plugin protocol'],
    ['ends', 'AGE_PLUGIN_FAILED', 'ended before it was done'],
  ])('AGE-08: a plugin that fails: %s', async (mode, code, message) => {
    const error = await errorOf(() => ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins(mode)), context));
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  it('SOPS-21: no plugin runs unless credentials let it, and a missing one is named', async () => {
    const forbidden = await errorOf(() => ageKey(RECIPIENT).wrap(DATA_KEY, credentials(), context));
    expect(forbidden).toMatchObject({
      code: 'AGE_PLUGIN_UNAVAILABLE',
      message: 'the age plugin flip cannot be used: plugins may not run here',
    });
    const wrapped = await ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins()), context);
    const missing = await errorOf(() => ageKey(RECIPIENT).unwrap(wrapped, credentials({ path: ['/nowhere'] }), context));
    expect(missing).toMatchObject({ code: 'AGE_PLUGIN_UNAVAILABLE', hint: 'install age-plugin-flip in a folder of PATH' });
  });

  it('runs no plugin when another identity fits', async () => {
    const identity = generateAgeIdentity(context.entropy);
    const { ageRecipientOf } = await import('./index.ts');
    const recipient = await ageRecipientOf(identity, context.world);
    const wrapped = await ageKey(recipient).wrap(DATA_KEY, {}, context);
    const both: Credentials = { age: { identities: [...(credentials().age?.identities ?? []), { source: 'k', identity }] } };
    expect(bytesOf(await ageKey(recipient).unwrap(wrapped, both, context))).toEqual(DATA_KEY_NUMBERS);
  });

  it('ends a plugin whose user stops waiting', async () => {
    const stop = new AbortController();
    const work = ageKey(RECIPIENT).wrap(DATA_KEY, credentials(plugins('silent')), { ...context, signal: stop.signal });
    setTimeout(() => stop.abort(), 300);
    expect((await errorOf(() => work)).code).toBe('ABORTED');
  });

  it.each(['age1flip1qqqq', 'age1a/../b1qqqqqqqqq'])('refuses the recipient %s', async (recipient) => {
    expect((await errorOf(() => ageKey(recipient).wrap(DATA_KEY, credentials(plugins()), context))).code).toBe('AGE_RECIPIENT_INVALID');
  });

  it('takes only names that are names', async () => {
    const recipient = encodeBech32('age1a/b', new Uint8Array(3));
    expect((await errorOf(() => ageKey(recipient).wrap(DATA_KEY, credentials(plugins()), context))).code).toBe('AGE_RECIPIENT_INVALID');
  });
});

describe('stanzas of the plugin protocol', () => {
  it('AGE-08: reads what it wrote, however it arrives', async () => {
    const stanza = fc.record({
      args: fc.array(fc.stringMatching(/^[!-~]{1,20}$/), { minLength: 1, maxLength: 4 }),
      body: fc.uint8Array({ maxLength: 200 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(stanza, { maxLength: 4 }), fc.integer({ min: 1, max: 100 }), async (stanzas, size) => {
        const bytes = Buffer.from(stanzas.map(({ args, body }) => encodeStanza(args, body)).join(''));
        const chunks = (async function* () {
          for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
        })();
        const read: PluginStanza[] = [];
        for await (const found of readStanzas(chunks)) read.push({ args: found.args, body: new Uint8Array(found.body) });
        expect(read).toEqual(stanzas);
      }),
      { numRuns: 50 },
    );
  });
});
