import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { decrypted, encrypted, fileOf, RECIPIENT, root, SECOND_KEY_FILE, SECOND_RECIPIENT, sops } from './testing.ts';

afterAll(() => rmSync(root, { recursive: true, force: true }));

const PLAIN = 'a: x\nb: w\nl:\n    - 1\n    - two\nm:\n    k: v\n';
let sealed: string;
let files: Record<string, string>;
beforeAll(async () => {
  sealed = await encrypted(PLAIN);
  files = { 'x.yaml': sealed, 'plain.yaml': PLAIN };
});

const second = { SOPS_AGE_KEY_FILE: SECOND_KEY_FILE };
const lineOf = (text: string, key: string): string => text.split('\n').find((line) => line.trimStart().startsWith(`${key}:`)) ?? '';

describe('sops set and unset', () => {
  it('SOPS-53, SOPS-15: set writes in place and leaves the other values as they were', async () => {
    const result = await sops(['set', 'x.yaml', '["a"]', '"changed"'], { files });
    expect(result).toMatchObject({ code: 0, out: '', err: '' });
    const text = fileOf(result, 'x.yaml');
    expect(await decrypted(text)).toBe(PLAIN.replace('a: x', 'a: changed'));
    expect(lineOf(text, 'b')).toBe(lineOf(sealed, 'b'));
    expect(lineOf(text, 'a')).not.toBe(lineOf(sealed, 'a'));
    expect(lineOf(text, 'enc')).toBe(lineOf(sealed, 'enc'));
  });

  const values: [name: string, argv: string[], stdin: string, value: string][] = [
    ['an argument', ['set', 'x.yaml', '["a"]', '{"z": [1]}'], '', 'z:\n        - 1'],
    ['a negative number', ['set', 'x.yaml', '["a"]', '-5'], '', '-5'],
    ['--value-stdin', ['set', '--value-stdin', 'x.yaml', '["a"]'], '"from stdin"', 'from stdin'],
    ['--value-file', ['set', '--value-file', 'x.yaml', '["a"]', 'value.json'], '', 'from file'],
    ['--set', ['--set', '["a"] "legacy"', 'x.yaml'], '', 'legacy'],
    ['--set=', ['--set=["a"] "legacy"', 'x.yaml'], '', 'legacy'],
  ];
  it.each(values)('SOPS-53: the value comes from %s', async (_name, argv, stdin, value) => {
    const result = await sops(argv, { files: { ...files, 'value.json': '"from file"' }, stdin });
    expect(result.err).toBe('');
    expect(await decrypted(fileOf(result, 'x.yaml'))).toContain(value);
  });

  it('SOPS-53: --idempotent writes only what changes', async () => {
    const same = await sops(['set', '--idempotent', 'x.yaml', '["m"]["k"]', '"v"'], { files });
    expect(same.code).toBe(0);
    expect(fileOf(same, 'x.yaml')).toBe(sealed);
    const gone = await sops(['unset', '--idempotent', 'x.yaml', '["zz"]'], { files });
    expect(gone.code).toBe(0);
    expect(fileOf(gone, 'x.yaml')).toBe(sealed);
    const written = await sops(['set', 'x.yaml', '["m"]["k"]', '"v"'], { files });
    expect(fileOf(written, 'x.yaml')).not.toBe(sealed);
  });

  it('SOPS-53: unset removes', async () => {
    const result = await sops(['unset', 'x.yaml', '["m"]["k"]'], { files });
    expect(await decrypted(fileOf(result, 'x.yaml'))).toBe(PLAIN.replace('m:\n    k: v', 'm: {}'));
  });

  const failures: [name: string, argv: string[], code: number, message: string][] = [
    ['an index that does not parse', ['set', 'x.yaml', 'a', '1'], 7, 'Invalid set index format'],
    ['a negative position', ['set', 'x.yaml', '["l"][-1]', '1'], 7, 'Invalid set index format'],
    ['a value that is no JSON', ['set', 'x.yaml', '["a"]', 'hunter2'], 7, 'Value for --set is not valid JSON'],
    ['--set without a space', ['--set', '["a"]"hunter2"', 'x.yaml'], 7, 'Invalid --set format'],
    ['--set in plain text', ['--set', '["a"] hunter2', 'x.yaml'], 7, 'Value for --set is not valid JSON'],
    ['too few arguments', ['set', 'x.yaml', '["a"]'], 100, 'Need precisely 3 positional arguments.'],
    ['too many with --value-stdin', ['set', '--value-stdin', 'x.yaml', '["a"]', '1'], 100, 'Need precisely 2 positional arguments.'],
    ['both sources', ['set', '--value-stdin', '--value-file', 'x.yaml', '["a"]', 'f'], 1, 'cannot use both'],
    ['a key in a list', ['set', 'x.yaml', '["l"]["k"]', '1'], 1, 'Unsupported type: list'],
    ['the reserved key', ['set', 'x.yaml', '["sops"]', '1'], 203, "Found key 'sops'"],
    ['a file that does not exist', ['set', 'none.yaml', '["a"]', '1'], 2, 'no such file or directory'],
    ['a plain file', ['set', 'plain.yaml', '["a"]', '1'], 1, 'sops metadata not found'],
    ['unset of nothing', ['unset', 'x.yaml', '["zz"]'], 1, 'Key not found: zz'],
    ['unset of a position of nothing', ['unset', 'x.yaml', '["l"][7]'], 1, 'Index 7 out of bounds'],
    ['unset below a scalar, also with --idempotent', ['unset', '--idempotent', 'x.yaml', '["a"]["b"]'], 1, 'Unsupported type: string'],
    ['unset without a path', ['unset', 'x.yaml'], 100, 'index is missing'],
    ['unset with a bad path', ['unset', 'x.yaml', 'a'], 7, 'Invalid unset index format'],
    ['unset of a missing file', ['unset', 'none.yaml', '["a"]'], 2, 'no such file or directory'],
  ];
  it.each(failures)('SOPS-53, SOPS-60: %s', async (_name, argv, code, message) => {
    const result = await sops(argv, { files });
    expect(result.err).toContain(message);
    expect(result.err).not.toContain('hunter2');
    expect(result.code).toBe(code);
    expect(fileOf(result, 'x.yaml')).toBe(sealed);
  });
});

describe('a file whose rule does not compile', () => {
  it('SOPS-13: decrypts with a warning, and is never written again with everything in plain', async () => {
    const odd = (await sops(['encrypt', '--age', RECIPIENT, '--encrypted-regex', 'NOTHING', 'p.yaml'], { files: { 'p.yaml': 'a: 1\n' } }))
      .out;
    const files = { 'x.yaml': odd.replace('NOTHING', '(?=a)') };
    const read = await sops(['decrypt', 'x.yaml'], { files });
    expect(read).toMatchObject({ code: 0, out: 'a: 1\n', err: expect.stringContaining('does not compile') as string });
    for (const argv of [
      ['set', 'x.yaml', '["a"]', '2'],
      ['unset', 'x.yaml', '["a"]'],
      ['rotate', '-i', 'x.yaml'],
    ]) {
      const result = await sops(argv, { files });
      expect(result).toMatchObject({ code: 1, err: expect.stringContaining('does not compile') as string });
      expect(fileOf(result, 'x.yaml')).toBe(files['x.yaml']);
    }
  });
});

describe('sops rotate', () => {
  it('SOPS-54: prints, or writes in place, under a new data key', async () => {
    const printed = await sops(['rotate', 'x.yaml'], { files });
    expect(printed.code).toBe(0);
    expect(fileOf(printed, 'x.yaml')).toBe(sealed);
    expect(await decrypted(printed.out)).toBe(PLAIN);
    expect(lineOf(printed.out, 'a')).not.toBe(lineOf(sealed, 'a'));
    for (const argv of [
      ['rotate', '-i', 'x.yaml'],
      ['-r', '-i', 'x.yaml'],
      ['--rotate', '--in-place', 'x.yaml'],
    ]) {
      const result = await sops(argv, { files });
      expect(result).toMatchObject({ code: 0, out: '' });
      expect(await decrypted(fileOf(result, 'x.yaml'))).toBe(PLAIN);
      expect(fileOf(result, 'x.yaml')).not.toContain(lineOf(sealed, 'a'));
    }
  });

  it('SOPS-54: adds and removes recipients', async () => {
    const added = await sops(['rotate', '--add-age', SECOND_RECIPIENT, 'x.yaml'], { files });
    expect(await decrypted(added.out, 'x.yaml', second)).toBe(PLAIN);
    expect(await decrypted(added.out)).toBe(PLAIN);
    const removed = await sops(['rotate', '--rm-age', RECIPIENT, 'x.yaml'], { files: { 'x.yaml': added.out } });
    expect(await decrypted(removed.out, 'x.yaml', second)).toBe(PLAIN);
    expect(await decrypted(removed.out)).toContain('Failed to get the data key');
  });

  const failures: [name: string, argv: string[], code: number, message: string][] = [
    ['the last key of a group', ['rotate', '-i', '--rm-age', RECIPIENT, 'x.yaml'], 1, 'empty key group provided'],
    ['no file', ['rotate'], 100, 'no file specified'],
    ['a missing file', ['rotate', 'none.yaml'], 2, 'no such file or directory'],
    ['a missing file, older form', ['-r', 'none.yaml'], 100, 'cannot operate on non-existent file'],
    ['keys of a missing file', ['rotate', '--add-age', RECIPIENT, 'none.yaml'], 49, 'cannot add or remove keys on non-existent file'],
    ['a key that cannot wrap', ['rotate', '-i', '--add-hckms', 'r:k', 'x.yaml'], 1, 'Huawei'],
    ['a bad encryption context', ['rotate', '-i', '--encryption-context', 'x', '--add-kms', 'arn', 'x.yaml'], 6, 'encryption context'],
    ['--in-place with --output', ['rotate', '-i', '--output', 'y', 'x.yaml'], 8, 'cannot operate on both'],
  ];
  it.each(failures)('SOPS-54, SOPS-60: %s', async (_name, argv, code, message) => {
    const result = await sops(argv, { files });
    expect(result.err).toContain(message);
    expect(result.code).toBe(code);
    expect(fileOf(result, 'x.yaml')).toBe(sealed);
  });

  it('SOPS-54: the older form needs a valid creation rule, the subcommand does not', async () => {
    const config = { ...files, '.sops.yaml': 'creation_rules:\n  - path_regex: nothing\n    age: x\n' };
    expect(await sops(['-r', 'x.yaml'], { files: config })).toMatchObject({ code: 1, out: '' });
    expect((await sops(['rotate', 'x.yaml'], { files: config })).code).toBe(0);
    const warned = await sops(['-e', '-r', 'x.yaml'], { files });
    expect(warned.err).toContain('only --rotate counts');
    expect(await decrypted(warned.out)).toBe(PLAIN);
  });
});

describe('sops updatekeys', () => {
  const rule = `creation_rules:\n  - age: ${RECIPIENT},${SECOND_RECIPIENT}\n`;
  const diff = `The following changes will be made to the file's groups:\nGroup 1\n    ${RECIPIENT}\n+++ ${SECOND_RECIPIENT}\n`;

  it('SOPS-55: shows the difference, asks, and wraps the same data key; values and MAC stay', async () => {
    const result = await sops(['updatekeys', 'x.yaml'], { files: { ...files, '.sops.yaml': rule }, stdin: 'maybe\ny\n' });
    expect(result).toMatchObject({ code: 0, out: `${diff}Is this okay? (y/n):Is this okay? (y/n):` });
    expect(result.err).toContain('synced with new keys');
    const text = fileOf(result, 'x.yaml');
    expect(await decrypted(text, 'x.yaml', second)).toBe(PLAIN);
    for (const key of ['a', 'mac', 'lastmodified']) expect(lineOf(text, key)).toBe(lineOf(sealed, key));
    const again = await sops(['updatekeys', 'x.yaml'], { cwd: result.cwd });
    expect(again).toMatchObject({ code: 0, out: '', err: expect.stringContaining('already up to date') as string });
    expect(fileOf(again, 'x.yaml')).toBe(text);
  });

  const answers: [name: string, stdin: string, code: number, message: string][] = [
    ['no', 'n\n', 0, 'left unchanged'],
    ['nothing', '', 1, 'EOF'],
    ['an empty line', '\n', 1, 'unexpected newline'],
  ];
  it.each(answers)('SOPS-55: the answer is %s', async (_name, stdin, code, message) => {
    const result = await sops(['updatekeys', 'x.yaml'], { files: { ...files, '.sops.yaml': rule }, stdin });
    expect(result).toMatchObject({ code, out: `${diff}Is this okay? (y/n):`, err: expect.stringContaining(message) as string });
    expect(fileOf(result, 'x.yaml')).toBe(sealed);
  });

  it('SOPS-55: -y asks nothing; groups and threshold follow the rule', async () => {
    const groups = `creation_rules:\n  - key_groups:\n      - age: [${RECIPIENT}]\n      - age: [${SECOND_RECIPIENT}]\n`;
    const shared = await sops(['updatekeys', '-y', 'x.yaml'], { files: { ...files, '.sops.yaml': groups } });
    expect(shared.out).toBe(
      `The following changes will be made to the file's groups:\nGroup 1\n    ${RECIPIENT}\nGroup 2\n+++ ${SECOND_RECIPIENT}\n`,
    );
    expect(fileOf(shared, 'x.yaml')).toContain('shamir_threshold: 2');
    expect(await decrypted(fileOf(shared, 'x.yaml'))).toContain('Group 1: FAILED');
    const stuck = await sops(['updatekeys', '-y', 'x.yaml'], { cwd: shared.cwd, files: { '.sops.yaml': rule } });
    expect(stuck).toMatchObject({ code: 128, out: expect.stringContaining('--- shamir_threshold: 2\n') as string });
  });

  it('SOPS-55: several files: the others are done, the status says that one failed', async () => {
    const result = await sops(['updatekeys', '-y', 'none.yaml', 'x.yaml'], { files: { ...files, '.sops.yaml': rule } });
    expect(result.code).toBe(1);
    expect(result.err).toContain('no such file or directory');
    expect(result.err).toContain('failed updating 1 key(s)');
    expect(await decrypted(fileOf(result, 'x.yaml'), 'x.yaml', second)).toBe(PLAIN);
  });

  it.each([
    ['no configuration', {}, ['updatekeys', 'x.yaml'], 1, 'config file not found'],
    ['no file', { '.sops.yaml': rule }, ['updatekeys'], 100, 'no file specified'],
    ['a missing file', { '.sops.yaml': rule }, ['updatekeys', 'none.yaml'], 1, 'no such file or directory'],
    ['a directory', { '.sops.yaml': rule }, ['updatekeys', '.'], 1, "can't operate on a directory"],
    ['a plain file', { '.sops.yaml': rule }, ['updatekeys', 'plain.yaml'], 1, 'sops metadata not found'],
    ['no creation rules', { '.sops.yaml': 'stores: {}\n' }, ['updatekeys', 'x.yaml'], 1, 'does not contain any creation rule'],
  ] as [string, Record<string, string>, string[], number, string][])('SOPS-55, SOPS-60: %s', async (_name, config, argv, code, message) => {
    expect(await sops(argv, { files: { ...files, ...config } })).toMatchObject({
      code,
      out: '',
      err: expect.stringContaining(message) as string,
    });
  });
});

describe('sops groups', () => {
  it('SOPS-56: adds a group, which is needed from then on, and removes it again', async () => {
    const printed = await sops(['groups', 'add', '-f', 'x.yaml', '--age', SECOND_RECIPIENT], { files });
    expect(printed.code).toBe(0);
    expect(printed.out).toContain('key_groups:');
    expect(fileOf(printed, 'x.yaml')).toBe(sealed);
    expect(await decrypted(printed.out)).toContain('Group 0: SUCCESS\n\nGroup 1: FAILED');
    const same = await sops(['groups', 'add', '-i', '-f', 'x.yaml', '--age', RECIPIENT], { files });
    expect(await decrypted(fileOf(same, 'x.yaml'))).toBe(PLAIN);
    const removed = await sops(['groups', 'delete', '-i', '-f', 'x.yaml', '--shamir-secret-sharing-threshold', '1', '0'], {
      cwd: same.cwd,
    });
    expect(removed).toMatchObject({ code: 0, out: '', err: '' });
    expect(fileOf(removed, 'x.yaml')).not.toContain('key_groups');
    expect(await decrypted(fileOf(removed, 'x.yaml'))).toBe(PLAIN);
    expect(lineOf(fileOf(removed, 'x.yaml'), 'mac')).toBe(lineOf(sealed, 'mac'));
  });

  it('SOPS-56: a group that makes the threshold impossible stays', async () => {
    const shared = await sops(['groups', 'add', '-f', 'x.yaml', '--age', RECIPIENT], { files });
    const result = await sops(['groups', 'delete', '-i', '-f', 'x.yaml', '1'], { files: { 'x.yaml': shared.out } });
    expect(result).toMatchObject({
      code: 1,
      err: expect.stringContaining('Shamir threshold is 2, but we only have 1 key groups') as string,
    });
    expect(fileOf(result, 'x.yaml')).toBe(shared.out);
  });

  it.each([
    ['a key that cannot wrap', ['add', '-i', '-f', 'x.yaml', '--hckms', 'r:k'], 1, 'Huawei'],
    ['a group without keys', ['add', '-i', '-f', 'x.yaml'], 1, 'empty key group provided'],
    ['no file', ['add'], 2, 'Error reading file: open :'],
    ['a missing file', ['add', '-f', 'none.yaml', '--age', RECIPIENT], 2, 'no such file or directory'],
    ['no index', ['delete', '-f', 'x.yaml'], 1, 'exactly one positional argument (index) required'],
    ['an index that is none', ['delete', '-i', '-f', 'x.yaml', 'x'], 1, 'failed to parse [index] argument'],
    ['an index too far', ['delete', '-i', '-f', 'x.yaml', '5'], 1, 'there is no group 5'],
    ['the only group', ['delete', '-i', '-f', 'x.yaml', '0'], 1, 'empty key group provided'],
  ] as [string, string[], number, string][])('SOPS-56, SOPS-60: %s', async (_name, argv, code, message) => {
    const result = await sops(['groups', ...argv], { files });
    expect(result.err).toContain(message);
    expect(result.code).toBe(code);
    expect(fileOf(result, 'x.yaml')).toBe(sealed);
  });

  it('SOPS-56: no key works is status 1 here', async () => {
    const result = await sops(['groups', 'add', '-f', 'x.yaml', '--age', RECIPIENT], { files, env: second });
    expect(result).toMatchObject({ code: 1, out: '', err: expect.stringContaining('Failed to get the data key') as string });
  });
});

describe('looking at files', () => {
  it.each([
    ['x.yaml', 0, '{"encrypted":true}\n'],
    ['plain.yaml', 0, '{"encrypted":false}\n'],
    ['none.yaml', 1, ''],
  ])('SOPS-58: filestatus %s', async (file, code, out) => {
    expect(await sops(['filestatus', file], { files, env: { SOPS_AGE_KEY_FILE: '/none' } })).toMatchObject({ code, out });
  });

  it('SOPS-58: filestatus without a file, and with a type', async () => {
    expect((await sops(['filestatus'])).code).toBe(100);
    expect((await sops(['filestatus', '--input-type', 'yaml', 'x'], { files: { x: sealed } })).out).toBe('{"encrypted":true}\n');
  });

  it('SOPS-41: explain says which rule a file gets, and why', async () => {
    const config = `creation_rules:\n  - path_regex: ^prod/\n    age: ${SECOND_RECIPIENT}\n  - age: ${RECIPIENT}\n    encrypted_regex: ^data$\n  - age: x\n`;
    const result = await sops(['explain', 'dev/x.yaml'], { files: { '.sops.yaml': config } });
    expect(result).toMatchObject({ code: 0, err: '' });
    expect(result.out).toBe(
      `configuration: ${join(result.cwd, '.sops.yaml')}\nmatched against: dev/x.yaml\n` +
        `creation_rules[0]: path_regex ^prod/ does not match\ncreation_rules[1]: matches, because it has no path_regex\n` +
        `keys:\n  age ${RECIPIENT}\nencrypts by encrypted_regex: ^data$\n`,
    );
    const none = await sops(['explain', 'x'], { files: { '.sops.yaml': 'creation_rules:\n  - path_regex: y\n    age: z\n' } });
    expect(none).toMatchObject({ code: 1, out: expect.stringContaining('no rule matches') as string });
    expect((await sops(['explain', 'x'])).code).toBe(1);
  });

  it('SOPS-61: completion for bash and zsh, and help for every command', async () => {
    for (const shell of ['bash', 'zsh']) {
      const { code, out } = await sops(['completion', shell]);
      expect(code).toBe(0);
      for (const word of ['encrypt', 'updatekeys', 'exec-env', '--in-place', '--add-age']) expect(out).toContain(word);
    }
    expect((await sops(['completion'])).code).toBe(1);
    expect((await sops(['set', '--help'])).out).toContain('--value-stdin');
    expect((await sops(['groups', 'add', '-h'])).out).toContain('sops groups add');
    expect((await sops(['groups'])).code).toBe(1);
  });
});
