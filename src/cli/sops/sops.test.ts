import { lstatSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { decrypted, encrypted, fileOf, KEY_FILE, RECIPIENT, root, sops as run, vector, type Result, type Run } from './testing.ts';
import { splitWords } from './words.ts';

const KEY_TEXT = readFileSync(KEY_FILE, 'utf8');
const IDENTITY = /AGE-SECRET-KEY-1\w+/.exec(KEY_TEXT)?.[0] ?? '';

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Without identities, unless the environment names some. */
const sops = (argv: readonly string[], options: Run = {}): Promise<Result> =>
  run(argv, { ...options, env: { SOPS_AGE_KEY_FILE: '', ...options.env } });

const env = { SOPS_AGE_KEY_FILE: KEY_FILE };

describe('sops decrypt', () => {
  const forms: [name: string, argv: string[]][] = [
    ['the subcommand', ['decrypt', vector('encrypted/types.env')]],
    ['the legacy form', ['-d', vector('encrypted/types.env')]],
    ['the long legacy form', ['--decrypt', vector('encrypted/types.env')]],
    ['single-dash long flags', ['decrypt', '-ignore-mac', '-input-type=dotenv', vector('encrypted/types.env')]],
    ['global flags before the subcommand', ['--verbose', '--indent', '2', 'decrypt', vector('encrypted/types.env')]],
  ];
  it.each(forms)('SOPS-51, SOPS-63: %s', async (_name, argv) => {
    expect(await sops(argv, { env })).toMatchObject({ code: 0, out: readFileSync(vector('decrypted/types.env'), 'utf8'), err: '' });
  });

  it('SOPS-51: stdin, and another output format', async () => {
    const stdin = readFileSync(vector('encrypted/types.env'), 'utf8');
    const json = await sops(['decrypt', '--input-type', 'dotenv', '--output-type', 'json'], { env, stdin });
    expect(json).toMatchObject({ code: 0, out: readFileSync(vector('decrypted/types.env.as-json'), 'utf8') });
    const named = await sops(['decrypt', '--filename-override', 'x.env'], { env, stdin });
    expect(named).toMatchObject({ code: 0, out: readFileSync(vector('decrypted/types.env'), 'utf8') });
  });

  it('SOPS-51: in place keeps the mode, --output makes a private file', async () => {
    const files = { 'x.env': readFileSync(vector('encrypted/types.env'), 'utf8') };
    const inPlace = await sops(['decrypt', '-i', 'x.env'], { env, files });
    expect(readFileSync(join(inPlace.cwd, 'x.env'), 'utf8')).toBe(readFileSync(vector('decrypted/types.env'), 'utf8'));
    expect(statSync(join(inPlace.cwd, 'x.env')).mode & 0o777).toBe(0o644);
    const output = await sops(['decrypt', '--output', 'plain.env', 'x.env'], { env, files });
    expect(statSync(join(output.cwd, 'plain.env')).mode & 0o777).toBe(0o600);
    expect(output.out).toBe('');
  });

  it('SOPS-51: --extract', async () => {
    expect(await sops(['decrypt', '--extract', '["nested"]["deep"]["deeper"]', vector('encrypted/types.yaml')], { env })).toMatchObject({
      code: 0,
      out: 'secret',
    });
    expect(await sops(['decrypt', '--extract', '["octal"]', vector('encrypted/types.yaml')], { env })).toMatchObject({
      code: 0,
      out: '420\n',
    });
  });

  it('SOPS-51: in place through a link changes the file behind it', async () => {
    const { cwd } = await sops(['--version'], { files: { 'real.yaml': await encrypted('a: x\n') } });
    symlinkSync('real.yaml', join(cwd, 'link.yaml'));
    expect((await sops(['set', 'link.yaml', '["a"]', '"y2"'], { cwd, env })).code).toBe(0);
    expect(lstatSync(join(cwd, 'link.yaml')).isSymbolicLink()).toBe(true);
    expect(await decrypted(fileOf({ cwd }, 'real.yaml'))).toBe('a: y2\n');
  });

  it('SOPS-29: an unknown word of the decryption order is a warning, the variable counts like the flag', async () => {
    const result = await sops(['decrypt', '--decryption-order', 'pgp,foo', vector('encrypted/types.env')], { env });
    expect(result).toMatchObject({ code: 0, err: "[warning] --decryption-order: unknown key type 'foo' has no effect\n" });
    expect((await sops(['decrypt', vector('encrypted/types.env')], { env: { ...env, SOPS_DECRYPTION_ORDER: 'age,age' } })).code).toBe(112);
  });

  it('SOPS-43: indentation from flag and configuration', async () => {
    const files = { '.sops.yaml': 'stores:\n  json:\n    indent: 2\n' };
    const configured = await sops(['decrypt', '--output-type', 'json', vector('encrypted/secret.yaml')], { env, files });
    expect(configured.out).toContain('\n  "kind": "Secret"');
    const flagged = await sops(['--indent=1', 'decrypt', '--output-type', 'json', vector('encrypted/secret.yaml')], { env, files });
    expect(flagged.out).toContain('\n "kind": "Secret"');
  });
});

describe('age identities', () => {
  const sources: [name: string, environment: () => Record<string, string>, files?: Record<string, string>][] = [
    ['SOPS_AGE_KEY', () => ({ SOPS_AGE_KEY: IDENTITY })],
    ['SOPS_AGE_KEY with several on a line', () => ({ SOPS_AGE_KEY: `${IDENTITY} ${IDENTITY}` })],
    ['SOPS_AGE_KEY_FILE', () => env],
    [
      'SOPS_AGE_KEY_CMD',
      () => ({
        SOPS_AGE_KEY_CMD: `${process.execPath} -e 'console.log(process.env.SOPS_AGE_RECIPIENT === "${RECIPIENT}" ? "${IDENTITY}" : "")'`,
      }),
    ],
    ['the user configuration', () => ({}), { '.config/sops/age/keys.txt': KEY_TEXT }],
    ['XDG_CONFIG_HOME', () => ({ XDG_CONFIG_HOME: 'xdg' }), { 'xdg/sops/age/keys.txt': KEY_TEXT }],
  ];
  it.each(sources)('SOPS-20, c11: %s', async (_name, environment, files = {}) => {
    const result = await sops(['decrypt', vector('encrypted/types.env')], { env: environment(), files });
    expect(result.err).toBe('');
    expect(result.code).toBe(0);
  });

  it('SOPS-20, c11: places that failed are listed, and no key is', async () => {
    const result = await sops(['decrypt', vector('encrypted/types.env')], {
      env: {
        SOPS_AGE_KEY: `${IDENTITY}x`,
        SOPS_AGE_KEY_FILE: '/nonexistent',
        SOPS_AGE_KEY_CMD: 'false',
        SOPS_AGE_SSH_PRIVATE_KEY_FILE: '/x',
      },
    });
    expect(result.code).toBe(128);
    expect(result.err).toMatch(
      /^Failed to get the data key required to decrypt the SOPS file\.\n\nGroup 0: FAILED\n {2}age1\w+: FAILED\n {4}- \| /,
    );
    expect(result.err).toContain('SOPS_AGE_KEY (SOPS_AGE_KEY:1: invalid age identity');
    expect(result.err).toContain('SOPS_AGE_KEY_FILE (ENOENT)');
    expect(result.err).toContain('SOPS_AGE_SSH_PRIVATE_KEY_FILE (ENOENT)');
    expect(result.err).not.toContain(IDENTITY.slice(20, 40));
  });

  it('splits a command like a shell, without expansion', () => {
    expect(splitWords(`a "b c" d\\ e 'f"g' h"i"'j' $X`)).toEqual(['a', 'b c', 'd e', 'f"g', 'hij', '$X']);
  });
});

describe('sops encrypt', () => {
  const roundTrip = async (encrypted: string, name: string): Promise<string> =>
    (await sops(['decrypt', '--filename-override', name], { env, stdin: encrypted })).out;

  it('SOPS-50: recipients from the flag, from SOPS_AGE_RECIPIENTS, from the rule', async () => {
    const files = { 'x.env': 'A=1\n' };
    const flag = await sops(['encrypt', '--age', RECIPIENT, 'x.env'], { files });
    const variable = await sops(['encrypt', 'x.env'], { files, env: { SOPS_AGE_RECIPIENTS: RECIPIENT } });
    const rule = await sops(['-e', 'x.env'], {
      files: { ...files, '.sops.yaml': `creation_rules:\n  - path_regex: \\.env$\n    age: ${RECIPIENT}\n` },
    });
    for (const result of [flag, variable, rule]) {
      expect(result).toMatchObject({ code: 0, err: '' });
      expect(result.out).toMatch(/^A=ENC\[AES256_GCM,/);
      expect(await roundTrip(result.out, 'x.env')).toBe('A=1\n');
    }
  });

  it('SOPS-50: stdin needs a name; in place; the rule of the overriding name', async () => {
    expect((await sops(['encrypt', '--age', RECIPIENT], { stdin: 'A=1\n' })).code).toBe(8);
    const named = await sops(['encrypt', '--age', RECIPIENT, '--filename-override', 'x.env'], { stdin: 'A=1\n' });
    expect(await roundTrip(named.out, 'x.env')).toBe('A=1\n');
    const inPlace = await sops(['encrypt', '-i', '--age', RECIPIENT, 'x.yaml'], { files: { 'x.yaml': 'a: 1\n' } });
    expect(await roundTrip(readFileSync(join(inPlace.cwd, 'x.yaml'), 'utf8'), 'x.yaml')).toBe('a: 1\n');
  });

  it('SOPS-40: .sops.yaml is found upward from the working directory; .sops.yml is ignored with a warning', async () => {
    const top = await sops(['--version'], {
      files: {
        '.sops.yaml': `creation_rules:\n  - path_regex: ^deep/\n    age: ${RECIPIENT}\n`,
        'deep/er/x.yaml': 'a: 1\n',
        'deep/er/.sops.yml': '',
      },
    });
    const result = await sops(['encrypt', 'x.yaml'], { cwd: join(top.cwd, 'deep', 'er') });
    expect(result.code).toBe(0);
    expect(result.err).toContain('.sops.yml is ignored');
  });

  it('SOPS-41: the rule decides selection, a flag overrides the same field', async () => {
    const files = { '.sops.yaml': `creation_rules:\n  - age: ${RECIPIENT}\n    encrypted_regex: ^a$\n`, 'x.yaml': 'a: 1\nb: 2\n' };
    expect((await sops(['encrypt', 'x.yaml'], { files })).out).toContain('b: 2\n');
    expect((await sops(['encrypt', '--encrypted-regex', '^b$', 'x.yaml'], { files })).out).toContain('a: 1\n');
    expect(await sops(['encrypt', '--encrypted-suffix', '_x', 'x.yaml'], { files })).toMatchObject({ code: 8, out: '' });
  });

  it('SOPS-45: unknown fields of the configuration are named; with --strict they are an error', async () => {
    const files = { '.sops.yaml': `creation_rules:\n  - age: ${RECIPIENT}\n    encrypted_regexp: ^a$\n`, 'x.yaml': 'a: 1\n' };
    expect((await sops(['encrypt', 'x.yaml'], { files })).err).toContain("unknown field 'encrypted_regexp' has no effect");
    expect(await sops(['--strict', 'encrypt', 'x.yaml'], { files })).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('encrypted_regexp') as string,
    });
  });

  it('SOPS-40: the configuration can be named by flag or variable', async () => {
    const files = { 'conf/rules.yaml': `creation_rules:\n  - path_regex: ^special$\n    age: ${RECIPIENT}\n`, 'x.yaml': 'a: 1\n' };
    for (const argv of [['encrypt', '--config', 'conf/rules.yaml'], ['encrypt']]) {
      const environment: Record<string, string> = argv.length === 1 ? { SOPS_CONFIG: 'conf/rules.yaml' } : {};
      expect(await sops([...argv, 'x.yaml'], { files, env: environment })).toMatchObject({
        code: 1,
        err: expect.stringContaining('no matching creation rules found') as string,
      });
      const named = await sops(
        [...argv, '--filename-override', 'conf/special', '--input-type', 'yaml', '--output-type', 'yaml', 'x.yaml'],
        { files, env: environment },
      );
      expect(named).toMatchObject({ code: 0, err: '' });
    }
  });
});

describe('exit statuses and messages', () => {
  const plain = { 'x.yaml': 'a: 1\n', 'bad.yaml': 'a: [\n', 'empty.yaml': '', 'text.txt': 'just text' };
  const tampered = (change: (text: string) => string): Record<string, string> => ({
    't.yaml': change(readFileSync(vector('encrypted/types.yaml'), 'utf8')),
  });
  const situations: [name: string, argv: string[], files: Record<string, string>, code: number, token: string][] = [
    ['a file that does not exist', ['decrypt', 'none.yaml'], {}, 100, 'cannot operate on non-existent file'],
    ['encrypting a file that does not exist', ['encrypt', '--age', RECIPIENT, 'none.yaml'], {}, 100, 'cannot operate on non-existent file'],
    ['legacy without a file', ['-d'], {}, 100, 'no file specified'],
    ['a plain file', ['decrypt', 'x.yaml'], plain, 1, 'sops metadata not found'],
    ['a plain text taken as binary', ['decrypt', 'text.txt'], plain, 1, 'Could not unmarshal input data'],
    [
      '--in-place with --output',
      ['encrypt', '-i', '--output', 'y', '--age', RECIPIENT, 'x.yaml'],
      plain,
      8,
      'cannot operate on both --output and --in-place',
    ],
    [
      'two selection flags',
      ['encrypt', '--age', RECIPIENT, '--encrypted-regex', 'a', '--encrypted-suffix', 'b', 'x.yaml'],
      plain,
      8,
      'cannot use more than one of',
    ],
    ['no keys at all', ['encrypt', 'x.yaml'], plain, 1, 'no keys provided through command line options'],
    ['an invalid recipient', ['encrypt', '--age', 'age1xx', 'x.yaml'], plain, 1, 'failed to parse input as Bech32-encoded age public key'],
    ['a PGP key that nobody has', ['encrypt', '--pgp', 'ABCD', 'x.yaml'], plain, 1, 'OpenPGP key ABCD'],
    ['YAML that does not parse', ['encrypt', '--age', RECIPIENT, 'bad.yaml'], plain, 2, 'bad.yaml'],
    ['an empty YAML file', ['encrypt', '--age', RECIPIENT, 'empty.yaml'], plain, 92, 'cannot be completely empty'],
    [
      'a file that is encrypted already',
      ['encrypt', '--age', RECIPIENT, 't.yaml'],
      tampered((text) => text),
      203,
      "top-level entry called 'sops'",
    ],
    [
      'a regex that does not compile',
      ['encrypt', '--age', RECIPIENT, '--encrypted-regex', '(?=a)', 'x.yaml'],
      plain,
      1,
      'does not compile',
    ],
    [
      'a changed value',
      ['decrypt', 't.yaml'],
      tampered((text) => text.replace(/^string: (.*)$/m, 'changed: $1')),
      25,
      'Could not decrypt value',
    ],
    [
      'a value that is no token',
      ['decrypt', 't.yaml'],
      tampered((text) => text.replace(/^string: .*$/m, 'string: hunter2')),
      25,
      "does not match sops' data format",
    ],
    [
      'a changed plain value',
      ['decrypt', 't.yaml'],
      tampered((text) => text.replace('plain_unencrypted: visible', 'plain_unencrypted: x')),
      51,
      'MAC mismatch. File has',
    ],
    [
      'a changed timestamp',
      ['decrypt', 't.yaml'],
      tampered((text) => text.replace(/lastmodified: "..../, 'lastmodified: "1999')),
      51,
      'Cannot decrypt MAC',
    ],
    ['a path that does not parse', ['decrypt', '--extract', 'x', 't.yaml'], tampered((text) => text), 91, 'error parsing path'],
    [
      'a path that leads nowhere',
      ['decrypt', '--extract', '["nope"]', 't.yaml'],
      tampered((text) => text),
      1,
      "component ['nope'] not found",
    ],
    ['an unknown format word', ['decrypt', '--output-type', 'toml', 't.yaml'], tampered((text) => text), 1, "unknown format 'toml'"],
    ['a nested value as dotenv', ['decrypt', '--output-type', 'dotenv', 't.yaml'], tampered((text) => text), 4, 'cannot use complex value'],
    [
      'a repeated decryption order',
      ['decrypt', '--decryption-order', 'age,age', 't.yaml'],
      tampered((text) => text),
      112,
      'Duplicate decryption key type',
    ],
    ['an unknown flag', ['decrypt', '--frobnicate', 't.yaml'], tampered((text) => text), 1, 'unknown flag --frobnicate'],
    [
      'no address of a key service',
      ['decrypt', '--keyservice', 'http://x', 't.yaml'],
      tampered((text) => text),
      1,
      'no address of a key service',
    ],
    ['an unreadable configuration', ['--config', 'none', 'decrypt', 't.yaml'], tampered((text) => text), 1, 'could not read config file'],
    ['an output that cannot be written', ['decrypt', '--output', 'no/such/dir', 't.yaml'], tampered((text) => text), 3, 'could not write'],
  ];
  it.each(situations)('SOPS-60: %s', async (_name, argv, files, code, token) => {
    const result = await sops(argv, { env, files });
    expect(result.err).toContain(token);
    expect(result).toMatchObject({ code, out: '' });
    expect(result.err).not.toContain('hunter2');
  });

  it('SOPS-59: refuses sops publish by name', async () => {
    expect(await sops(['publish', 'x'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('sops publish is not supported yet') as string,
    });
  });

  it('SOPS-61: prints its version and help', async () => {
    expect(await sops(['--version', '--disable-version-check'])).toMatchObject({ code: 0, out: 'sops 3.13.3\n' });
    expect((await sops(['--help'])).out).toContain('sops encrypt');
  });
});
