import { SELECTION_FIELDS } from '../selection.ts';

const TEXT = { type: 'string' };
const COMMA_TEXT = { anyOf: [TEXT, { type: 'array', items: TEXT }] };
const FLAG = { type: 'boolean' };

function object(properties: Readonly<Record<string, unknown>>, required: readonly string[] = []): Readonly<Record<string, unknown>> {
  return { type: 'object', additionalProperties: false, properties, ...(required.length === 0 ? {} : { required }) };
}

function list(items: unknown): Readonly<Record<string, unknown>> {
  return { type: 'array', items };
}

const KEY_GROUP = object({
  merge: list({ $ref: '#/$defs/keyGroup' }),
  age: list(TEXT),
  pgp: list(TEXT),
  kms: list(object({ arn: TEXT, role: TEXT, context: { type: 'object', additionalProperties: TEXT }, aws_profile: TEXT }, ['arn'])),
  gcp_kms: list(object({ resource_id: TEXT }, ['resource_id'])),
  hckms: list(object({ key_id: TEXT }, ['key_id'])),
  azure_keyvault: list(object({ vaultUrl: TEXT, key: TEXT, version: TEXT }, ['vaultUrl', 'key'])),
  hc_vault: list(TEXT),
});

const CREATION_RULE = object({
  path_regex: { ...TEXT, description: 'RE2, unanchored, against the path relative to this file; absent: every file' },
  age: COMMA_TEXT,
  pgp: COMMA_TEXT,
  kms: COMMA_TEXT,
  aws_profile: TEXT,
  gcp_kms: COMMA_TEXT,
  hckms: COMMA_TEXT,
  azure_keyvault: COMMA_TEXT,
  hc_vault_transit_uri: COMMA_TEXT,
  key_groups: { ...list({ $ref: '#/$defs/keyGroup' }), description: 'replaces the keys above' },
  shamir_threshold: { type: 'integer', minimum: 0, description: 'key groups that are needed to open a file; absent: all' },
  mac_only_encrypted: { ...FLAG, description: 'the MAC covers encrypted values only' },
  ...Object.fromEntries(SELECTION_FIELDS.map(([field]) => [field, { ...TEXT, description: 'at most one of the six selection rules' }])),
});

const DESTINATION_RULE = object({
  path_regex: TEXT,
  s3_bucket: TEXT,
  s3_prefix: TEXT,
  gcs_bucket: TEXT,
  gcs_prefix: TEXT,
  vault_path: TEXT,
  vault_address: TEXT,
  vault_kv_mount_name: TEXT,
  vault_kv_version: { enum: [1, 2] },
  recreation_rule: { $ref: '#/$defs/creationRule' },
  omit_extensions: FLAG,
});

const INDENT = object({ indent: { type: 'integer' } });

/** The JSON Schema (2020-12) of `.sops.yaml`, for editors. Fields that have no effect are errors in it. */
export const CONFIG_SCHEMA: Readonly<Record<string, unknown>> = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: '.sops.yaml',
  ...object({
    creation_rules: { ...list({ $ref: '#/$defs/creationRule' }), description: 'the first rule that matches a path counts' },
    destination_rules: list({ $ref: '#/$defs/destinationRule' }),
    stores: object({ yaml: INDENT, json: INDENT, json_binary: INDENT, dotenv: object({}), ini: object({}) }),
  }),
  $defs: { creationRule: CREATION_RULE, destinationRule: DESTINATION_RULE, keyGroup: KEY_GROUP },
};
