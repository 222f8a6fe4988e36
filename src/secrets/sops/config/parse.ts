import { parseYaml } from '../../../text/yaml/index.ts';
import { activeRules, SELECTION_FIELDS, selectionConflict } from '../selection.ts';
import type { SelectionRule } from '../types.ts';
import { readDestinationRule } from './destinations.ts';
import { flatGroup, FLAT_FIELD_NAMES, keyGroup } from './keys.ts';
import { ConfigReader, type Fields } from './reader.ts';
import type { CreationRule, SopsConfig, StoreSettings } from './types.ts';

const TOP_FIELDS = ['creation_rules', 'destination_rules', 'stores'];
const RULE_FIELDS = [
  'path_regex',
  'key_groups',
  'shamir_threshold',
  'mac_only_encrypted',
  ...FLAT_FIELD_NAMES,
  ...SELECTION_FIELDS.map(([field]) => field),
];
const STORE_FIELDS: readonly (readonly [field: string, property: keyof StoreSettings])[] = [
  ['yaml', 'yaml'],
  ['json', 'json'],
  ['json_binary', 'jsonBinary'],
];

/**
 * Parses `.sops.yaml`. Unknown fields, which upstream ignores in silence, are warnings by name.
 *
 * @param file name of the file; creation rules match paths relative to its directory
 * @throws SottoError SOPS_CONFIG_INVALID, SOPS_SELECTION_CONFLICT, or what parsing YAML throws
 */
export function parseConfig(text: string, file: string): SopsConfig {
  const reader = new ConfigReader(file);
  const top = reader.fields(readYaml(text, file, reader), 'the file', TOP_FIELDS);
  const rules = Object.hasOwn(top, 'creation_rules') ? top['creation_rules'] : undefined;
  const creationRules =
    rules === undefined || rules === null
      ? undefined
      : reader.list(top, 'creation_rules', 'the file').map((rule, index) => readRule(rule, `creation_rules[${index}]`, reader));
  const destinationRules = reader
    .list(top, 'destination_rules', 'the file')
    .map((rule, index) =>
      readDestinationRule(rule, `destination_rules[${index}]`, reader, (value, where) => readRule(value, where, reader)),
    );
  return { file, creationRules, destinationRules, stores: readStores(top, reader), warnings: reader.warnings };
}

function readYaml(text: string, file: string, reader: ConfigReader): unknown {
  try {
    return parseYaml(text, { profile: 'goYaml3', file })[0]?.value;
  } catch (error) {
    // the YAML library is recursive
    if (error instanceof RangeError) throw reader.error('the file', 'nested too deeply');
    throw error;
  }
}

function readRule(value: unknown, where: string, reader: ConfigReader): CreationRule {
  const rule = reader.fields(value, where, RULE_FIELDS);
  const selection = Object.fromEntries(
    SELECTION_FIELDS.map(([field, property]) => [property, reader.text(rule, field, where)]),
  ) as SelectionRule;
  const active = activeRules(selection);
  if (active.length > 1) throw selectionConflict();
  const shamirThreshold = reader.integer(rule, 'shamir_threshold', where) ?? 0;
  if (shamirThreshold < 0) throw reader.error(`${where}.shamir_threshold`, 'expected a positive number');
  return {
    pathRegex: reader.text(rule, 'path_regex', where),
    groups: readGroups(rule, where, reader),
    shamirThreshold,
    selection: Object.fromEntries(active) as SelectionRule,
    macOnlyEncrypted: reader.flag(rule, 'mac_only_encrypted', where),
  };
}

function readGroups(rule: Fields, where: string, reader: ConfigReader): CreationRule['groups'] {
  const groups = reader.list(rule, 'key_groups', where);
  const flat = flatGroup(rule, where, reader);
  if (groups.length === 0) return [flat];
  if (flat.length > 0) reader.warn(where, 'the keys beside key_groups have no effect');
  return groups.map((group, index) => keyGroup(group, `${where}.key_groups[${index}]`, reader));
}

function readStores(top: Fields, reader: ConfigReader): StoreSettings {
  const stores = reader.fields(Object.hasOwn(top, 'stores') ? top['stores'] : undefined, 'stores', [
    'dotenv',
    'ini',
    ...STORE_FIELDS.map(([field]) => field),
  ]);
  const settings = STORE_FIELDS.flatMap(([field, property]) => {
    const store = reader.fields(Object.hasOwn(stores, field) ? stores[field] : undefined, `stores.${field}`, ['indent']);
    const indent = reader.integer(store, 'indent', `stores.${field}`);
    return indent === undefined ? [] : [[property, indent] as const];
  });
  return Object.fromEntries(settings);
}
