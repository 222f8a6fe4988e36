import { apiErrors, type KubeObject } from '../../kube/objects/index.ts';

/** A parsed selector: whether an object is selected. */
export type Selector = (object: KubeObject) => boolean;

const KEY = /^([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const INTEGER = /^-?\d+$/;
const MAX_SELECTOR_LENGTH = 64 * 1024;

type Labels = Readonly<Record<string, string>>;
type Requirement = (labels: Labels) => boolean;

function valueOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/**
 * A label selector in its text form (apimachinery:pkg/labels/selector.go).
 *
 * @throws ApiError 400 when it can't be parsed
 */
export function labelSelector(text: string): Selector {
  const requirements = splitOutsideParentheses(text).map(parseRequirement);
  return (object) => {
    const labels = object.metadata.labels ?? {};
    return requirements.every((matches) => matches(labels));
  };
}

function splitOutsideParentheses(text: string): string[] {
  if (text.length > MAX_SELECTOR_LENGTH) throw unparsable('the selector is too long');
  if (text.trim() === '') return [];
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  if (depth !== 0) throw unparsable("found unbalanced parentheses, expected: ')'");
  return [...parts, text.slice(start)].map((part) => part.trim());
}

const SET = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const COMPARISON = /^([^\s=!<>]+)\s*(==|=|!=|<|>)\s*([^\s=!<>]*)$/;

function parseRequirement(text: string): Requirement {
  const set = SET.exec(text);
  if (set !== null)
    return setRequirement(
      checkedKey(set[1] ?? ''),
      set[2] === 'in',
      (set[3] ?? '').split(',').map((value) => checkedValue(value.trim())),
    );
  const comparison = COMPARISON.exec(text);
  if (comparison !== null)
    return comparisonRequirement(checkedKey(comparison[1] ?? ''), comparison[2] ?? '', checkedValue(comparison[3] ?? ''));
  if (text.startsWith('!')) {
    const key = checkedKey(text.slice(1).trim());
    return (labels) => valueOf(labels, key) === undefined;
  }
  const key = checkedKey(text);
  return (labels) => valueOf(labels, key) !== undefined;
}

function setRequirement(key: string, isIn: boolean, values: readonly string[]): Requirement {
  return (labels) => {
    const value = valueOf(labels, key);
    return value === undefined ? !isIn : values.includes(value) === isIn;
  };
}

function comparisonRequirement(key: string, operator: string, value: string): Requirement {
  if (operator === '<' || operator === '>') {
    if (!INTEGER.test(value)) throw unparsable(`for 'Gt', 'Lt' operators, the value must be an integer`);
    return (labels) => {
      const label = valueOf(labels, key) ?? '';
      if (!INTEGER.test(label)) return false;
      return operator === '<' ? BigInt(label) < BigInt(value) : BigInt(label) > BigInt(value);
    };
  }
  return operator === '!=' ? (labels) => valueOf(labels, key) !== value : (labels) => valueOf(labels, key) === value;
}

function checkedKey(key: string): string {
  const name = key.slice(key.indexOf('/') + 1);
  if (!KEY.test(key) || name.length > 63) throw unparsable('a key must be a qualified name');
  return key;
}

function checkedValue(value: string): string {
  if (!VALUE.test(value) || value.length > 63) throw unparsable('a value must be a valid label value');
  return value;
}

function unparsable(detail: string): Error {
  return apiErrors.badRequest(`unable to parse requirement: ${detail}`);
}

/** One term of a field selector. */
export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/**
 * The terms of a field selector (apimachinery:pkg/fields/selector.go): `=`, `==`, `!=`, joined by commas, with
 * backslash escapes.
 *
 * @throws ApiError 400 when it can't be parsed
 */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitEscaped(text)
    .filter((term) => term !== '')
    .map(parseTerm);
}

function splitEscaped(text: string): string[] {
  const terms = [''];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ',') terms.push('');
    else {
      const piece = text[i] === '\\' ? text.slice(i, ++i + 1) : (text[i] ?? '');
      terms[terms.length - 1] += piece;
    }
  }
  return terms;
}

function parseTerm(term: string): FieldRequirement {
  const found = /^((?:\\.|[^\\=!])*)(!=|==|=)([\s\S]*)$/.exec(term);
  if (found === null) throw apiErrors.badRequest(`invalid selector: '${term}'; can't understand '${term}'`);
  return { field: found[1] ?? '', equal: found[2] !== '!=', value: unescape(found[3] ?? '') };
}

function unescape(text: string): string {
  if (/\\(?![\\,=])|(?<!\\)(\\\\)*=/.test(text)) throw apiErrors.badRequest('invalid field selector: invalid escape sequence');
  return text.replaceAll(/\\([\\,=])/g, '$1');
}
