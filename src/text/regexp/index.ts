/**
 * Regular expressions as Go has them: RE2 syntax, linear time, Unicode code points. Every pattern that
 * comes from a user's file (SOPS rules, CEL `matches`, CRD `pattern`) is compiled here, because JavaScript's
 * RegExp differs in syntax (`(?i)`, `\z`, `(?P<n>…)`, POSIX classes, look-around) and can take exponential time.
 *
 * @module
 */
export { compileRegExp, quoteRegExp } from './compile.ts';
export type { RegExpMatch, RegExpOptions, SafeRegExp } from './types.ts';
