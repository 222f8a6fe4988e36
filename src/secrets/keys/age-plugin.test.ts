import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { installPlugin, PLUGIN_IDENTITY as IDENTITY, PLUGIN_RECIPIENT as RECIPIENT } from './age-plugin.fixture.ts';
import { encodeStanza, readStanzas, type PluginStanza } from './age-stanzas.ts';
import { encodeBech32 } from './bech32.ts';
import { ageKey, generateAgeIdentity, parseAgeIdentities, type AgePlugins, type Credentials } from './index.ts';
import { bytesOf, context, DATA_KEY, DATA_KEY_NUMBERS, errorOf } from './keys.fixture.ts';

let folder: string;
let notes: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sotto-plugin-'));
  notes = join(folder, 'notes');
  installPlugin(folder);
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
