import type { Flag } from '../flags.ts';

const value = (name: string, help: string, short?: string): Flag => ({
  name,
  help,
  value: 'VALUE',
  ...(short === undefined ? {} : { short }),
});
const toggle = (name: string, help: string, short?: string): Flag => ({ name, help, ...(short === undefined ? {} : { short }) });

/** Accepted before and after the subcommand. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  value('config', 'configuration file instead of the .sops.yaml found upward from here'),
  value('indent', 'spaces per level of YAML or JSON output'),
  toggle('mac-only-encrypted', 'compute the MAC over encrypted values only'),
  toggle('strict', "fail on unknown fields of the configuration (Sotto's own)"),
  toggle('verbose', 'accepted, without effect'),
  toggle('disable-version-check', 'accepted, without effect: versions are never looked up'),
  toggle('check-for-updates', 'accepted, without effect: versions are never looked up'),
  toggle('enable-local-keyservice', 'accepted, without effect: keys are always used in this process'),
  { ...value('keyservice', 'not supported yet'), repeat: true },
];

const FILE_FLAGS: readonly Flag[] = [
  toggle('in-place', 'write back to the same file', 'i'),
  value('output', 'write to this file'),
  value('input-type', 'yaml, json, dotenv, ini or binary; default by suffix'),
  value('output-type', 'yaml, json, dotenv, ini or binary; default the input type'),
  value('filename-override', 'name that decides format and creation rule; needed when reading from stdin'),
];

/** Flags that name keys, in the order in which upstream puts them into the group. */
export const KEY_FLAGS = [
  { flag: 'kms', short: 'k', type: 'kms', variable: 'SOPS_KMS_ARN' },
  { flag: 'gcp-kms', type: 'gcp_kms', variable: 'SOPS_GCP_KMS_IDS' },
  { flag: 'hckms', type: 'hckms', variable: 'SOPS_HUAWEICLOUD_KMS_IDS' },
  { flag: 'azure-kv', type: 'azure_kv', variable: 'SOPS_AZURE_KEYVAULT_URLS' },
  { flag: 'pgp', short: 'p', type: 'pgp', variable: 'SOPS_PGP_FP' },
  { flag: 'hc-vault-transit', type: 'hc_vault', variable: 'SOPS_VAULT_URIS' },
  { flag: 'age', short: 'a', type: 'age', variable: 'SOPS_AGE_RECIPIENTS' },
] as const;

/** Flags of the six selection rules and their property. */
export const SELECTION_FLAGS = [
  ['encrypted-suffix', 'encryptedSuffix'],
  ['unencrypted-suffix', 'unencryptedSuffix'],
  ['encrypted-regex', 'encryptedRegex'],
  ['unencrypted-regex', 'unencryptedRegex'],
  ['encrypted-comment-regex', 'encryptedCommentRegex'],
  ['unencrypted-comment-regex', 'unencryptedCommentRegex'],
] as const;

export const ENCRYPT_FLAGS: readonly Flag[] = [
  ...FILE_FLAGS,
  ...KEY_FLAGS.map((key) => value(key.flag, `comma list of keys [$${key.variable}]`, 'short' in key ? key.short : undefined)),
  value('aws-profile', 'profile for AWS KMS'),
  value('encryption-context', 'not supported yet'),
  ...SELECTION_FLAGS.map(([name]) => value(name, 'selects what is encrypted')),
  value('shamir-secret-sharing-threshold', 'key groups needed to open the file'),
];

export const DECRYPT_FLAGS: readonly Flag[] = [
  ...FILE_FLAGS,
  value('extract', 'print only the value at this path, such as ["a"]["list"][0]'),
  toggle('ignore-mac', 'do not check the message authentication code'),
  value('decryption-order', 'comma list of key types to try first [$SOPS_DECRYPTION_ORDER]'),
];

/** What upstream has and we refuse by name. */
export const REFUSED_COMMANDS: ReadonlySet<string> = new Set([
  'edit',
  'set',
  'unset',
  'rotate',
  'updatekeys',
  'groups',
  'exec-env',
  'exec-file',
  'filestatus',
  'publish',
  'keyservice',
  'completion',
]);

/** Modes of the legacy command line, by flag; false where we refuse them. */
export const LEGACY_MODES: Readonly<Record<string, 'encrypt' | 'decrypt' | false>> = {
  '-e': 'encrypt',
  '--encrypt': 'encrypt',
  '-d': 'decrypt',
  '--decrypt': 'decrypt',
  '-r': false,
  '--rotate': false,
  '--set': false,
};

export const USAGE = `sops - encrypted file editor with age (Sotto's implementation)

Usage:
  sops encrypt [flags] [FILE]    encrypt a file, result on stdout; without FILE from stdin
  sops decrypt [flags] [FILE]    decrypt a file, result on stdout; without FILE from stdin
  sops -e|-d [flags] FILE        the same, legacy form
  sops --version

Keys: age recipients (--age, .sops.yaml); identities from SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD and
<user config>/sops/age/keys.txt. Other key types and commands are refused by name for now.

Example:
  sops encrypt --age age1… secret.yaml > secret.enc.yaml
`;
