import { createHash } from 'node:crypto';

import { stringifyJson, type Json } from '../../kube/objects/index.ts';
import { toJson } from '../../text/yaml/index.ts';
import { compareText } from './gvk.ts';
import { fieldOf, isMap } from './node.ts';
import type { Resource } from './resource.ts';

const LENGTH = 10;
const LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };

/** The fields that the hash covers, and which of them are left out unless they are maps (k:api/hasher/hasher.go). */
const HASHED: Readonly<Record<string, { readonly always: readonly string[]; readonly maps: readonly string[] }>> = {
  ConfigMap: { always: ['data'], maps: ['binaryData'] },
  Secret: { always: ['type', 'data'], maps: ['stringData'] },
};

/**
 * The suffix of a generated ConfigMap or Secret. The name takes no part: upstream looks it up where it never is, so
 * it is always empty.
 */
export function contentHash(resource: Resource): string {
  const { kind, root } = resource;
  const fields = HASHED[kind] ?? { always: [], maps: [] };
  const hashed = new Map<string, Json>([
    ['kind', kind],
    ['name', ''],
  ]);
  for (const field of fields.always) hashed.set(field, jsonOf(resource, field) ?? '');
  for (const field of fields.maps) if (isMap(fieldOf(root, field))) hashed.set(field, jsonOf(resource, field) ?? '');
  const digest = createHash('sha256')
    .update(canonicalJson(Object.fromEntries(hashed)))
    .digest('hex');
  return digest.slice(0, LENGTH).replaceAll(/./g, (digit) => LETTERS[digit] ?? digit);
}

function jsonOf(resource: Resource, field: string): Json | undefined {
  const node = fieldOf(resource.root, field);
  return node === undefined ? undefined : toJson(node, { profile: 'goYaml3', file: resource.source.file });
}

/** JSON as Go's encoding/json writes it: keys in byte order, HTML characters and line separators escaped. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return escapeHtml(stringifyJson(value));
  const keys = Object.keys(value).toSorted(compareText);
  return `{${keys.map((key) => `${escapeHtml(JSON.stringify(key))}:${canonicalJson(value[key] ?? null)}`).join(',')}}`;
}

function escapeHtml(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
