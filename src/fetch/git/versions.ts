import type semverLibrary from 'semver';
import type { SemVer } from 'semver';

import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';

/**
 * All tags that share the highest version of a range.
 *
 * @param outside that of a {@link World}: the library is loaded when it is first needed
 * @throws SottoError GIT_FAILED for text that is no range
 */
export async function highestVersions(tags: Iterable<string>, range: string, outside: World['outside']): Promise<readonly string[]> {
  const { default: semver } = await outside(() => import('semver'));
  const matches = parseConstraint(range, semver);
  let best: { version: SemVer; tags: string[] } | undefined;
  for (const tag of tags) {
    const version = parseTag(tag, semver);
    if (version === undefined || !matches(version)) continue;
    const order = best === undefined ? 1 : version.compare(best.version);
    if (order > 0) best = { version, tags: [tag] };
    else if (order === 0) best?.tags.push(tag);
  }
  return best?.tags ?? [];
}

type Semver = typeof semverLibrary;

const TAG = /^v?(\d+)\.(\d+)\.(\d+)([-+].*)?$/;

/** Three numbers with an optional `v`; zero-padded ones are read as numbers. `1.2` is no version. */
function parseTag(tag: string, semver: Semver): SemVer | undefined {
  const [, major, minor, patch, rest = ''] = TAG.exec(tag) ?? [];
  if (major === undefined) return undefined;
  const plain = [major, minor, patch].map((part) => (part ?? '').replace(/^0+(?=\d)/, '')).join('.');
  return semver.parse(`${plain}${rest}`) ?? undefined;
}

const OPERATORS: Readonly<Record<string, string>> = { '=>': '>=', '=<': '<=', '~>': '~', '==': '=' };
const PART = /(=>|=<|~>|==|>=|<=|!=|[=<>~^])?\s*v?([0-9xX*][0-9A-Za-z.*+-]*)/y;
const HYPHEN = /(\S+)\s+-\s+(\S+)/g;

/**
 * A range in the language of Masterminds/semver (which Flux uses): `||` between alternatives, commas or spaces
 * between conditions, `!=` besides npm's operators. A pre-release matches only when every condition of its
 * alternative names one.
 *
 * @throws SottoError GIT_FAILED for text that is no range
 */
function parseConstraint(range: string, semver: Semver): (version: SemVer) => boolean {
  const alternatives = range.split('||').map((part) => conditions(part.trim(), range, semver));
  return (version) => alternatives.some((all) => all.every((matches) => matches(version)));
}

function conditions(text: string, range: string, semver: Semver): ((version: SemVer) => boolean)[] {
  const found: ((version: SemVer) => boolean)[] = [];
  const plain = text.replaceAll(HYPHEN, '>=$1 <=$2');
  for (let at = 0; at < plain.length || found.length === 0;) {
    PART.lastIndex = at;
    const [whole, operator = '', version = ''] = PART.exec(plain) ?? [];
    const condition = `${OPERATORS[operator] ?? operator}${version}`;
    if (whole === undefined || semver.validRange(condition.replace('!=', '=')) === null) throw invalid(range);
    found.push(conditionOf(condition, semver));
    at += whole.length;
    at += /^[\s,]*/.exec(plain.slice(at))?.[0].length ?? 0;
  }
  return found;
}

function conditionOf(condition: string, semver: Semver): (version: SemVer) => boolean {
  const isNegated = condition.startsWith('!=');
  const range = new semver.Range(isNegated ? condition.slice(1) : condition, { includePrerelease: true });
  const namesPrerelease = condition.includes('-');
  return (version) => (version.prerelease.length === 0 || namesPrerelease) && range.test(version) !== isNegated;
}

function invalid(range: string): SottoError {
  return new SottoError('GIT_FAILED', `semver parse error: improper constraint: ${range}`, {
    hint: 'write a range such as ">=1.2.0 <2.0.0"',
  });
}
