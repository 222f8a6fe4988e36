import { SottoError } from '../../base/errors/index.ts';
import type { KeyFields, MasterKey, MasterKeyType } from '../keys/index.ts';
import { keyWithFields } from './key-services.ts';
import { activeRules, DEFAULT_SELECTION, SELECTION_FIELDS, selectionConflict } from './selection.ts';
import { normalTime } from './times.ts';
import { entriesOf, entry, map, str, textOf, type SopsEntry, type SopsMap, type SopsValue } from './tree.ts';
import type { SelectionRule } from './types.ts';

/** The key of a document under which its metadata lie. */
export const METADATA_KEY = 'sops';

/** The format version that Sotto writes: that of the SOPS release it follows. */
export const FORMAT_VERSION = '3.13.3';

/** One wrapped data key. */
export interface KeyEntry {
  readonly type: MasterKeyType;
  /** The fields that identify the key. */
  readonly fields: KeyFields;
  readonly enc: string;
  readonly createdAt?: string;
}

/** The `sops` block of a file. */
export interface Metadata {
  readonly groups: readonly (readonly KeyEntry[])[];
  /** 0 means: all groups. */
  readonly shamirThreshold: number;
  readonly lastModified: string;
  /** The token of the MAC; may be empty. */
  readonly mac: string;
  readonly macOnlyEncrypted: boolean;
  readonly selection: SelectionRule;
  /** Version of the writer; empty in very old files. */
  readonly version: string;
}

/** Key lists in the order in which keys of one group are tried. */
const LISTS: readonly MasterKeyType[] = ['kms', 'gcp_kms', 'hckms', 'azure_kv', 'hc_vault', 'pgp', 'age'];
/** Alphabetical, as files have them. */
const WRITTEN_LISTS = LISTS.toSorted();
/** Fields of an entry in write order; `created_at` and `enc` stand for themselves. */
const ENTRY_FIELDS: Readonly<Record<MasterKeyType, readonly string[]>> = {
  kms: ['arn', 'aws_profile', 'context', 'created_at', 'enc', 'role'],
  gcp_kms: ['created_at', 'enc', 'resource_id'],
  hckms: ['created_at', 'enc', 'key_id'],
  azure_kv: ['created_at', 'enc', 'name', 'vault_url', 'version'],
  hc_vault: ['created_at', 'enc', 'engine_path', 'key_name', 'vault_address'],
  age: ['enc', 'recipient'],
  pgp: ['created_at', 'enc', 'fp'],
};
/** A group of several always carries these, even empty. */
const ALWAYS_WRITTEN = new Set<MasterKeyType>(['age', 'hc_vault']);
const OMITTED_WHEN_EMPTY = new Set(['context', 'role']);

/**
 * Reads a `sops` block. Field names are matched without case, unknown ones ignored, strings taken for booleans and
 * numbers, a single map for a list of one.
 *
 * @throws SottoError SOPS_METADATA_INVALID, SOPS_SELECTION_CONFLICT
 */
export function parseMetadata(block: SopsMap, warn: (message: string) => void = () => undefined): Metadata {
  const groups = readGroups(block, warn);
  if (groups.every((group) => group.length === 0)) throw invalid('No keys found in file');
  const lastModified = text(block, 'lastmodified');
  if (normalTime(lastModified) === undefined) throw invalid('lastmodified is missing or is no RFC 3339 timestamp');
  const selection = Object.fromEntries(SELECTION_FIELDS.map(([field, property]) => [property, text(block, field)])) as SelectionRule;
  const rules = activeRules(selection);
  if (rules.length > 1) throw selectionConflict();
  const version = text(block, 'version');
  if (!/^\d+(?:\.\d+)*/.test(version)) warn('the sops metadata have no valid version; the file is read all the same');
  return {
    groups,
    shamirThreshold: readThreshold(block),
    lastModified,
    mac: text(block, 'mac'),
    macOnlyEncrypted: readFlag(block, 'mac_only_encrypted'),
    selection: rules.length === 0 ? DEFAULT_SELECTION : (Object.fromEntries(rules) as SelectionRule),
    version,
  };
}

function readGroups(block: SopsMap, warn: (message: string) => void): KeyEntry[][] {
  const flat = readGroup(block);
  const groups = maps(field(block, 'key_groups'), 'key_groups');
  if (flat.length === 0) return groups.map(readGroup);
  if (groups.length > 0) warn('the sops metadata have keys outside key_groups; the groups have no effect');
  return [flat];
}

function readGroup(block: SopsMap): KeyEntry[] {
  return LISTS.flatMap((type) => maps(field(block, type), type).map((found) => readEntry(type, found)));
}

function readEntry(type: MasterKeyType, found: SopsMap): KeyEntry {
  const identifying = ENTRY_FIELDS[type].filter((name) => name !== 'enc' && name !== 'created_at');
  const fields = Object.fromEntries(identifying.map((name) => [name, name === 'context' ? readContext(found) : text(found, name)]));
  const createdAt = text(found, 'created_at');
  if (createdAt !== '' && normalTime(createdAt) === undefined) throw invalid(`created_at of a ${type} key is no RFC 3339 timestamp`);
  return { type, fields, enc: text(found, 'enc'), ...(createdAt === '' ? {} : { createdAt }) };
}

function readContext(found: SopsMap): Record<string, string> {
  const context = field(found, 'context');
  if (context?.kind !== 'map') return {};
  return Object.fromEntries(entriesOf(context).map((item) => [item.key, scalar(item.value)]));
}

function readThreshold(block: SopsMap): number {
  const written = text(block, 'shamir_threshold');
  if (written === '') return 0;
  if (!/^\d{1,9}$/.test(written)) throw invalid('shamir_threshold is no number');
  return Number(written);
}

function readFlag(block: SopsMap, name: string): boolean {
  const written = text(block, name).toLowerCase();
  if (written === '' || written === 'false' || written === '0') return false;
  if (written === 'true' || written === '1') return true;
  throw invalid(`${name} is neither true nor false`);
}

function field(block: SopsMap, name: string): SopsValue | undefined {
  const entries = entriesOf(block);
  return (entries.find((item) => item.key === name) ?? entries.find((item) => item.key.toLowerCase() === name))?.value;
}

function text(block: SopsMap, name: string): string {
  const value = field(block, name);
  return value === undefined ? '' : scalar(value);
}

function scalar(value: SopsValue): string {
  switch (value.kind) {
    case 'str':
      return textOf(value.bytes);
    case 'int':
    case 'bool':
    case 'float':
      return String(value.value);
    case 'time':
      return value.text;
    case 'null':
      return '';
    default:
      throw invalid('a text is expected where the metadata have a map or list');
  }
}

function maps(value: SopsValue | undefined, name: string): SopsMap[] {
  if (value === undefined || value.kind === 'null') return [];
  if (value.kind === 'map') return [value];
  if (value.kind === 'str' && value.bytes.length === 0) return [];
  if (value.kind !== 'list') throw invalid(`${name} is no list`);
  return value.items.flatMap((item) => {
    if (item.kind === 'comment' || item.kind === 'null') return [];
    if (item.kind !== 'map') throw invalid(`${name} holds something else than maps`);
    return [item];
  });
}

function invalid(problem: string): SottoError {
  return new SottoError('SOPS_METADATA_INVALID', `the sops metadata are invalid: ${problem}`);
}

/** The `sops` block of a file, in the canonical order. */
export function metadataBlock(metadata: Metadata): SopsMap {
  const { groups, selection } = metadata;
  const [only] = groups;
  const lists = groups.length === 1 && only !== undefined ? groupEntries(only, new Set()) : [];
  const several: SopsEntry[] =
    groups.length > 1
      ? [entry('key_groups', { kind: 'list', items: groups.map((group) => map(groupEntries(group, ALWAYS_WRITTEN))) })]
      : [];
  const rules = SELECTION_FIELDS.flatMap(([name, property]) => textEntry(name, selection[property] ?? ''));
  const flags: SopsEntry[] = [
    ...(metadata.macOnlyEncrypted ? [entry('mac_only_encrypted', { kind: 'bool', value: true })] : []),
    ...(metadata.shamirThreshold > 0 ? [entry('shamir_threshold', { kind: 'int', value: BigInt(metadata.shamirThreshold) })] : []),
  ];
  const always = [
    entry('lastmodified', str(metadata.lastModified)),
    entry('mac', str(metadata.mac)),
    entry('version', str(metadata.version)),
  ];
  return map([...lists, ...several, ...rules, ...flags, ...always].toSorted((a, b) => (a.key < b.key ? -1 : 1)));
}

function groupEntries(group: readonly KeyEntry[], always: ReadonlySet<MasterKeyType>): SopsEntry[] {
  return WRITTEN_LISTS.flatMap((type) => {
    const keys = group.filter((key) => key.type === type);
    return keys.length === 0 && !always.has(type) ? [] : [entry(type, { kind: 'list', items: keys.map(keyEntry) })];
  });
}

function keyEntry({ type, fields, enc, createdAt = '' }: KeyEntry): SopsMap {
  const known: KeyFields = { ...fields, enc, created_at: createdAt };
  return map(
    ENTRY_FIELDS[type].flatMap((name) => {
      const value = Object.hasOwn(known, name) ? (known[name] ?? '') : '';
      if (typeof value !== 'string') return contextEntry(value);
      return OMITTED_WHEN_EMPTY.has(name) && value === '' ? [] : [entry(name, str(value))];
    }),
  );
}

function contextEntry(context: Readonly<Record<string, string>>): SopsEntry[] {
  const pairs = Object.entries(context).map(([key, value]) => entry(key, str(value)));
  return pairs.length === 0 ? [] : [entry('context', map(pairs))];
}

function textEntry(name: string, value: string): SopsEntry[] {
  return value === '' ? [] : [entry(name, str(value))];
}

/** The master keys of a file, group by group. */
export function masterKeys(metadata: Pick<Metadata, 'groups'>): MasterKey[][] {
  return metadata.groups.map((group) => group.map((key) => keyWithFields(key.type, key.fields)));
}

/** True when `version` is older than `than`; versions that cannot be read count as older. */
export function isOlderVersion(version: string, than: string): boolean {
  const parts = (text: string): number[] => text.split('.').map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [parts(version), parts(than)];
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}
