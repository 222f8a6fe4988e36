import { createCipheriv } from 'node:crypto';

import { beforeAll, describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity, type Credentials, type MasterKey, type MasterKeyType } from '../keys/index.ts';
import { decryptValue, encryptValue, cipherKey } from './cipher.ts';
import {
  decrypt,
  encrypt,
  exampleTree,
  formatPlain,
  isEncryptedFile,
  keyWithFields,
  newDocument,
  openDocument,
  parseJsonValue,
  parsePath,
  parsePlain,
  readMetadata,
  rewrapDataKey,
  rotateDataKey,
  sealDocument,
  setValue,
  unsetValue,
  type KeyService,
  type SopsFormat,
} from './index.ts';
import { ivStash } from './iv-stash.ts';
import { formatToken } from './token.ts';
import { str } from './tree.ts';

const context = { world: systemWorld(), entropy: systemEntropy };
let keys: MasterKey[];
let credentials: Credentials;
let second: Credentials;

beforeAll(async () => {
  const identities = [generateAgeIdentity(systemEntropy), generateAgeIdentity(systemEntropy), generateAgeIdentity(systemEntropy)];
  keys = await Promise.all(identities.map(async (identity) => ageKey(await ageRecipientOf(identity, context.world))));
  const [a, b] = identities.map((identity) => ({ age: { identities: [{ source: 'test', identity }] } }));
  credentials = a ?? {};
  second = b ?? {};
});

const key = (index: number): MasterKey => keys[index] ?? ageKey('none');
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const plainOf = async (bytes: Uint8Array, format: SopsFormat, by = credentials): Promise<string> =>
  text((await decrypt(bytes, { ...context, format, credentials: by })).bytes);
const tokensOf = (bytes: Uint8Array): string[] => text(bytes).match(/ENC\[AES256_GCM,[^\]]*\]/g) ?? [];

function seal(plain: string, format: SopsFormat, groups: readonly (readonly MasterKey[])[] = [[key(0)]]): Promise<Uint8Array> {
  return encrypt(utf8(plain), { ...context, format, groups });
}

/** The tokens of the values: all but the MAC, which changes with the time. */
const valuesOf = (bytes: Uint8Array): string[] => tokensOf(bytes).slice(0, -1);

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SottoError) return error.code;
    throw error;
  }
  throw new Error('it did not fail');
}

describe('values that did not change keep their ciphertext', () => {
  const documents: [format: SopsFormat, plain: string, path: string][] = [
    ['yaml', '# c\na: x\nn: 5\nf: 1.5\nb: true\nt: 2024-01-01T00:00:00Z\nl:\n    # in\n    - y\n    - z\n', '["a"]'],
    ['json', '{"a": "x", "n": 5, "l": [true, {"d": 1.25}]}', '["a"]'],
    ['dotenv', '# c\na=x\nb=y\n', '["a"]'],
    ['ini', '[s]\na = x\nb = y\n', '["s"]["a"]'],
  ];
  it.each(documents)('SOPS-15: %s: a set changes one token and the MAC', async (format, plain, path) => {
    const sealed = await seal(plain, format);
    const document = await openDocument(sealed, { ...context, format, credentials });
    const { tree } = setValue(document.tree, parsePath(path), parseJsonValue('"changed"'));
    const resealed = sealDocument(document, tree, { ...context, format });
    const [before, after] = [valuesOf(sealed), valuesOf(resealed)];
    expect(after).toHaveLength(before.length);
    expect(after.filter((token, index) => token !== before[index])).toHaveLength(1);
    expect(await plainOf(resealed, format)).toContain('changed');
    expect(readMetadata(resealed, format).groups).toEqual(readMetadata(sealed, format).groups);
  });

  it('SOPS-15: equal items of one list share an IV from then on, as upstream has it', async () => {
    const sealed = await seal('l:\n    - y\n    - y\n', 'yaml');
    const document = await openDocument(sealed, { ...context, format: 'yaml', credentials });
    const [a, b] = valuesOf(sealDocument(document, document.tree, { ...context, format: 'yaml' }));
    expect(valuesOf(sealed)[0]).not.toBe(valuesOf(sealed)[1]);
    expect(a).toBe(valuesOf(sealed)[1]);
    expect(b).toBe(a);
  });

  it('SOPS-15: after a rotation the IVs are the same and nothing else is', async () => {
    const sealed = await seal('a: x\nl:\n    - 1\n', 'yaml');
    const rotated = await rotateDataKey(sealed, { ...context, format: 'yaml', credentials, groups: (groups) => groups });
    const ivs = (bytes: Uint8Array): string[] => valuesOf(bytes).map((token) => /iv:([^,]*)/.exec(token)?.[1] ?? '');
    expect(ivs(rotated)).toEqual(ivs(sealed));
    expect(valuesOf(rotated).some((token) => valuesOf(sealed).includes(token))).toBe(false);
  });

  it('SOPS-15: an IV is never used again for another plaintext of the same value, or when it has another length', () => {
    const dataKey = cipherKey(systemEntropy.bytes(32));
    const token = (plain: string, type: string, ivLength: number): string => {
      const iv = systemEntropy.bytes(ivLength);
      const cipher = createCipheriv('aes-256-gcm', dataKey, iv);
      cipher.setAAD(utf8('a:'));
      const data = Buffer.concat([cipher.update(plain), cipher.final()]);
      return formatToken({ data, iv, tag: cipher.getAuthTag(), type });
    };
    const again = (sealed: string): string => {
      const ivs = ivStash();
      const plain = decryptValue(sealed, dataKey, 'a:', 'a', ivs);
      return encryptValue(plain, dataKey, 'a:', systemEntropy, ivs);
    };
    const kept = token('1.5', 'float', 32);
    expect(again(kept)).toBe(kept);
    for (const [plain, type, length] of [
      ['1.50', 'float', 32],
      ['true', 'bool', 32],
      ['+5', 'int', 32],
      ['x', 'str', 12],
    ] as const) {
      const sealed = token(plain, type, length);
      expect(/iv:([^,]*)/.exec(again(sealed))?.[1]).not.toBe(/iv:([^,]*)/.exec(sealed)?.[1]);
    }
  });

  it('SOPS-15: the same value at another place, or of another type, gets another IV', () => {
    const ivs = ivStash();
    ivs.remember(utf8('1'), 'str', 'a:', systemEntropy.bytes(32));
    expect(ivs.recall(utf8('1'), 'str', 'a:')).toHaveLength(32);
    expect(ivs.recall(utf8('1'), 'int', 'a:')).toBeUndefined();
    expect(ivs.recall(utf8('1'), 'str', 'b:')).toBeUndefined();
    expect(ivs.recall(utf8(':1'), 'str', 'a')).toBeUndefined();
  });
});

describe('other recipients', () => {
  it('SOPS-55: rewrapping keeps data key, values, MAC and time, and lets the new recipient in', async () => {
    const sealed = await seal('a: x\n', 'yaml');
    const rewrapped = await rewrapDataKey(sealed, { ...context, format: 'yaml', credentials, groups: () => [[key(1)]] });
    expect(tokensOf(rewrapped)).toEqual(tokensOf(sealed));
    expect(readMetadata(rewrapped, 'yaml').lastModified).toBe(readMetadata(sealed, 'yaml').lastModified);
    expect(await plainOf(rewrapped, 'yaml', second)).toBe('a: x\n');
    expect(await codeOf(plainOf(rewrapped, 'yaml'))).toBe('SOPS_NO_IDENTITY');
  });

  it('SOPS-54: a rotation changes the data key: what the old recipients know opens nothing', async () => {
    const sealed = await seal('a: x\n', 'yaml', [[key(0), key(1)]]);
    const before = await openDocument(sealed, { ...context, format: 'yaml', credentials });
    const rotated = await rotateDataKey(sealed, { ...context, format: 'yaml', credentials, groups: () => [[key(0)]] });
    const [token = ''] = tokensOf(rotated);
    expect(() => decryptValue(token, before.dataKey, 'a:', 'a')).toThrow('Could not decrypt value');
    expect(await plainOf(rotated, 'yaml')).toBe('a: x\n');
    expect(await codeOf(plainOf(rotated, 'yaml', second))).toBe('SOPS_NO_IDENTITY');
  });

  it('SOPS-54: removing the last key of a group fails', async () => {
    const sealed = await seal('a: x\n', 'yaml');
    expect(await codeOf(rotateDataKey(sealed, { ...context, format: 'yaml', credentials, groups: () => [[]] }))).toBe('SOPS_NO_KEYS');
  });

  it('SOPS-56: a second group splits the same data key', async () => {
    const sealed = await seal('a: x\n', 'yaml');
    const shared = await rewrapDataKey(sealed, { ...context, format: 'yaml', credentials, groups: (groups) => [...groups, [key(1)]] });
    expect(readMetadata(shared, 'yaml')).toMatchObject({ shamirThreshold: 2, groups: [{ length: 1 }, { length: 1 }] });
    const both = { age: { identities: [...(credentials.age?.identities ?? []), ...(second.age?.identities ?? [])] } };
    expect(await plainOf(shared, 'yaml', both)).toBe('a: x\n');
    expect(await codeOf(plainOf(shared, 'yaml'))).toBe('SOPS_NO_IDENTITY');
    expect(tokensOf(shared)).toEqual(tokensOf(sealed));
  });
});

describe('the order of attempts', () => {
  const orders: [order: MasterKeyType[] | undefined, tried: string[]][] = [
    [undefined, ['age', 'kms', 'hckms']],
    [['hckms'], ['hckms', 'kms', 'age']],
    [
      ['kms', 'age'],
      ['kms', 'age', 'hckms'],
    ],
  ];
  it.each(orders)('SOPS-29: with %j the keys are tried as %j', async (decryptionOrder, expected) => {
    const tried: string[] = [];
    const service: KeyService = {
      name: 'test',
      wrap: () => Promise.resolve('wrapped'),
      unwrap: ({ type }) => {
        tried.push(type);
        return Promise.resolve({ kind: 'not-mine', reason: 'no' });
      },
    };
    const others = [keyWithFields('hckms', { key_id: 'k' }), keyWithFields('kms', { arn: 'arn:aws:kms:x:1:key/k' })];
    const sealed = await encrypt(utf8('a: x\n'), { ...context, format: 'yaml', groups: [[key(0), ...others]], keyServices: [service] });
    const order = decryptionOrder === undefined ? {} : { decryptionOrder };
    const opening = decrypt(sealed, { ...context, format: 'yaml', credentials: {}, keyServices: [service], ...order });
    expect(await codeOf(opening)).toBe('SOPS_NO_IDENTITY');
    expect(tried).toEqual(expected);
  });
});

describe('files of SOPS before 3.3.0', () => {
  const kms = (): MasterKey => keyWithFields('kms', { arn: 'arn:aws:kms:x:1:key/k', context: { a: 'one', b: 'two' } });
  /** Opens only what was wrapped with the last value for all names, as the old bug did. */
  const service: KeyService = {
    name: 'test',
    wrap: (_key, dataKey) => Promise.resolve(Buffer.from(dataKey.reveal()).toString('hex')),
    unwrap: ({ fields }, wrapped) =>
      Promise.resolve(
        JSON.stringify(fields?.['context']) === '{"a":"two","b":"two"}'
          ? { kind: 'opened', dataKey: new Sensitive(new Uint8Array(Buffer.from(wrapped, 'hex'))) }
          : { kind: 'not-mine', reason: 'wrong context' },
      ),
  };
  it.each([
    ['3.2.0', 'a: x\n'],
    ['3.3.0', 'SOPS_NO_IDENTITY'],
  ])('SOPS-24: version %s: the mixed-up encryption context is tried', async (version, expected) => {
    const sealed = text(await encrypt(utf8('a: x\n'), { ...context, format: 'yaml', groups: [[kms()]], keyServices: [service] }));
    const old = utf8(sealed.replace(/version: .*/, `version: ${version}`));
    const opening = decrypt(old, { ...context, format: 'yaml', credentials: {}, keyServices: [service] });
    const result = expected.startsWith('SOPS') ? await codeOf(opening) : text((await opening).bytes);
    expect(result).toBe(expected);
  });
});

describe('set and unset', () => {
  const plain = 'a: x\nm:\n    k: v\nl:\n    # c\n    - 1\n    - two\ns: z\n';
  const tree = parsePlain(utf8(plain), 'yaml');
  const shown = (changed: typeof tree): string => text(formatPlain(changed, 'yaml'));

  const sets: [name: string, path: string, value: string, line: string][] = [
    ['replaces a scalar', '["a"]', '"b"', 'a: b\n'],
    ['keeps an integer an integer', '["a"]', '5', 'a: 5\n'],
    ['keeps a large integer exact', '["a"]', '9007199254740993', 'a: 9007199254740993\n'],
    ['takes a list', '["a"]', '[1, "b"]', 'a:\n    - 1\n    - b\n'],
    ['makes missing maps', '["p"]["q"]', 'true', 'p:\n    q: true\n'],
    ['makes a list of one', '["p"][7]', 'null', 'p:\n    - null\n'],
    ['appends behind the end', '["l"][9]', '3', '- two\n    - 3\n'],
    ['counts no comments', '["l"][0]', '7', '# c\n    - 7\n    - two\n'],
    ['replaces a scalar in the way', '["s"]["t"]', '1', 's:\n    t: 1\n'],
    ['goes into maps', "['m']['k']", '{"z": {}}', 'm:\n    k:\n        z: {}\n'],
  ];
  it.each(sets)('SOPS-53: set %s', (_name, path, value, line) => {
    const result = setValue(tree, parsePath(path), parseJsonValue(value));
    expect(shown(result.tree)).toContain(line);
    expect(result.changed).toBe(true);
  });

  it.each([
    ['["a"]', '"x"'],
    ['["m"]', '{"k": "v"}'],
    ['["l"][0]', '1'],
  ])('SOPS-53: set of what %s has already is no change', (path, value) => {
    expect(setValue(tree, parsePath(path), parseJsonValue(value)).changed).toBe(false);
  });

  it.each([
    ['a key in a list', '["l"]["k"]'],
    ['a position in a map', '["m"][0]'],
    ['a position at the top', '[0]'],
  ])('SOPS-53: set refuses %s', (_name, path) => {
    expect(() => setValue(tree, parsePath(path), str('v'))).toThrow(expect.objectContaining({ code: 'SOPS_PATH_UNSUPPORTED' }));
  });

  it('SOPS-53: unset removes an entry or an element, of the first document only', () => {
    expect(shown(unsetValue(tree, ['m', 'k']))).toContain('m: {}\n');
    expect(shown(unsetValue(tree, ['l', 0]))).toContain('l:\n    # c\n    - two\n');
    expect(shown(unsetValue(parsePlain(utf8('a: 1\nb: 2\n---\na: 1\n'), 'yaml'), ['a']))).toBe('b: 2\n---\na: 1\n');
  });

  it.each([
    [['zz'], 'SOPS_KEY_NOT_FOUND', 'Key not found: zz'],
    [['l', 7], 'SOPS_KEY_NOT_FOUND', 'Index 7 out of bounds'],
    [['a', 'x'], 'SOPS_PATH_UNSUPPORTED', "Unsupported type: string for item 'x'"],
    [['l', 'x'], 'SOPS_PATH_UNSUPPORTED', 'Unsupported type: list'],
  ])('SOPS-53: unset of %j is %s', (path, code, message) => {
    expect(() => unsetValue(tree, path)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) as string }));
  });

  it('keys such as __proto__ are keys', () => {
    const { tree: changed } = setValue(tree, parsePath('["__proto__"]["x"]'), str('v'));
    expect(shown(changed)).toContain('__proto__:\n    x: v\n');
    expect(shown(unsetValue(changed, ['__proto__']))).toBe(plain);
  });

  const paths: [text: string, steps: (string | number)[]][] = [
    ['["a"][\'b\'][0]', ['a', 'b', 0]],
    ['["a\\b"]', ['a\\b']],
    ['["a"b"]', ['a"b']],
    ['["a]b"]', ['a]b']],
    ['["a[b"][1]', ['a[b', 1]],
    ['["a[\\"b"]', ['a["b']],
    ['[""]', ['']],
  ];
  it.each(paths)('SOPS-53: the path %s', (path, steps) => {
    expect(parsePath(path)).toEqual(steps);
  });
});

describe('new files', () => {
  it.each(['yaml', 'json', 'dotenv', 'ini', 'binary'] as const)(
    'SOPS-52: the example of a %s file reads back and encrypts',
    async (format) => {
      const tree = exampleTree(format);
      const shown = formatPlain(tree, format);
      expect(text(formatPlain(parsePlain(shown, format), format))).toBe(text(shown));
      const document = await newDocument(tree, { ...context, format, groups: [[key(0)]] });
      expect(await plainOf(sealDocument(document, tree, { ...context, format }), format)).toBe(text(shown));
    },
  );
});

describe('file status', () => {
  it('SOPS-58: encrypted means metadata with version and MAC', async () => {
    const sealed = text(await seal('a: x\n', 'yaml'));
    expect(isEncryptedFile(utf8(sealed), 'yaml')).toBe(true);
    expect(isEncryptedFile(utf8('a: x\n'), 'yaml')).toBe(false);
    expect(isEncryptedFile(utf8(sealed.replace(/^ +version: .*$/m, '')), 'yaml')).toBe(false);
    expect(isEncryptedFile(utf8(sealed.replace(/^ +mac: .*$/m, '')), 'yaml')).toBe(false);
    expect(() => isEncryptedFile(utf8('sops: {}\n'), 'yaml')).toThrow('No keys found in file');
  });
});
