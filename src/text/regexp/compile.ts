import { RE2JS, type Matcher } from 're2js';

import { boundedCache } from '../../base/cache/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import type { RegExpMatch, RegExpOptions, SafeRegExp } from './types.ts';

const MAX_CACHED = 512;
const LIBRARY_PREFIX = /^error parsing regexp: /;

const compiled = boundedCache<string, SafeRegExp>({ maxEntries: MAX_CACHED });

/**
 * Compiles an RE2 pattern (syntax of Go's `regexp`). Compiled patterns are kept in a bounded cache.
 *
 * @throws SottoError REGEXP_INVALID naming what is wrong with the pattern
 */
export function compileRegExp(pattern: string, options: RegExpOptions = {}): SafeRegExp {
  const anchored = options.anchored === true;
  const key = `${anchored ? 'a' : 'u'}${pattern}`;
  const cached = compiled.get(key);
  if (cached !== undefined) return cached;
  const fresh = wrap(pattern, parse(pattern), anchored);
  compiled.set(key, fresh);
  return fresh;
}

/** The pattern that matches exactly this text. */
export function quoteRegExp(text: string): string {
  return RE2JS.quote(text);
}

function parse(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message.replace(LIBRARY_PREFIX, '') : 'not a pattern';
    throw new SottoError('REGEXP_INVALID', `invalid regular expression: ${problem}`, {
      cause,
      hint: 'patterns use RE2 syntax: no look-around, no back-references',
    });
  }
}

function wrap(pattern: string, re: RE2JS, anchored: boolean): SafeRegExp {
  const matchAll = (text: string): RegExpMatch[] => {
    const matcher = re.matcher(text);
    if (anchored) return matcher.matches() ? [toMatch(matcher)] : [];
    const found: RegExpMatch[] = [];
    while (matcher.find()) found.push(toMatch(matcher));
    return found;
  };
  return {
    pattern,
    test: (text) => (anchored ? re.matcher(text).matches() : re.test(text)),
    match: (text) => {
      const matcher = re.matcher(text);
      return (anchored ? matcher.matches() : matcher.find()) ? toMatch(matcher) : undefined;
    },
    matchAll,
    replace: (text, replacement) => replaceMatches(text, matchAll(text), replacement),
  };
}

function toMatch(matcher: Matcher): RegExpMatch {
  const groups: (string | undefined)[] = [];
  for (let group = 1; group <= matcher.groupCount(); group++) groups.push(matcher.group(group) ?? undefined);
  const named: Record<string, string | undefined> = Object.create(null) as Record<string, string | undefined>;
  for (const [name, value] of Object.entries(matcher.getNamedGroups())) named[name] = value ?? undefined;
  return { text: matcher.group() ?? '', index: matcher.start(), end: matcher.end(), groups, named };
}

function replaceMatches(text: string, matches: readonly RegExpMatch[], replacement: string | ((match: RegExpMatch) => string)): string {
  const parts: string[] = [];
  let position = 0;
  for (const match of matches) {
    parts.push(text.slice(position, match.index), typeof replacement === 'string' ? replacement : replacement(match));
    position = match.end;
  }
  return parts.join('') + text.slice(position);
}
