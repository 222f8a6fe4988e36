import { SottoError } from '../../base/errors/index.ts';

const TERM = /^(?<negated>!)?\s*(?<key>[A-Za-z0-9./_-]+)(?:\s*(?<op>==|=|!=|\s(?:in|notin)\s*)\s*(?<rest>.*))?$/;

/**
 * Whether a map of labels meets a Kubernetes label selector (`a=b,c!=d,e in (f,g),h,!i`). An empty selector
 * matches everything.
 *
 * @throws SottoError SELECTOR_INVALID
 */
export function matchesSelector(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return termsOf(selector).every((term) => matchesTerm(term, labels));
}

/** Commas inside parentheses do not part terms. */
function termsOf(selector: string): string[] {
  return selector
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}

function matchesTerm(term: string, labels: Readonly<Record<string, string>>): boolean {
  const groups = TERM.exec(term)?.groups;
  const key = groups?.['key'];
  if (groups === undefined || key === undefined) throw new SottoError('SELECTOR_INVALID', `"${term}" is not a label selector`);
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const operator = groups['op']?.trim();
  const rest = groups['rest']?.trim() ?? '';
  const set = (): string[] =>
    rest
      .replace(/^\(|\)$/g, '')
      .split(',')
      .map((item) => item.trim());
  switch (operator) {
    case undefined:
      return groups['negated'] === undefined ? value !== undefined : value === undefined;
    case '=':
    case '==':
      return value === rest;
    case '!=':
      return value !== rest;
    case 'in':
      return value !== undefined && set().includes(value);
    default:
      return value === undefined || !set().includes(value);
  }
}
