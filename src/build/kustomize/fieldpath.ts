/**
 * Paths into objects: `spec/template` of field specs, and `spec.containers.[name=web].image` of replacements and vars
 * (k:kyaml/utils/pathsplitter.go, k:kyaml/yaml/match.go).
 */
import { SottoError } from '../../base/errors/index.ts';
import { compileRegExp } from '../../text/regexp/index.ts';
import { parseDocuments, type YamlMap, type YamlNode, type YamlSequence } from '../../text/yaml/index.ts';
import { fieldOf, isMap, isNull, newMap, newPlain, newSequence, setField, textOf } from './node.ts';
import { sourceText } from './sourcetext.ts';

/** Splits at a delimiter; one behind a backslash is a part of the name. A leading delimiter is allowed. */
export function splitPath(path: string, delimiter: string): string[] {
  const pieces = path.split(delimiter);
  if (pieces.length > 1 && pieces[0] === '') pieces.shift();
  const parts: string[] = [];
  for (const piece of pieces) {
    const last = parts.at(-1);
    if (last?.endsWith('\\') === true) parts[parts.length - 1] = last.slice(0, -1) + delimiter + piece;
    else parts.push(piece);
  }
  return parts;
}

/** Splits at dots, keeping `[a.b=c.d]` together; `[a.b]` without `=` is the map key `a.b`. */
export function splitFieldPath(path: string): string[] {
  const pieces = splitPath(path, '.');
  const parts: string[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i] ?? '';
    if (!piece.startsWith('[') || piece.endsWith(']')) {
      parts.push(piece);
      continue;
    }
    const bracketed = [piece];
    while (i < pieces.length - 1) {
      const next = pieces[++i] ?? '';
      bracketed.push(next);
      if (next.endsWith(']')) break;
    }
    const joined = bracketed.join('.');
    parts.push(joined.includes('=') ? joined : joined.replace(/^[[\]]+|[[\]]+$/g, ''));
  }
  return parts;
}

const INDEX = /^\d+$/;

function isBracketed(part: string | undefined): boolean {
  return part?.startsWith('[') === true && part.endsWith(']');
}

/** `[name=web]` → name and web. */
function splitBrackets(part: string): readonly [field: string, value: string] {
  const inner = part.slice(1, -1);
  const split = inner.indexOf('=');
  if (split < 0) throw failure('list path element must contain fieldName=fieldValue for element to match');
  return [inner.slice(0, split), inner.slice(split + 1)];
}

/**
 * The one node at a path, exactly; undefined when there is none. `-` is the last element.
 *
 * @throws SottoError KUSTOMIZE_PATH when the path does not fit the object
 */
export function lookupPath(root: YamlNode, path: readonly string[]): YamlNode | undefined {
  let node: YamlNode | undefined = root;
  for (const part of path.map((each) => each.trim()).filter((each) => each !== '')) {
    if (node === undefined || isNull(node)) return undefined;
    node = step(node, part);
  }
  return node;
}

function step(node: YamlNode, part: string): YamlNode | undefined {
  if (part === '-') return listOf(node).items.at(-1);
  if (/^[+-]?\d+$/.test(part)) {
    if (Number(part) < 0) throw failure(`array index ${part} cannot be negative`);
    return listOf(node).items[Number(part)];
  }
  if (part === '*') throw failure('wildcard is not supported in PathGetter');
  if (isBracketed(part)) {
    const [field, value] = splitBrackets(part);
    return listOf(node).items.find((item) =>
      field === '' ? textOf(item) === value : isMap(item) && fieldOf(item, field) !== undefined && textOf(fieldOf(item, field)) === value,
    );
  }
  return fieldOf(mapOf(node), part);
}

/** What a path makes where nothing is: nothing, or at its end a node of this kind. */
export type PathCreation = YamlNode['kind'] | undefined;

/**
 * All nodes at a path in which `[field=expression]` and `*` choose among list elements. Undefined when a field on the way
 * is missing.
 *
 * @throws SottoError KUSTOMIZE_PATH when the path does not fit the object
 */
export function matchPath(node: YamlNode, path: readonly string[], creation: PathCreation): YamlNode[] | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return [node];
  if (INDEX.test(part)) return matchIndex(node, Number(part), rest, creation);
  if (isBracketed(part)) return matchElements(node, part, rest, creation);
  if (part === '*') return listOf(node).items.flatMap((item) => matchPath(item, rest, creation) ?? []);
  return matchField(node, part, rest, creation);
}

function matchField(node: YamlNode, name: string, rest: readonly string[], creation: PathCreation): YamlNode[] | undefined {
  const map = isNull(node) ? undefined : mapOf(node);
  let field = fieldOf(map, name);
  if (field === undefined) {
    if (creation === undefined) return undefined;
    field = madeFor(rest[0], creation);
    if (map !== undefined) setField(map, name, field);
  }
  if (field.kind === 'scalar' && !isNull(field) && rest.length > 0) return matchPath(parsedText(field.text), rest, creation);
  return matchPath(field, rest, creation);
}

/** The node that the next part of a path needs; a scalar without tag waits for its text. */
function madeFor(next: string | undefined, creation: YamlNode['kind']): YamlNode {
  const kind = next === undefined ? creation : isBracketed(next) || INDEX.test(next) ? 'sequence' : 'map';
  if (kind === 'map') return newMap();
  return kind === 'sequence' ? newSequence() : { ...newPlain(''), tag: '' };
}

function matchIndex(node: YamlNode, index: number, rest: readonly string[], creation: PathCreation): YamlNode[] | undefined {
  const list = listOf(node);
  if (list.items.length === index && creation !== undefined) list.items.push(madeFor(rest[0], creation));
  const element = list.items[index];
  if (element === undefined) throw failure(`index ${index} specified but only ${list.items.length} elements found`);
  return matchPath(element, rest, creation);
}

/** The expression is tested on the source text of the field, quotes and comment included. */
function matchElements(node: YamlNode, part: string, rest: readonly string[], creation: PathCreation): YamlNode[] | undefined {
  const list = listOf(node);
  const [field, expression] = splitBrackets(part);
  const pattern = compileRegExp(expression);
  const search = (): YamlNode[] =>
    list.items.flatMap((item) => {
      if (field === '') return pattern.test(sourceText(item).trim()) ? [item] : [];
      const value = fieldOf(item, field);
      return value !== undefined && pattern.test(sourceText(value).trim()) ? (matchPath(item, rest, creation) ?? []) : [];
    });
  const found = search();
  if (found.length > 0 || creation === undefined) return found.length > 0 ? found : undefined;
  const value = newPlain(expression);
  list.items.push(field === '' ? { ...value, tag: '' } : newMap([{ key: newPlain(field), value }]));
  return search();
}

/** The text of a scalar as YAML, for paths that go on inside. */
export function parsedText(text: string): YamlNode {
  const root = parseDocuments(text, { profile: 'goYaml3' })[0]?.root;
  if (root === undefined) throw failure('the text is empty');
  return root;
}

function listOf(node: YamlNode): YamlSequence {
  if (node.kind !== 'sequence') throw failure(`wrong node kind: expected SequenceNode`);
  return node;
}

function mapOf(node: YamlNode): YamlMap {
  if (node.kind !== 'map') throw failure(`wrong node kind: expected MappingNode`);
  return node;
}

function failure(message: string): SottoError {
  return new SottoError('KUSTOMIZE_PATH', message);
}
