import { readdirSync, readFileSync } from 'node:fs';

import { systemEntropy, systemWorld } from '../../src/base/world/index.ts';
import { ageKey, parseAgeIdentities } from '../../src/secrets/keys/index.ts';
import {
  decrypt,
  formatPlain,
  parseConfig,
  parsePlain,
  parseJsonValue,
  readMetadata,
  type SopsFormat,
} from '../../src/secrets/sops/index.ts';
import type { Target } from './engine.ts';

const VECTORS = new URL('../vectors/sops/', import.meta.url);
const SUFFIXES: Readonly<Record<SopsFormat, string>> = { yaml: '.yaml', json: '.json', dotenv: '.env', ini: '.ini', binary: '.bin' };
const FORMATS: readonly SopsFormat[] = ['yaml', 'json', 'dotenv', 'ini'];
/** Larger files are slow to mutate and say nothing new. */
const MAX_SEED = 16 * 1024;

function files(folder: string, suffix: string): Uint8Array[] {
  return readdirSync(new URL(`${folder}/`, VECTORS), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .toSorted()
    .map((name) => new Uint8Array(readFileSync(new URL(`${folder}/${name}`, VECTORS))))
    .filter(({ length }) => length <= MAX_SEED);
}

const identity = readFileSync(new URL('TEST-KEY-x25519.agekey', VECTORS), 'utf8');
const recipient = /age1\w+/.exec(identity)?.[0] ?? '';
const credentials = { age: { identities: parseAgeIdentities(identity, 'test') } };
const context = { world: systemWorld(), entropy: systemEntropy };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const bytes = (content: string): Uint8Array => new Uint8Array(Buffer.from(content));

const TOKEN_WORDS = ['ENC[AES256_GCM,data:', ',iv:', ',tag:', ',type:', 'str]', 'int]', 'comment]', 'time]', '==', ']', 'AAAA'];
const WORDS: Readonly<Record<SopsFormat, readonly string[]>> = {
  yaml: [
    '\n',
    '  ',
    '- ',
    ': ',
    '# ',
    '---\n',
    '...\n',
    '&a ',
    '*a',
    '<<: ',
    '!!binary ',
    '|',
    '>-',
    '"',
    "'",
    '[',
    '{',
    ']',
    '}',
    '?',
    '\t',
    '!!',
    '%YAML 1.2\n',
    '\r\n',
    '\ufeff',
    'sops:\n',
  ],
  json: [
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\u0000',
    '\\ud800',
    '1e999',
    '-0',
    '123456789012345678901',
    'null',
    'true',
    '"sops":',
    '"__proto__":',
  ],
  dotenv: ['=', '\n', '#', 'sops_', 'sops_age__list_0__map_enc=', '__list_99999999__map_', '\\n', 'A=b\n', '\0', '\r'],
  ini: ['[', ']', '=', ':', '\n', ';', '#', '"""', '\\', '[sops]\n', '[DEFAULT]\n', '%(a)s', '`', 'age__list_0__map_enc'],
  binary: ['{', '}'],
};

/** Plain texts: read, written, read again. */
function plainTarget(format: SopsFormat): Target {
  return {
    name: `plain ${format}`,
    seeds: files('plain', SUFFIXES[format]),
    words: WORDS[format],
    run: (input) => {
      const written = formatPlain(parsePlain(input, format), format);
      parsePlain(written, format);
    },
  };
}

/** Encrypted files, opened with the key they were made for. */
function encryptedTarget(format: SopsFormat): Target {
  return {
    name: `encrypted ${format}`,
    seeds: files('encrypted', SUFFIXES[format]),
    words: [...WORDS[format], ...TOKEN_WORDS],
    run: (input) => decrypt(input, { format, credentials, ...context }),
  };
}

const METADATA_SEEDS = files('encrypted', '.yaml').map((file) => {
  const content = text(file);
  const at = content.indexOf('\nsops:');
  return bytes(content.slice(at + 1));
});

const armored = /-----BEGIN AGE[\s\S]*?END AGE ENCRYPTED FILE-----/;
const ARMORS = files('encrypted', '.yaml').flatMap((file) => {
  const found = armored.exec(text(file).replaceAll(/^ +/gm, ''));
  return found === null ? [] : [bytes(`${found[0]}\n`)];
});

const CONFIGS = [
  `creation_rules:\n  - path_regex: \\.enc\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: ${recipient}\n`,
  `creation_rules:\n  - shamir_threshold: 2\n    key_groups:\n      - age: [${recipient}]\n        merge:\n          - pgp: [FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4]\n      - kms:\n          - arn: arn:aws:kms:eu-west-1:1:key/x\n            context: {a: b}\n        hc_vault: [https://v:8200/v1/transit/keys/k]\n`,
  'stores:\n  yaml:\n    indent: 2\ndestination_rules:\n  - path_regex: x\n    s3_bucket: b\n    recreation_rule:\n      kms: arn:aws:kms:eu-west-1:1:key/x\n',
].map(bytes);

/** Every parser that reads what others wrote. */
export const SOPS_TARGETS: readonly Target[] = [
  ...FORMATS.map(plainTarget),
  ...FORMATS.map(encryptedTarget),
  {
    name: 'token',
    seeds: ['ENC[AES256_GCM,data:qzQ=,iv:1111111111111111111111111111111111111111111=,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]'].map(bytes),
    words: TOKEN_WORDS,
    run: (input) => {
      const line = text(input).replaceAll('\n', ' ');
      // a token in place of a value of a real file
      const [file] = files('encrypted', '.json').map(text);
      return decrypt(bytes((file ?? '').replace(/ENC\[[^"]*\]/, () => JSON.stringify(line).slice(1, -1))), {
        format: 'json',
        credentials,
        ...context,
      });
    },
  },
  {
    name: 'JSON value',
    seeds: ['{"a": [1, 2.5, "x", null, true]}', '"text"', '-1e-9'].map(bytes),
    words: WORDS.json,
    run: (input) => parseJsonValue(text(input)),
  },
  {
    name: 'metadata',
    seeds: METADATA_SEEDS,
    words: [...WORDS.yaml, 'age:\n', 'key_groups:\n', 'shamir_threshold: ', 'lastmodified: ', '9'],
    run: (input) => readMetadata(input, 'yaml'),
  },
  {
    name: 'age armor',
    seeds: ARMORS,
    words: ['-----BEGIN AGE ENCRYPTED FILE-----\n', '-----END AGE ENCRYPTED FILE-----\n', '\n', '\r\n', ' ', '=', 'YWdl'],
    run: (input) => ageKey(recipient).unwrap(text(input), credentials, context),
  },
  {
    name: '.sops.yaml',
    seeds: CONFIGS,
    words: [...WORDS.yaml, 'creation_rules:', 'key_groups:', 'merge:', 'path_regex: ', 'shamir_threshold: ', 'age: ', 'kms: '],
    run: (input) => parseConfig(text(input), '.sops.yaml'),
  },
];
