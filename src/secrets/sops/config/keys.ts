import { masterKeyOf, type KeyFields, type MasterKeyType } from '../../keys/index.ts';
import { splitCommas, type ConfigReader, type Fields } from './reader.ts';
import type { ConfiguredKey } from './types.ts';

/** Builds a key from one entry of a comma text, as flags and rules have it. */
const FROM_TEXT: Readonly<Record<MasterKeyType, (text: string) => KeyFields>> = {
  age: (recipient) => ({ recipient }),
  pgp: (fp) => ({ fp: fp.replaceAll(' ', '') }),
  kms: (text) => {
    const [arn = '', role = ''] = text.split('+');
    return { arn, role };
  },
  gcp_kms: (id) => ({ resource_id: id }),
  hckms: (id) => ({ key_id: id }),
  azure_kv: (url) => {
    const match = /^(https:\/\/[^/]+)\/keys\/([^/]+)(?:\/([^/]*))?$/.exec(url);
    return { vault_url: match?.[1] ?? url, name: match?.[2] ?? '', version: match?.[3] ?? '' };
  },
  hc_vault: (uri) => {
    const match = /^(https?:\/\/[^/]+)\/v1\/(.+)\/keys\/([^/]+)$/.exec(uri);
    return { vault_address: match?.[1] ?? uri, engine_path: match?.[2] ?? '', key_name: match?.[3] ?? '' };
  },
};

/** Key fields of a creation rule, in wrap order. */
const FLAT_FIELDS: readonly (readonly [field: string, type: MasterKeyType])[] = [
  ['age', 'age'],
  ['pgp', 'pgp'],
  ['kms', 'kms'],
  ['gcp_kms', 'gcp_kms'],
  ['hckms', 'hckms'],
  ['azure_keyvault', 'azure_kv'],
  ['hc_vault_transit_uri', 'hc_vault'],
];
export const FLAT_FIELD_NAMES: readonly string[] = [...FLAT_FIELDS.map(([field]) => field), 'aws_profile'];

/** The keys of one comma text. */
export function keysOfText(type: MasterKeyType, text: string): ConfiguredKey[] {
  return splitCommas([text]).map((part) => ({ type, fields: FROM_TEXT[type](part) }));
}

/** The one group that the flat key fields of a rule make; duplicates stay, as upstream has it. */
export function flatGroup(rule: Fields, where: string, reader: ConfigReader): ConfiguredKey[] {
  const profile = reader.text(rule, 'aws_profile', where);
  return FLAT_FIELDS.flatMap(([field, type]) =>
    reader.texts(rule, field, where).map((part) => {
      const fields = FROM_TEXT[type](part);
      return { type, fields: type === 'kms' && profile !== '' ? { ...fields, aws_profile: profile } : fields };
    }),
  );
}

interface GroupField {
  readonly field: string;
  readonly type: MasterKeyType;
  /** Map fields in configuration and in metadata; without it entries are texts. */
  readonly names?: Readonly<Record<string, string>>;
}

/** Fields of a key group, in wrap order. */
const GROUP_FIELDS: readonly GroupField[] = [
  { field: 'age', type: 'age' },
  { field: 'pgp', type: 'pgp' },
  { field: 'kms', type: 'kms', names: { arn: 'arn', role: 'role', context: 'context', aws_profile: 'aws_profile' } },
  { field: 'gcp_kms', type: 'gcp_kms', names: { resource_id: 'resource_id' } },
  { field: 'hckms', type: 'hckms', names: { key_id: 'key_id' } },
  { field: 'azure_keyvault', type: 'azure_kv', names: { vaultUrl: 'vault_url', key: 'name', version: 'version' } },
  { field: 'hc_vault', type: 'hc_vault' },
];

/** A key group: merged groups first, then its own keys; duplicates removed. */
export function keyGroup(value: unknown, where: string, reader: ConfigReader): ConfiguredKey[] {
  const seen = new Set<string>();
  return collectGroup(value, where, reader, 0).filter((key) => {
    const identity = `${key.type} ${masterKeyOf(key.type, key.fields).display}`;
    return !seen.has(identity) && seen.add(identity) !== undefined;
  });
}

const MAX_MERGE_DEPTH = 50;

function collectGroup(value: unknown, where: string, reader: ConfigReader, depth: number): ConfiguredKey[] {
  if (depth > MAX_MERGE_DEPTH) throw reader.error(where, `merge nests more than ${MAX_MERGE_DEPTH} levels`);
  const group = reader.fields(value, where, ['merge', ...GROUP_FIELDS.map(({ field }) => field)]);
  const merged = reader
    .list(group, 'merge', where)
    .flatMap((inner, index) => collectGroup(inner, `${where}.merge[${index}]`, reader, depth + 1));
  return [...merged, ...GROUP_FIELDS.flatMap((field) => groupKeys(group, field, where, reader))];
}

function groupKeys(group: Fields, { field, type, names }: GroupField, where: string, reader: ConfigReader): ConfiguredKey[] {
  return reader.list(group, field, where).flatMap((item, index) => {
    const place = `${where}.${field}[${index}]`;
    if (names === undefined) return keysOfText(type, reader.text({ item }, 'item', place));
    const map = reader.fields(item, place, Object.keys(names));
    const fields = Object.entries(names).map(
      ([from, to]) => [to, to === 'context' ? context(map, place, reader) : reader.text(map, from, place)] as const,
    );
    return [{ type, fields: Object.fromEntries(fields) as KeyFields }];
  });
}

function context(map: Fields, where: string, reader: ConfigReader): Record<string, string> {
  const value = Object.hasOwn(map, 'context') ? map['context'] : undefined;
  const pairs = reader.fields(value, `${where}.context`, typeof value === 'object' && value !== null ? Object.keys(value) : []);
  return Object.fromEntries(Object.keys(pairs).map((name) => [name, reader.text(pairs, name, `${where}.context`)]));
}
