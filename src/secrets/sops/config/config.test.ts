import { describe, expect, it } from 'vitest';

import { SottoError } from '../../../base/errors/index.ts';
import { explainCreationRule, matchCreationRule, matchDestinationRule, parseConfig, ruleKeys, type SopsConfig } from './index.ts';

const AGE = 'age1lvyvwawkr0mcnnnncaghunadrqkmuf9e6507x9y920xxpp866cnql7dp2z';
const PGP = 'FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4';

const config = (text: string): SopsConfig => parseConfig(text, '/repo/.sops.yaml');
const displays = (text: string): string[][] =>
  ruleKeys(matchCreationRule(config(text), '/repo/x.yaml', '/') ?? fail()).map((group) => group.map(({ display }) => display));

function fail(): never {
  throw new Error('no rule');
}

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof SottoError) return error.code;
    throw error;
  }
  return 'none';
}

describe('creation rules', () => {
  const RULES = `creation_rules:
  - path_regex: secrets/.*\\.yaml$
    age: ${AGE}
    encrypted_regex: ^(data|stringData)$
  - path_regex: ^prod/
    shamir_threshold: 2
    mac_only_encrypted: true
    key_groups:
      - age: [${AGE}]
      - pgp: ["FBC7 B9E2 A4F9 289A C0C1  D484 3D16 CEE4 A273 81B4"]
  - path_regex: '^/other/'
  - path_regex: dev
    unencrypted_suffix: _plain
`;
  const matched: [name: string, path: string, index: number][] = [
    ['unanchored, relative to the directory of the configuration', '/repo/apps/secrets/db.yaml', 0],
    ['anchored at that directory', '/repo/prod/x.yaml', 1],
    ['a relative path is resolved first', 'prod/x.yaml', 1],
    ['a file outside is matched by its absolute path', '/other/x.yaml', 2],
    ['later rules count when earlier ones do not match', '/repo/a/dev.env', 3],
  ];
  it.each(matched)('SOPS-41: %s', (_name, path, index) => {
    const parsed = config(RULES);
    expect(matchCreationRule(parsed, path, '/repo')).toBe(parsed.creationRules?.[index]);
  });

  it('SOPS-41: every field', () => {
    const [first, second] = config(RULES).creationRules ?? [];
    expect(first?.selection).toEqual({ encryptedRegex: '^(data|stringData)$' });
    expect(second).toMatchObject({ shamirThreshold: 2, macOnlyEncrypted: true, selection: {} });
    expect(ruleKeys(second ?? fail()).map((group) => group.map(({ type, display }) => [type, display]))).toEqual([
      [['age', AGE]],
      [['pgp', PGP]],
    ]);
  });

  it('SOPS-41: no rule matches, and no rules at all', () => {
    expect(codeOf(() => matchCreationRule(config(RULES), '/repo/none.txt', '/repo'))).toBe('SOPS_NO_RULE');
    expect(codeOf(() => matchCreationRule(config('creation_rules: []\n'), '/repo/x', '/repo'))).toBe('SOPS_NO_RULE');
    expect(matchCreationRule(config('stores: {}\n'), '/repo/x', '/repo')).toBeUndefined();
    expect(matchCreationRule(config('creation_rules:\n'), '/repo/x', '/repo')).toBeUndefined();
    expect(matchCreationRule(config(''), '/repo/x', '/repo')).toBeUndefined();
  });

  it('SOPS-41: a pattern that does not compile is an error only when reached', () => {
    const text = `creation_rules:\n  - path_regex: a$\n    age: ${AGE}\n  - path_regex: (?=x)\n`;
    expect(codeOf(() => matchCreationRule(config(text), '/repo/a', '/repo'))).toBe('none');
    expect(() => matchCreationRule(config(text), '/repo/b', '/repo')).toThrow(/^creation_rules\[1\]\.path_regex: can not compile regexp/);
  });

  it('SOPS-41: two selection fields in one rule are an error', () => {
    expect(codeOf(() => config('creation_rules:\n  - encrypted_regex: a\n    encrypted_suffix: b\n'))).toBe('SOPS_SELECTION_CONFLICT');
  });
});

describe('keys of a rule', () => {
  it('SOPS-41: comma texts, folded scalars and lists of comma texts, in wrap order', () => {
    expect(
      displays(
        `creation_rules:\n  - kms: "arn:a+role:r, arn:b"\n    aws_profile: dev\n    pgp: >-\n      ${PGP},\n      ${PGP}\n    age: ["${AGE}, age1b", age1c]\n`,
      ),
    ).toEqual([[AGE, 'age1b', 'age1c', PGP, PGP, 'arn:a+role:r||dev', 'arn:b||dev']]);
  });

  it('SOPS-42: groups with merge, duplicates removed', () => {
    const text = `creation_rules:
  - key_groups:
      - merge:
          - age: [age1m]
            merge:
              - pgp: [INNER]
          - age: [age1m, age1n]
        age: [age1n, age1o]
        kms: [{arn: "arn:k", role: r, context: {b: "2", a: "1"}}]
        gcp_kms: [{resource_id: projects/p}]
        azure_keyvault: [{vaultUrl: https://v, key: k, version: "1"}]
        hc_vault: ["https://vault:8200/v1/sops/keys/k"]
        hckms: [{key_id: "r:u"}]
`;
    expect(displays(text)).toEqual([
      [
        'INNER',
        'age1m',
        'age1n',
        'age1o',
        'arn:k+r|a:1,b:2',
        'projects/p',
        'r:u',
        'https://v/keys/k/1',
        'https://vault:8200/v1/sops/keys/k',
      ],
    ]);
  });

  it('SOPS-42: flat keys beside key_groups have no effect, with a warning', () => {
    const text = `creation_rules:\n  - age: age1flat\n    key_groups:\n      - age: [${AGE}]\n`;
    expect(displays(text)).toEqual([[AGE]]);
    expect(config(text).warnings).toEqual(['creation_rules[0]: the keys beside key_groups have no effect']);
  });

  it('SOPS-42: kms texts inside groups are refused, as upstream refuses them', () => {
    expect(codeOf(() => config('creation_rules:\n  - key_groups:\n      - kms: ["arn:x"]\n'))).toBe('SOPS_CONFIG_INVALID');
  });
});

describe('the rest', () => {
  it('SOPS-43: store settings', () => {
    expect(config('stores:\n  yaml: {indent: 2}\n  json: {indent: -1}\n  json_binary: {indent: 0}\n  dotenv: {}\n').stores).toEqual({
      yaml: 2,
      json: -1,
      jsonBinary: 0,
    });
  });

  it('SOPS-45: unknown fields are named', () => {
    const text = 'creation_rules:\n  - encrypted_regexp: ^data$\n    path_regex: x\nstore: {}\nstores:\n  toml: {}\n';
    expect(config(text).warnings).toEqual([
      "the file: unknown field 'store' has no effect",
      "creation_rules[0]: unknown field 'encrypted_regexp' has no effect",
      "stores: unknown field 'toml' has no effect",
    ]);
  });

  it.each([
    ['a list as document', '- a\n'],
    ['a text for rules', 'creation_rules: x\n'],
    ['a word for a number', 'creation_rules:\n  - shamir_threshold: two\n'],
    ['a map for keys', 'creation_rules:\n  - age: {a: b}\n'],
    ['a text for groups', 'creation_rules:\n  - key_groups: x\n'],
  ])('refuses %s with file and place', (_name, text) => {
    expect(() => config(text)).toThrow(expect.objectContaining({ code: 'SOPS_CONFIG_INVALID', at: { file: '/repo/.sops.yaml' } }));
  });
});

describe('destination_rules', () => {
  const parse = (rules: string): ReturnType<typeof parseConfig> => parseConfig(`destination_rules:\n${rules}`, '/repo/.sops.yaml');

  it('SOPS-44: one destination each, with the defaults of Vault', () => {
    const config = parse(`
  - path_regex: ^s3/
    s3_bucket: b
    s3_prefix: p/
    omit_extensions: true
  - path_regex: ^gcs/
    gcs_bucket: g
  - vault_path: v/
    recreation_rule:
      age: age1x
`);
    expect(config.warnings).toEqual([]);
    expect(matchDestinationRule(config, 's3/a.yaml')).toMatchObject({
      destination: { kind: 's3', bucket: 'b', prefix: 'p/' },
      omitExtensions: true,
      recreationRule: undefined,
    });
    expect(matchDestinationRule(config, 'gcs/a.yaml').destination).toEqual({ kind: 'gcs', bucket: 'g', prefix: '' });
    expect(matchDestinationRule(config, 'other/s3/a.yaml')).toMatchObject({
      destination: { kind: 'vault', path: 'v/', address: '', mount: 'secret/', version: 2 },
      recreationRule: { groups: [[{ type: 'age', fields: { recipient: 'age1x' } }]] },
      omitExtensions: false,
    });
  });

  it('SOPS-44: the path is matched as it is given; a pattern that does not compile matches nothing and is a warning', () => {
    const config = parse(`  - path_regex: "("\n    s3_bucket: a\n  - path_regex: ^/repo/\n    s3_bucket: b\n`);
    expect(config.warnings).toEqual(['destination_rules[0].path_regex: does not compile and matches nothing']);
    expect(matchDestinationRule(config, '/repo/x').destination).toMatchObject({ bucket: 'b' });
    expect(() => matchDestinationRule(config, 'repo/x')).toThrow('no matching destination found in config');
  });

  it.each([
    ['- path_regex: x', 'names no destination'],
    ['- {s3_bucket: a, gcs_bucket: b}', 'names more than one destination'],
    ['- {vault_path: a, vault_kv_version: 3}', 'expected 1 or 2'],
  ])('SOPS-44: refuses %s', (rule, message) => {
    expect(() => parse(`  ${rule}\n`)).toThrow(message);
  });
});

describe('explaining', () => {
  it('SOPS-41: says what was matched and stops at the first rule that matches', () => {
    const config = parseConfig('creation_rules:\n  - path_regex: ^a/\n    age: x\n  - age: y\n  - age: z\n', '/repo/.sops.yaml');
    expect(explainCreationRule(config, 'b/f.yaml', '/repo/sub')).toMatchObject({
      matched: 'sub/b/f.yaml',
      rules: [
        { index: 0, matches: false },
        { index: 1, matches: true },
      ],
    });
    expect(explainCreationRule(config, '/elsewhere/f.yaml', '/repo')?.matched).toBe('/elsewhere/f.yaml');
    expect(explainCreationRule(parseConfig('stores: {}\n', '/repo/.sops.yaml'), 'x', '/repo')).toBeUndefined();
  });
});
