import { SottoError } from '../../base/errors/index.ts';
import type { YamlNode, YamlScalar } from '../../text/yaml/index.ts';
import { resolveScalar } from '../../text/yaml/index.ts';

/**
 * The expected form of a configuration value: Go's encoding/json with unknown fields disallowed, field names
 * matched in any case, null meaning absent.
 */
export type Shape = 'string' | 'bool' | 'int' | { readonly list: Shape } | { readonly map: Shape } | Fields;

export interface Fields {
  /** Name of the structure in messages. */
  readonly name: string;
  readonly fields: Readonly<Record<string, Shape>>;
}

interface Place {
  readonly file: string;
  /** `invalid Kustomization`, say. */
  readonly prefix: string;
  /** The structure and the path of fields, as Go names them: `Label` and `labels.pairs`. */
  readonly struct: string;
  readonly path: string;
  /** Unknown fields are ignored, and numbers and booleans are taken as text where a string is wanted. */
  readonly lenient?: boolean;
}

/**
 * Reads a YAML tree as the given shape. Absent and null fields are left out of the result; the caller's type says
 * what the shape says.
 *
 * @throws SottoError KUSTOMIZE_INVALID_FILE with the line
 */
export function decode(node: YamlNode, shape: Shape, place: Place): unknown {
  if (isNullNode(node)) return undefined;
  if (shape === 'string' || shape === 'bool' || shape === 'int') return decodeScalar(node, shape, place);
  if ('list' in shape) {
    if (node.kind !== 'sequence') throw mismatch(node, '[]', place);
    return node.items.map((item) => decode(item, shape.list, place) ?? zeroOf(shape.list));
  }
  if (node.kind !== 'map') throw mismatch(node, 'map' in shape ? 'map' : shape.name, place);
  const entries: [string, unknown][] = [];
  for (const { key, value } of node.items) {
    const name = keyText(key);
    if ('map' in shape) {
      entries.push([name, decode(value, shape.map, place) ?? zeroOf(shape.map)]);
      continue;
    }
    const field = fieldNamed(shape, name);
    if (field === undefined) {
      if (place.lenient === true) continue;
      throw unknownField(key, name, place);
    }
    const path = place.path === '' ? field : `${place.path}.${field}`;
    const decoded = decode(value, shape.fields[field] ?? 'string', { ...place, struct: shape.name, path });
    if (decoded !== undefined) entries.push([field, decoded]);
  }
  return Object.fromEntries(entries);
}

function fieldNamed(shape: Fields, name: string): string | undefined {
  if (Object.hasOwn(shape.fields, name)) return name;
  const lower = name.toLowerCase();
  return Object.keys(shape.fields).find((field) => field.toLowerCase() === lower);
}

function zeroOf(shape: Shape): unknown {
  if (shape === 'string') return '';
  if (shape === 'bool') return false;
  if (shape === 'int') return 0;
  return 'list' in shape ? [] : {};
}

const TYPES = { string: '!!str', bool: '!!bool', int: '!!int' } as const;

function decodeScalar(node: YamlNode, shape: 'string' | 'bool' | 'int', place: Place): unknown {
  if (node.kind !== 'scalar') throw mismatch(node, shape, place);
  const value = valueOf(node);
  if (shape === 'string' && (typeof value === 'string' || place.lenient === true)) return typeof value === 'string' ? value : node.text;
  if (shape === 'bool' && typeof value === 'boolean') return value;
  if (shape === 'int' && Number.isSafeInteger(Number(value)) && (typeof value === 'number' || typeof value === 'bigint'))
    return Number(value);
  throw mismatch(node, shape, place);
}

function valueOf(node: YamlScalar): null | boolean | number | bigint | string {
  const tag = node.tag in TYPES || node.style !== 'plain' ? node.tag : undefined;
  return resolveScalar(node.text, node.style, node.style === 'plain' ? tag : undefined, 'yaml11').value;
}

/** A map key as sigs.k8s.io/yaml turns it into JSON: `yes` is the key `true`. */
export function keyText(key: YamlNode): string {
  if (key.kind !== 'scalar') return '';
  if (key.style !== 'plain' || key.tag === '!!str') return key.text;
  return String(valueOf(key));
}

function isNullNode(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.tag === '!!null';
}

function jsonTypeOf(node: YamlNode): string {
  if (node.kind === 'sequence') return 'array';
  if (node.kind === 'map') return 'object';
  const value = valueOf(node);
  return typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
}

function mismatch(node: YamlNode, wanted: string, { file, prefix, struct, path }: Place): SottoError {
  return new SottoError(
    'KUSTOMIZE_INVALID_FILE',
    `${prefix}: json: cannot unmarshal ${jsonTypeOf(node)} into Go struct field ${struct}.${path} of type ${wanted}`,
    { at: { file, line: node.line, column: node.column }, ...hintFor(node, wanted) },
  );
}

function hintFor(node: YamlNode, wanted: string): { hint?: string } {
  return wanted === 'string' && node.kind === 'scalar' ? { hint: 'quote the value to make it a string' } : {};
}

function unknownField(key: YamlNode, name: string, { file, prefix }: Place): SottoError {
  return new SottoError('KUSTOMIZE_INVALID_FILE', `${prefix}: json: unknown field "${name}"`, {
    at: { file, line: key.line, column: key.column },
    hint: 'check the spelling and the indentation of the field',
  });
}
