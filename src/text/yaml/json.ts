import { SottoError } from '../../base/errors/index.ts';
import { formatGoFloat } from './numbers.ts';
import { parseDocuments } from './parse.ts';
import { resolveScalar } from './resolve.ts';
import { formatTimestamp, hasTimeOfDay } from './timestamps.ts';
import type { ParseOptions, YamlMap, YamlNode, YamlProfile, YamlScalar, YamlValue } from './types.ts';

export interface ToJsonOptions {
  readonly profile: YamlProfile;
  /** For error positions. */
  readonly file?: string;
  /**
   * Where timestamps keep their text instead of becoming RFC 3339 (`goYaml3` only); kustomize does so in
   * `metadata.annotations`. Keys and indexes from the root.
   */
  readonly keepTimestamps?: (path: readonly (string | number)[]) => boolean;
}

interface Context extends ToJsonOptions {
  readonly path: (string | number)[];
  /** Inside `[…]` or `{…}`. */
  readonly flow: boolean;
}

/**
 * The JSON value of a tree. Merge keys are expanded: explicit keys win, earlier entries of a merge list win over
 * later ones. Keys that are no strings become strings. Integers beyond 2^53 are bigint. `__proto__` is an ordinary
 * key.
 *
 * `goYaml3` gives what kustomize reads: timestamps as RFC 3339 (but text with a time of day inside flow collections
 * stays), and `""` for an empty value in a flow mapping.
 *
 * @throws SottoError YAML_VALUE for what JSON cannot hold (`.inf`, `.nan`), YAML_MERGE for a merge of no mapping
 */
export function toJson(node: YamlNode, options: ToJsonOptions): YamlValue {
  return convert(node, { ...options, path: [], flow: false });
}

function convert(node: YamlNode, context: Context): YamlValue {
  if (node.kind === 'scalar') return scalarValue(node, context);
  const inner = node.flow ? { ...context, flow: true } : context;
  if (node.kind === 'sequence') {
    return node.items.map((item, index) => within(inner, index, () => convert(item, inner)));
  }
  const target: { [key: string]: YamlValue } = {};
  for (const [key, value] of effectiveItems(node, inner))
    setOwn(
      target,
      key,
      within(inner, key, () => convert(value, inner)),
    );
  return target;
}

function within<T>(context: Context, step: string | number, run: () => T): T {
  context.path.push(step);
  const result = run();
  context.path.pop();
  return result;
}

/** Items with merges applied, explicit ones first. */
function effectiveItems(node: YamlMap, context: Context): Map<string, YamlNode> {
  const items = new Map<string, YamlNode>();
  const merged: YamlMap[] = [];
  for (const { key, value } of node.items) {
    if (key.kind === 'scalar' && key.tag === '!!merge') merged.push(...mergeSources(value, context));
    else items.set(keyText(key, context), value);
  }
  for (const source of merged) {
    for (const [name, item] of effectiveItems(source, context)) if (!items.has(name)) items.set(name, item);
  }
  return items;
}

function mergeSources(value: YamlNode, context: Context): YamlMap[] {
  const sources = value.kind === 'sequence' ? value.items : [value];
  return sources.map((source) => {
    if (source.kind !== 'map') throw problem('YAML_MERGE', 'map merge requires map or sequence of maps as the value', source, context);
    return source;
  });
}

function keyText(key: YamlNode, context: Context): string {
  if (key.kind !== 'scalar') throw problem('YAML_VALUE', 'a mapping key must be a scalar', key, context);
  if (context.profile === 'goYaml3') return key.text;
  const { value } = resolved(key, context);
  if (value === null) return 'null';
  return typeof value === 'number' && key.tag === '!!float' ? formatGoFloat(value) : String(value);
}

function scalarValue(node: YamlScalar, context: Context): YamlValue {
  if (context.profile === 'goYaml3') {
    if (context.flow && node.style === 'plain' && node.text === '' && node.tag === '!!null') return '';
    if (node.tag === '!!timestamp') return timestampText(node, context);
  }
  const { value } = resolved(node, context);
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw problem('YAML_VALUE', `${formatGoFloat(value)} has no place in JSON`, node, context);
  }
  return Object.is(value, -0) ? 0 : value;
}

function timestampText(node: YamlScalar, context: Context): string {
  const keep = (context.flow && hasTimeOfDay(node.text)) || context.keepTimestamps?.(context.path) === true;
  return keep ? node.text : (formatTimestamp(node.text) ?? node.text);
}

function resolved(node: YamlScalar, context: Context): ReturnType<typeof resolveScalar> {
  try {
    return resolveScalar(node.text, node.style, knownTag(node), context.profile);
  } catch (error) {
    if (error instanceof SottoError) throw problem(error.code, error.message, node, context);
    throw error;
  }
}

/** The tag decides; a merge key used as a value, and unknown tags, are strings. */
function knownTag(node: YamlScalar): string {
  return /^!!(?:str|int|float|bool|null|timestamp|binary)$/.test(node.tag) ? node.tag : '!!str';
}

function problem(code: string, message: string, node: YamlNode, { file }: Context): SottoError {
  return new SottoError(code, message, { at: { ...(file === undefined ? {} : { file }), line: node.line, column: node.column } });
}

/** Sets an own key even when it is called `__proto__`. */
function setOwn(target: { [key: string]: YamlValue }, key: string, value: YamlValue): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}

/** One document as a JSON value. */
export interface YamlJsonDocument {
  /** Undefined for an empty document. */
  readonly value: YamlValue | undefined;
  /** Line on which its content starts, from 1. */
  readonly line: number;
}

/** All documents of a text as JSON values. Throws what {@link parseDocuments} and {@link toJson} throw. */
export function parseYaml(text: string, options: ParseOptions): YamlJsonDocument[] {
  return parseDocuments(text, options).map(({ root, line }) => ({ value: root === undefined ? undefined : toJson(root, options), line }));
}

/**
 * A tree of a JSON value, keys in their own order: strings tagged `!!str`, numbers `!!int` or (not integral) `!!float`.
 * Undefined object fields are left out.
 */
export function fromJson(value: YamlValue): YamlNode {
  const at = { line: 1, column: 1 };
  if (Array.isArray(value)) return { kind: 'sequence', tag: '!!seq', flow: false, items: value.map((item) => fromJson(item)), ...at };
  if (typeof value === 'object' && value !== null) {
    const items = Object.entries(value).map(([key, item]) => ({ key: fromJson(key), value: fromJson(item) }));
    return { kind: 'map', tag: '!!map', flow: false, items, ...at };
  }
  return { kind: 'scalar', style: 'plain', ...scalarOf(value), ...at };
}

function scalarOf(value: null | boolean | number | bigint | string): { tag: string; text: string } {
  if (value === null) return { tag: '!!null', text: 'null' };
  if (typeof value === 'boolean') return { tag: '!!bool', text: String(value) };
  if (typeof value === 'string') return { tag: '!!str', text: value };
  if (typeof value === 'bigint') return { tag: '!!int', text: String(value) };
  return Number.isSafeInteger(value) ? { tag: '!!int', text: String(value) } : { tag: '!!float', text: formatGoFloat(value) };
}
