import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { encrypted, RECIPIENT, root, SECOND_RECIPIENT, sops, type Result } from './testing.ts';

afterAll(() => rmSync(root, { recursive: true, force: true }));

const RULE = `creation_rules:\n  - path_regex: \\.enc\\.yaml$\n    age: ${RECIPIENT}\n`;
const codes = ({ out }: Result): string[] =>
  [...out.matchAll(/\((\S+)\)$/gm)].map((found) => found[1] ?? '').filter((code) => code !== 'single-recipient');

/** Encrypts with the rule, then checks the tree. */
async function check(options: {
  config?: string;
  files?: Record<string, string>;
  change?: (text: string) => string;
  name?: string;
}): Promise<Result> {
  const text = await encrypted('a: secret\nb: {c: 1}\n');
  const files = {
    '.sops.yaml': options.config ?? RULE,
    [options.name ?? 'x.enc.yaml']: options.change === undefined ? text : options.change(text),
    ...options.files,
  };
  return sops(['check'], { files, env: { SOPS_AGE_KEY_FILE: '' } });
}

describe('sops check', () => {
  it('SOPS-13, SOPS-41: finds nothing in a good tree, and needs no key', async () => {
    const result = await check({});
    expect(codes(result)).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.out).toContain('(single-recipient)');
    expect(result.out).toContain('1 encrypted files');
  });

  it.each<[string, Parameters<typeof check>[0]]>([
    ['plain-value', { change: (text) => text.replace(/^a: .*$/m, 'a: in the open') }],
    ['plain-value', { change: (text) => text.replace(/c: .*$/m, 'c: 1') }],
    ['plain-file', { files: { 'deep/y.enc.yaml': 'a: b\n' } }],
    ['unreadable-file', { change: (text) => `<<<<<<< ours\n${text}` }],
    ['recipients-differ', { config: RULE.replace(RECIPIENT, SECOND_RECIPIENT) }],
    ['recipients-differ', { config: RULE.replace(RECIPIENT, `${RECIPIENT},${SECOND_RECIPIENT}`) }],
    ['selection-differs', { config: `${RULE}    encrypted_regex: ^a$\n` }],
    ['invalid-rule', { change: (text) => text.replace('unencrypted_suffix: _unencrypted', 'unencrypted_regex: (') }],
    ['invalid-rule', { config: RULE.replace('\\.enc', '(') }],
    ['no-rule', { files: { 'z.yaml': '' }, config: RULE.replace('enc', 'other'), change: (text) => text }],
    ['unused-rule', { config: `${RULE}  - path_regex: nothing\n    age: ${RECIPIENT}\n` }],
    ['nothing-selected', { change: (text) => text.replace('unencrypted_suffix: _unencrypted', 'encrypted_suffix: _x') }],
    ['stray-token', { change: (text) => text.replace('unencrypted_suffix: _unencrypted', 'encrypted_suffix: b') }],
    ['unknown-field', { config: `${RULE}    encryptd_regex: x\n` }],
  ])('SOPS-13, SOPS-41, SOPS-45: finds %s', async (code, options) => {
    const result = await check(options);
    expect(codes(result)).toContain(code);
    expect(result.code).toBe(1);
    expect(result.out).not.toContain('in the open');
  });

  it('an old data key of a key type that says so', async () => {
    const entry =
      "    pgp:\n        - created_at: '2020-01-01T00:00:00Z'\n          enc: x\n          fp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4\n";
    const result = await check({ change: (text) => text.replace('sops:\n', `sops:\n${entry}`) });
    expect(codes(result)).toContain('old-data-key');
    expect(result.out).not.toContain('single-recipient');
  });

  it('writes JSON and SARIF, and leaves notes out', async () => {
    const { cwd } = await check({});
    writeFileSync(join(cwd, 'plain.enc.yaml'), 'a: b\n');
    const json = JSON.parse((await sops(['check', '--format', 'json', '--no-notes'], { cwd })).out) as { findings: unknown };
    expect(json.findings).toMatchObject([{ code: 'plain-file', level: 'error', file: 'plain.enc.yaml' }]);
    const sarif = JSON.parse((await sops(['check', '--format=sarif'], { cwd })).out) as { runs: { results: unknown[] }[] };
    expect(sarif).toMatchObject({ version: '2.1.0' });
    expect(sarif.runs[0]?.results).toContainEqual(expect.objectContaining({ ruleId: 'plain-file', level: 'error' }));
  });

  it('checks single files, as the pre-commit hook gives them', async () => {
    const { cwd } = await check({ config: `${RULE}  - path_regex: nothing\n    age: ${RECIPIENT}\n` });
    writeFileSync(join(cwd, 'plain.enc.yaml'), 'a: b\n');
    expect((await sops(['check', 'x.enc.yaml'], { cwd })).code).toBe(0);
    expect(codes(await sops(['check', 'x.enc.yaml', 'plain.enc.yaml'], { cwd }))).toEqual(['plain-file']);
    expect((await sops(['check', 'missing'], { cwd })).code).toBe(100);
    expect((await sops(['check', '--pre-commit'], { cwd })).out).toContain('sotto sops check --');
  });

  it('neither follows links nor looks into .git', async () => {
    const { cwd } = await check({});
    mkdirSync(join(cwd, '.git'));
    writeFileSync(join(cwd, '.git', 'y.enc.yaml'), 'a: b\n');
    symlinkSync('.', join(cwd, 'loop'));
    const result = await sops(['check'], { cwd });
    expect(result.out).toContain('1 encrypted files');
    expect(result.code).toBe(0);
    expect(readFileSync(join(cwd, 'x.enc.yaml'), 'utf8')).toContain('ENC[');
  });
});
