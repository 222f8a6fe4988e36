import { SottoError } from '../../../base/errors/index.ts';
import { compileRegExp } from '../../../text/regexp/index.ts';
import type { ConfigReader } from './reader.ts';
import type { CreationRule, Destination, DestinationRule, SopsConfig } from './types.ts';

const FIELDS = [
  'path_regex',
  's3_bucket',
  's3_prefix',
  'gcs_bucket',
  'gcs_prefix',
  'vault_path',
  'vault_address',
  'vault_kv_mount_name',
  'vault_kv_version',
  'recreation_rule',
  'omit_extensions',
];
const DEFAULT_MOUNT = 'secret/';
const DEFAULT_KV_VERSION = 2;

/** Reads one of `destination_rules`. @throws SottoError SOPS_CONFIG_INVALID unless it names exactly one destination */
export function readDestinationRule(
  value: unknown,
  where: string,
  reader: ConfigReader,
  readCreationRule: (value: unknown, where: string) => CreationRule,
): DestinationRule {
  const rule = reader.fields(value, where, FIELDS);
  const text = (name: string): string => reader.text(rule, name, where);
  const destinations: Destination[] = [
    ...(text('s3_bucket') === '' ? [] : [{ kind: 's3' as const, bucket: text('s3_bucket'), prefix: text('s3_prefix') }]),
    ...(text('gcs_bucket') === '' ? [] : [{ kind: 'gcs' as const, bucket: text('gcs_bucket'), prefix: text('gcs_prefix') }]),
    ...(text('vault_path') === '' ? [] : [vaultDestination(rule, where, reader)]),
  ];
  const [destination, second] = destinations;
  if (destination === undefined) throw reader.error(where, 'names no destination: s3_bucket, gcs_bucket or vault_path');
  if (second !== undefined)
    throw reader.error(where, 'names more than one destination: only one of s3_bucket, gcs_bucket and vault_path can be used');
  if (compiled(text('path_regex')) === undefined) reader.warn(`${where}.path_regex`, 'does not compile and matches nothing');
  const recreation = Object.hasOwn(rule, 'recreation_rule') ? rule['recreation_rule'] : undefined;
  return {
    pathRegex: text('path_regex'),
    destination,
    recreationRule: recreation === undefined || recreation === null ? undefined : readCreationRule(recreation, `${where}.recreation_rule`),
    omitExtensions: reader.flag(rule, 'omit_extensions', where),
  };
}

function vaultDestination(rule: Readonly<Record<string, unknown>>, where: string, reader: ConfigReader): Destination {
  const version = reader.integer(rule, 'vault_kv_version', where) ?? DEFAULT_KV_VERSION;
  if (version !== 1 && version !== 2) throw reader.error(`${where}.vault_kv_version`, 'expected 1 or 2');
  const mount = reader.text(rule, 'vault_kv_mount_name', where);
  return {
    kind: 'vault',
    path: reader.text(rule, 'vault_path', where),
    address: reader.text(rule, 'vault_address', where),
    mount: mount === '' ? DEFAULT_MOUNT : mount,
    version,
  };
}

/**
 * The first destination rule for a path, which is matched as it is given, unanchored. A pattern that does not compile matches nothing,
 * as upstream has it, but is a warning of the configuration.
 *
 * @throws SottoError SOPS_NO_RULE
 */
export function matchDestinationRule(config: SopsConfig, path: string): DestinationRule {
  const found = config.destinationRules.find(({ pathRegex }) => pathRegex === '' || isMatch(pathRegex, path));
  if (found !== undefined) return found;
  throw new SottoError('SOPS_NO_RULE', 'error loading config: no matching destination found in config', {
    at: { file: config.file },
    hint: `no path_regex of destination_rules matches ${path}`,
  });
}

function isMatch(pattern: string, path: string): boolean {
  return compiled(pattern)?.test(path) === true;
}

function compiled(pattern: string): ReturnType<typeof compileRegExp> | undefined {
  try {
    return compileRegExp(pattern);
  } catch (error) {
    if (error instanceof SottoError) return undefined;
    throw error;
  }
}
