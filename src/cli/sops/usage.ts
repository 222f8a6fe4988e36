import type { Flag } from '../flags.ts';

export const value = (name: string, help: string, short?: string): Flag => ({
  name,
  help,
  value: 'VALUE',
  ...(short === undefined ? {} : { short }),
});
export const toggle = (name: string, help: string, short?: string): Flag => ({ name, help, ...(short === undefined ? {} : { short }) });

/** Accepted before and after the subcommand. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  value('config', 'configuration file instead of the .sops.yaml found upward from here [$SOPS_CONFIG]'),
  value('indent', 'spaces per level of YAML or JSON output'),
  toggle('mac-only-encrypted', 'compute the MAC over encrypted values only'),
  toggle('strict', "fail on unknown fields of the configuration (Sotto's own)"),
  toggle('verbose', 'accepted, without effect'),
  toggle('disable-version-check', 'accepted, without effect: versions are never looked up'),
  toggle('check-for-updates', 'accepted, without effect: versions are never looked up'),
  { ...value('keyservice', 'key service to ask as well, tcp://host:port or unix:///path [$SOPS_KEYSERVICE]'), repeat: true },
];

export const TYPE_FLAGS: readonly Flag[] = [
  value('input-type', 'yaml, json, dotenv, ini or binary; default by suffix'),
  value('output-type', 'yaml, json, dotenv, ini or binary; default the input type'),
];
export const IN_PLACE = toggle('in-place', 'write back to the same file', 'i');
const OUTPUT = value('output', 'write to this file');
export const FILENAME = value('filename-override', 'name that decides format and creation rule; needed when reading from stdin');
export const FILE_FLAGS: readonly Flag[] = [IN_PLACE, OUTPUT, ...TYPE_FLAGS, FILENAME];
export const ORDER = value('decryption-order', 'comma list of key types to try first [$SOPS_DECRYPTION_ORDER]');
export const IGNORE_MAC = toggle('ignore-mac', 'do not check the message authentication code');
export const THRESHOLD = value('shamir-secret-sharing-threshold', 'key groups needed to open the file');
export const CONTEXT = value('encryption-context', 'comma list of key:value pairs for AWS KMS');
export const PROFILE = value('aws-profile', 'profile for AWS KMS');
export const BACKGROUND = toggle('background', 'do not wait for the command (deprecated)');
export const USER = value('user', 'run the command as this user');

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

export const KEY_FLAG_LIST: readonly Flag[] = [
  ...KEY_FLAGS.map((key) => value(key.flag, `comma list of keys [$${key.variable}]`, 'short' in key ? key.short : undefined)),
  PROFILE,
  CONTEXT,
];

/** `--add-X` and `--rm-X`. */
export const CHANGE_KEY_FLAGS: readonly Flag[] = KEY_FLAGS.flatMap(({ flag }) => [
  value(`add-${flag}`, 'comma list of keys to add to the first group'),
  value(`rm-${flag}`, 'comma list of keys to remove'),
]);

/** Flags of the six selection rules and their property. */
export const SELECTION_FLAGS = [
  ['encrypted-suffix', 'encryptedSuffix'],
  ['unencrypted-suffix', 'unencryptedSuffix'],
  ['encrypted-regex', 'encryptedRegex'],
  ['unencrypted-regex', 'unencryptedRegex'],
  ['encrypted-comment-regex', 'encryptedCommentRegex'],
  ['unencrypted-comment-regex', 'unencryptedCommentRegex'],
] as const;
export const SELECTION_FLAG_LIST: readonly Flag[] = SELECTION_FLAGS.map(([name]) => value(name, 'selects what is encrypted'));

export const EXTRACT = value('extract', 'print only the value at this path, such as ["a"]["list"][0]');
export const SET = value('set', 'a path and a JSON value');
export const SHOW_KEYS = toggle('show-master-keys', 'show the sops metadata in the editor', 's');

/** In the older form every flag of every mode is accepted. */
export const LEGACY_FLAGS: readonly Flag[] = [
  ...FILE_FLAGS,
  ...KEY_FLAG_LIST,
  ...CHANGE_KEY_FLAGS,
  ...SELECTION_FLAG_LIST,
  THRESHOLD,
  IGNORE_MAC,
  ORDER,
  EXTRACT,
  SET,
  SHOW_KEYS,
];
