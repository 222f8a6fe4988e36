import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { compileRegExp, quoteRegExp } from './index.ts';

describe('compileRegExp', () => {
  const matching: [name: string, pattern: string, text: string, expected: boolean][] = [
    ['finds anywhere', 'b', 'abc', true],
    ['understands inline flags', '(?i)SECRET', 'my secret', true],
    ['understands the end of the text', 'a\\z', 'a\n', false],
    ['understands POSIX classes', '^[[:alpha:]]+$', 'abc', true],
    ['understands quoting', '\\Qa.b\\E', 'axb', false],
    ['takes an emoji as one character', '^.$', '\u{1F600}', true],
    ['does not count U+00A0 as a blank', '\\s', '\u00a0', false],
    ['is linear where backtracking explodes', '^(a+)+$', `${'a'.repeat(5000)}b`, false],
  ];
  it.each(matching)('SOPS-13: %s', (_name, pattern, text, expected) => {
    expect(compileRegExp(pattern).test(text)).toBe(expected);
  });

  it('anchors on both sides, alternatives included', () => {
    const anchored = compileRegExp('a|ab', { anchored: true });
    expect(anchored.test('ab')).toBe(true);
    expect(anchored.test('xab')).toBe(false);
    expect(compileRegExp('a|ab').test('xab')).toBe(true);
    expect(anchored.match('ab')?.text).toBe('ab');
  });

  it('gives groups, names and offsets', () => {
    const match = compileRegExp('(?P<word>[a-z]+)(\\d)?').match('..ab');
    expect(match).toMatchObject({ text: 'ab', index: 2, end: 4, groups: ['ab', undefined] });
    expect(match?.named['word']).toBe('ab');
    expect(compileRegExp('x').match('y')).toBeUndefined();
  });

  it('replaces every match and takes a string literally', () => {
    expect(compileRegExp('[0-9]+').replace('a1b22', '$1')).toBe('a$1b$1');
    expect(compileRegExp('([0-9])').replace('a1b2', (match) => `<${match.groups[0]}>`)).toBe('a<1>b<2>');
    expect(compileRegExp('').replace('ab', '-')).toBe('-a-b-');
  });

  it('quotes text', () => {
    expect(compileRegExp(quoteRegExp('a.b*')).test('a.b*')).toBe(true);
    expect(compileRegExp(quoteRegExp('a.b*')).test('axbb')).toBe(false);
  });

  it.each(['a(?=b)', '(?<=a)b', '(a)\\1', '(a', '[z-a]', 'a**', 'x{1001}'])('refuses %s by name', (pattern) => {
    expect(() => compileRegExp(pattern)).toThrow(SottoError);
    expect(() => compileRegExp(pattern)).toThrow(/^invalid regular expression: /);
  });
});
