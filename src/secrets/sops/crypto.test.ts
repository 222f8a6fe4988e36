import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { systemEntropy } from '../../base/world/index.ts';
import { cipherKey, decryptValue, encryptValue, plainBytes, type Plain } from './cipher.ts';
import { startMac } from './mac.ts';
import { formatFloatEnv, formatFloatJson, formatFloatPlain, parseGoFloat } from './numbers.ts';
import { compileSelection } from './selection.ts';
import { combineShares, splitSecret } from './shamir.ts';
import { yamlStore } from './stores/yaml.ts';
import { normalTime, timeInSeconds } from './times.ts';
import { formatToken, isToken, parseToken } from './token.ts';
import { decryptTree, encryptTree } from './transform.ts';
import { str } from './tree.ts';

const keyBytes = Uint8Array.from({ length: 32 }, (_, index) => index);
const key = cipherKey(keyBytes);
const EXAMPLE = `# top
a: x
n: 5
f: 1.50
t: true
e: ""
z: null
m:
  # in m
  k_unencrypted: y
  l:
    - p
    - - q
`;

describe('values', () => {
  const plain: fc.Arbitrary<Plain> = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes): Plain => ({ kind: 'str', bytes })),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Plain => ({ kind: 'int', value })),
    fc.double().map((value): Plain => ({ kind: 'float', value: Object.is(value, -0) ? 0 : value })),
    fc.boolean().map((value): Plain => ({ kind: 'bool', value })),
    fc.string({ minLength: 1, unit: 'grapheme' }).map((text): Plain => ({ kind: 'comment', text })),
  );

  it('SOPS-01, SOPS-02: decrypt(encrypt(x)) = x for every type', () => {
    fc.assert(
      fc.property(plain, fc.string(), (value, aad) => {
        expect(decryptValue(encryptValue(value, key, aad, systemEntropy), key, aad, 'v')).toEqual(value);
      }),
    );
  });

  it('SOPS-01: any flipped bit of data, IV or tag is detected', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.constantFrom('data', 'iv', 'tag'),
        fc.nat(),
        fc.nat(7),
        (bytes, part, position, bit) => {
          const token = parseToken(encryptValue({ kind: 'str', bytes }, key, 'a:', systemEntropy), 'v');
          const changed = Uint8Array.from(token[part as 'data']);
          const at = position % changed.length;
          changed[at] = (changed[at] ?? 0) ^ (1 << bit);
          expect(() => decryptValue(formatToken({ ...token, [part]: changed }), key, 'a:', 'v')).toThrow('message authentication failed');
        },
      ),
    );
  });

  it('SOPS-01: writes a 32-byte IV and a 16-byte tag, reads other IV lengths', () => {
    const token = parseToken(encryptValue(str('x'), key, 'a:', systemEntropy), 'v');
    expect([token.iv.length, token.tag.length]).toEqual([32, 16]);
    const short = { bytes: (length: number) => systemEntropy.bytes(length === 32 ? 12 : length) };
    expect(decryptValue(encryptValue(str('x'), key, 'a:', short), key, 'a:', 'v')).toEqual(str('x'));
  });

  it('SOPS-03: the same token under another key path does not open', () => {
    const token = encryptValue(str('x'), key, 'a:', systemEntropy);
    expect(() => decryptValue(token, key, 'b:', 'b')).toThrow('b: Could not decrypt value: Could not decrypt with AES_GCM');
  });

  const readable: [name: string, text: string, expected: boolean][] = [
    ['text after the last bracket is tolerated', 'ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str] x', true],
    ['CR inside is no line end', 'ENC[AES256_GCM,data:YQ=\r=,iv:YQ==,tag:YQ==,type:str]', true],
    ['LF ends a token', 'ENC[AES256_GCM,data:YQ=\n=,iv:YQ==,tag:YQ==,type:str]', false],
    ['a prefix is not tolerated', ' ENC[AES256_GCM,data:YQ==,iv:YQ==,tag:YQ==,type:str]', false],
    ['an empty part is none', 'ENC[AES256_GCM,data:,iv:YQ==,tag:YQ==,type:str]', false],
  ];
  it.each(readable)('c2: %s', (_name, text, expected) => {
    expect(isToken(text)).toBe(expected);
  });

  it.each(['data', 'iv', 'tag'])('d2: bad base64 in %s is named, and nothing is quoted', (part) => {
    const parts = { data: 'YQ==', iv: 'YQ==', tag: 'YQ==', [part]: 'SECRET!' };
    const text = `ENC[AES256_GCM,data:${parts.data},iv:${parts.iv},tag:${parts.tag},type:str]`;
    expect(() => parseToken(text, 'v')).toThrow(new RegExp(`^v: the ${part} of the encrypted value is not base64$`));
  });

  it('SOPS-73: a value that is no token is not quoted in the error', () => {
    expect(() => decryptValue('hunter2', key, 'a:', 'a')).toThrow(
      expect.objectContaining({ code: 'SOPS_VALUE_MALFORMED', message: expect.not.stringContaining('hunter2') as string }),
    );
  });

  it('SOPS-02: an unknown type and a plaintext that does not fit its type are errors', () => {
    const retype = (value: Plain, type: string): string =>
      formatToken({ ...parseToken(encryptValue(value, key, 'a:', systemEntropy), 'v'), type });
    expect(() => decryptValue(retype(str('x'), 'blob'), key, 'a:', 'a')).toThrow('Unknown datatype: blob');
    expect(() => decryptValue(retype(str('x'), 'int'), key, 'a:', 'a')).toThrow('a: the decrypted value is no int');
    expect(decryptValue(retype(str('1e3'), 'float'), key, 'a:', 'a')).toEqual({ kind: 'float', value: 1000 });
    expect(decryptValue(retype(str('t'), 'bool'), key, 'a:', 'a')).toEqual({ kind: 'bool', value: true });
    expect(decryptValue(retype(str('x'), 'bytes'), key, 'a:', 'a')).toEqual(str('x'));
  });

  it('SOPS-02: the empty string has no token', () => {
    expect(encryptValue(str(''), key, 'a:', systemEntropy)).toBe('');
    expect(decryptValue('', key, 'a:', 'a')).toEqual(str(''));
  });
});

describe('the worked example of c3', () => {
  const tree = yamlStore.parsePlain(new TextEncoder().encode(EXAMPLE), { warn: () => undefined });
  const encryptWith = (onlyEncrypted: boolean) =>
    encryptTree(tree, {
      dataKey: key,
      selector: compileSelection({}, () => undefined),
      mac: { onlyEncrypted },
      warn: () => undefined,
      entropy: systemEntropy,
    });

  it('SOPS-04: gives the MAC of all values', () => {
    expect(encryptWith(false).mac).toBe(
      'B1E293F48ABB77727E5021C8C3C0635E7A1FFD35BC1C093FA7DD07AF9BABB38C83A352DBB0A522101D473FD587784356D41F96949C618DD0F21F91D16F471565',
    );
  });

  it('SOPS-05: gives the MAC of encrypted values only', () => {
    expect(encryptWith(true).mac).toBe(
      '1B730172A4CF7F6A5FDDD3099741DB281CDA2EB1BD9AB79154E149E06CABB119DB15B79A277DDA8B15988151FB7A0A5FD8CE2CDB6EC17F29CE22BB8D7D45BCC5',
    );
  });

  it('SOPS-03: binds every value to its path', () => {
    const paths: [path: string, aad: string, value: Plain][] = [];
    const encrypted = encryptWith(false).tree;
    const text = Buffer.from(yamlStore.emitPlain(encrypted, { warn: () => undefined })).toString();
    const tokens = [...text.matchAll(/ENC\[[^\]]*\]/g)].map(([token]) => token);
    const aads = [':', 'a:', 'n:', 'f:', 't:', 'm:', 'm:l:', 'm:l:'];
    for (const [index, aad] of aads.entries()) paths.push([tokens[index] ?? '', aad, decryptValue(tokens[index] ?? '', key, aad, aad)]);
    expect(paths.map(([, , value]) => Buffer.from(plainBytes(value)).toString())).toEqual([
      ' top',
      'x',
      '5',
      '1.5',
      'True',
      ' in m',
      'p',
      'q',
    ]);
    expect(text).toContain('e: ""\nz: null\n');
    expect(text).toContain('k_unencrypted: "y"');
  });

  it('SOPS-04: decryption hashes the typed values again', () => {
    const options = { dataKey: key, selector: compileSelection({}, () => undefined), mac: { onlyEncrypted: false }, warn: () => undefined };
    expect(decryptTree(encryptWith(false).tree, options).mac).toBe(encryptWith(false).mac);
  });
});

describe('numbers and times', () => {
  const floats: [value: number, plain: string, json: string | undefined, env: string][] = [
    [1.5, '1.5', '1.5', '1.5'],
    [1, '1', '1', '1.0'],
    [0, '0', '0', '0.0'],
    [-0, '-0', '-0', '-0.0'],
    [1e21, '1000000000000000000000', '1e+21', '1E+21'],
    [1e20, '100000000000000000000', '100000000000000000000', '1E+20'],
    [1e6, '1000000', '1000000', '1E+06'],
    [1234567.5, '1234567.5', '1234567.5', '1.2345675E+06'],
    [1e-5, '0.00001', '0.00001', '1E-05'],
    [1e-7, '0.0000001', '1e-7', '1E-07'],
    [123456, '123456', '123456', '123456.0'],
    [NaN, 'NaN', undefined, 'NAN'],
    [-Infinity, '-Inf', undefined, '-INF'],
  ];
  it.each(floats)('c2, c18: %d prints as Go prints it', (value, plain, json, env) => {
    expect(formatFloatPlain(value)).toBe(plain);
    expect(formatFloatJson(value)).toBe(json);
    if (Number.isFinite(value)) expect(formatFloatEnv(value)).toBe(env);
  });

  it('every double reads back from its plain text', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(parseGoFloat(formatFloatPlain(value))).toBe(value);
      }),
    );
  });

  const times: [text: string, normal: string | undefined, seconds: string | undefined][] = [
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.120000000+00:00', '2024-01-02T03:04:05.12Z', '2024-01-02T03:04:05Z'],
    ['2024-01-02T03:04:05.9+02:00', '2024-01-02T03:04:05.9+02:00', '2024-01-02T03:04:05+02:00'],
    ['2024-02-30T03:04:05Z', undefined, undefined],
    ['2024-01-02', undefined, undefined],
    ['yesterday', undefined, undefined],
  ];
  it.each(times)('c4: the time %s', (text, normal, seconds) => {
    expect([normalTime(text), timeInSeconds(text)]).toEqual([normal, seconds]);
  });
});

describe('Shamir', () => {
  it('SOPS-14: gives the shares of the specification', () => {
    const shares = splitSecret(Uint8Array.of(0x53), 2, 2, { bytes: () => Uint8Array.of(0xca) });
    expect(shares.map((share) => Buffer.from(share).toString('hex'))).toEqual(['9901', 'dc02']);
  });

  it('SOPS-14: any threshold of the shares gives the secret back', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 2, max: 8 }),
        fc.nat(6),
        fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
        (secret, threshold, extra, order) => {
          const shares = splitSecret(secret, threshold + extra, threshold, systemEntropy);
          const shuffled = shares.map((share) => ({ share, rank: order.next().value })).toSorted((a, b) => Number(a.rank) - Number(b.rank));
          expect(combineShares(shuffled.slice(0, threshold).map(({ share }) => share))).toEqual(secret);
          expect(combineShares(shares)).toEqual(secret);
        },
      ),
    );
  });

  it.each([
    ['a threshold below two', () => splitSecret(keyBytes, 3, 1, systemEntropy)],
    ['a threshold above the number of groups', () => splitSecret(keyBytes, 2, 3, systemEntropy)],
    ['too many groups', () => splitSecret(keyBytes, 256, 2, systemEntropy)],
    ['one part', () => combineShares([Uint8Array.of(1, 1)])],
    ['parts of different length', () => combineShares([Uint8Array.of(1, 1), Uint8Array.of(1, 1, 2)])],
    ['the same part twice', () => combineShares([Uint8Array.of(1, 1), Uint8Array.of(2, 1)])],
  ])('c9: refuses %s', (_name, work) => {
    expect(work).toThrow(expect.objectContaining({ code: 'SOPS_SHAMIR' }));
  });
});

describe('selection rules', () => {
  const at = (...path: string[]) => ({ path, comments: [], isComment: false });
  const rules: [name: string, rule: Parameters<typeof compileSelection>[0], path: string[], expected: boolean][] = [
    ['the default suffix leaves a key and what is inside it', {}, ['a_unencrypted', 'b'], false],
    ['the default encrypts the rest', {}, ['a', 'b'], true],
    ['encrypted_suffix', { encryptedSuffix: '_secret' }, ['x', 'y_secret'], true],
    ['encrypted_suffix of nothing', { encryptedSuffix: '_secret' }, ['x', 'y'], false],
    ['encrypted_regex matches each key alone', { encryptedRegex: '^data$' }, ['data', 'x'], true],
    ['encrypted_regex does not match the joined path', { encryptedRegex: 'data:x' }, ['data', 'x'], false],
    ['RE2 flags work', { encryptedRegex: '(?i)^DATA$' }, ['data'], true],
    ['unencrypted_regex', { unencryptedRegex: '^meta' }, ['metadata', 'name'], false],
    ['an empty path is never matched', { encryptedRegex: '.*' }, [], false],
  ];
  it.each(rules)('SOPS-13: %s', (_name, rule, path, expected) => {
    const selector = compileSelection(rule, (error) => {
      throw error;
    });
    expect(selector.selects(at(...path))).toBe(expected);
  });

  it('SOPS-13: two rules are an error that names the six', () => {
    expect(() => compileSelection({ encryptedRegex: 'a', encryptedSuffix: 'b' }, () => undefined)).toThrow(
      'encrypted_regex, encrypted_suffix',
    );
  });

  it('the MAC of plain JSON integers can be that of rounded doubles', () => {
    const rounded = startMac({ onlyEncrypted: false, integersAsFloats: true });
    rounded.add({ kind: 'int', value: 9007199254740993n });
    const float = startMac({ onlyEncrypted: false });
    float.add({ kind: 'float', value: 9007199254740992 });
    expect(rounded.digest()).toBe(float.digest());
  });
});
