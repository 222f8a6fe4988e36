import type { Type } from 'protobufjs';

import type { KeyFields, MasterKey, MasterKeyType } from '../../keys/index.ts';

/**
 * The key service protocol of SOPS (sops:keyservice/keyservice.proto): two unary calls over HTTP/2 without TLS.
 */
export type Method = 'Encrypt' | 'Decrypt';

/** The full name of a call. */
export function pathOf(method: Method): string {
  return `/KeyService/${method}`;
}

/** One line per key type: its field in `Key`, and how its fields are called in SOPS metadata. */
const KEY_MESSAGES: readonly {
  readonly type: MasterKeyType;
  readonly field: string;
  readonly message: string;
  /** Name in the protocol → name in metadata, in the order of the field numbers. */
  readonly names: readonly (readonly [protocol: string, metadata: string])[];
}[] = [
  {
    type: 'kms',
    field: 'kmsKey',
    message: 'KmsKey',
    names: [
      ['arn', 'arn'],
      ['role', 'role'],
      ['context', 'context'],
      ['awsProfile', 'aws_profile'],
    ],
  },
  { type: 'pgp', field: 'pgpKey', message: 'PgpKey', names: [['fingerprint', 'fp']] },
  { type: 'gcp_kms', field: 'gcpKmsKey', message: 'GcpKmsKey', names: [['resourceId', 'resource_id']] },
  {
    type: 'azure_kv',
    field: 'azureKeyvaultKey',
    message: 'AzureKeyVaultKey',
    names: [
      ['vaultUrl', 'vault_url'],
      ['name', 'name'],
      ['version', 'version'],
    ],
  },
  {
    type: 'hc_vault',
    field: 'vaultKey',
    message: 'VaultKey',
    names: [
      ['vaultAddress', 'vault_address'],
      ['enginePath', 'engine_path'],
      ['keyName', 'key_name'],
    ],
  },
  { type: 'age', field: 'ageKey', message: 'AgeKey', names: [['recipient', 'recipient']] },
  { type: 'hckms', field: 'hckmsKey', message: 'HckmsKey', names: [['keyId', 'key_id']] },
];

type Fields = Readonly<Record<string, unknown>>;

/** Encodes and decodes the four messages. */
export interface Codec {
  encode(message: 'EncryptRequest' | 'EncryptResponse' | 'DecryptRequest' | 'DecryptResponse', value: Fields): Uint8Array;
  /** @throws Error for bytes that are no message */
  decode(message: 'EncryptRequest' | 'EncryptResponse' | 'DecryptRequest' | 'DecryptResponse', bytes: Uint8Array): Fields;
}

/** Loads the protobuf library when it is first used. */
export async function loadCodec(): Promise<Codec> {
  const { default: protobuf } = await import('protobufjs');
  const root = protobuf.Root.fromJSON({ nested: messages() });
  const types = new Map<string, Type>();
  const typeOf = (message: string): Type => {
    const type = types.get(message) ?? root.lookupType(message);
    types.set(message, type);
    return type;
  };
  return {
    encode: (message, value) => {
      const type = typeOf(message);
      return type.encode(type.fromObject(value)).finish();
    },
    decode: (message, bytes) => {
      const type = typeOf(message);
      return type.toObject(type.decode(bytes), { defaults: true, objects: false, bytes: Uint8Array });
    },
  };
}

function messages(): Record<string, object> {
  const field = (type: string, id: number): object => ({ type, id });
  const keys = KEY_MESSAGES.map(({ message, names }) => [
    message,
    {
      fields: Object.fromEntries(
        names.map(([name], index) => [name, { ...field('string', index + 1), ...(name === 'context' ? { keyType: 'string' } : {}) }]),
      ),
    },
  ]);
  const key = {
    oneofs: { keyType: { oneof: KEY_MESSAGES.map(({ field: name }) => name) } },
    fields: Object.fromEntries(KEY_MESSAGES.map(({ field: name, message }, index) => [name, field(message, index + 1)])),
  };
  return {
    ...Object.fromEntries(keys),
    Key: key,
    EncryptRequest: { fields: { key: field('Key', 1), plaintext: field('bytes', 2) } },
    EncryptResponse: { fields: { ciphertext: field('bytes', 1) } },
    DecryptRequest: { fields: { key: field('Key', 1), ciphertext: field('bytes', 2) } },
    DecryptResponse: { fields: { plaintext: field('bytes', 1) } },
  };
}

/** A master key as the protocol's `Key`. */
export function keyMessage(key: MasterKey): Fields {
  const found = KEY_MESSAGES.find(({ type }) => type === key.type);
  const fields: KeyFields = key.fields ?? { recipient: key.display };
  if (found === undefined) return {};
  const named = found.names.map(([protocol, metadata]) => [protocol, fields[metadata] ?? (metadata === 'context' ? {} : '')] as const);
  return { [found.field]: Object.fromEntries(named) };
}

/** What a `Key` names: its type and the fields that metadata have; undefined for an empty or unknown one. */
export function keyOfMessage(message: unknown): { readonly type: MasterKeyType; readonly fields: KeyFields } | undefined {
  const key = fieldsOf(message);
  const found = KEY_MESSAGES.find(({ field }) => typeof key[field] === 'object' && key[field] !== null);
  if (found === undefined) return undefined;
  const given = fieldsOf(key[found.field]);
  const fields = found.names.flatMap(([protocol, metadata]): (readonly [string, KeyFields[string]])[] => {
    const value = given[protocol];
    if (metadata === 'context') return [[metadata, textsOf(value)]];
    return [[metadata, typeof value === 'string' ? value : '']];
  });
  return { type: found.type, fields: Object.fromEntries(fields) };
}

/** The bytes of a field; empty when it is missing. */
export function bytesOf(message: Fields, name: string): Uint8Array {
  const value = message[name];
  return value instanceof Uint8Array ? new Uint8Array(value) : new Uint8Array();
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function textsOf(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).flatMap(([name, text]) => (typeof text === 'string' ? [[name, text]] : [])));
}
