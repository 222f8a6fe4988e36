import { describe, expect, it } from 'vitest';

import { formatGoFloat, formatTimestamp, resolveScalar, type YamlProfile } from './index.ts';

const table: readonly [text: string, goYaml3: unknown, yaml11: unknown][] = [
  ['', null, null],
  ['~', null, null],
  ['Null', null, null],
  ['nULL', 'nULL', 'nULL'],
  ['true', true, true],
  ['TRUE', true, true],
  ['tRue', 'tRue', 'tRue'],
  ['y', 'y', true],
  ['Y', 'Y', true],
  ['yes', 'yes', true],
  ['On', 'On', true],
  ['n', 'n', false],
  ['NO', 'NO', false],
  ['off', 'off', false],
  ['oN', 'oN', 'oN'],
  ['0', 0, 0],
  ['-0', 0, 0],
  ['+5', 5, 5],
  ['0755', 493, 493],
  ['-010', -8, -8],
  ['0o17', 15, 15],
  ['0O17', 15, 15],
  ['0o8', '0o8', '0o8'],
  ['08', 8, 8],
  ['09.5', 9.5, 9.5],
  ['0x1F', 31, 31],
  ['-0b101', -5, -5],
  ['0b2', '0b2', '0b2'],
  ['1_000', 1000, 1000],
  ['0_7', 7, 7],
  ['_1', '_1', '_1'],
  ['1_', 1, 1],
  ['9223372036854775808', 9223372036854775808n, 9223372036854775808n],
  ['+9223372036854775808', 9223372036854775808, 9223372036854775808],
  ['18446744073709551616', 18446744073709551616, 18446744073709551616],
  ['012345678901', 12345678901, 12345678901],
  ['1.5', 1.5, 1.5],
  ['1.', 1, 1],
  ['.5', 0.5, 0.5],
  ['.5_0', 0.5, 0.5],
  ['._5', '._5', '._5'],
  ['1.5_0', 1.5, 1.5],
  ['1e3', 1000, 1000],
  ['1e400', '1e400', '1e400'],
  ['.inf', Infinity, Infinity],
  ['-.INF', -Infinity, -Infinity],
  ['.nan', NaN, NaN],
  ['+.nan', '+.nan', '+.nan'],
  ['12:34:56', '12:34:56', '12:34:56'],
  ['1.2.3', '1.2.3', '1.2.3'],
  ['2020-01-02', '2020-01-02', '2020-01-02'],
  ['.', '.', '.'],
  ['-', '-', '-'],
  ['Infinity', 'Infinity', 'Infinity'],
];

describe('resolveScalar', () => {
  it.each(table)('SUB-07: plain %j', (text, goYaml3, yaml11) => {
    expect(resolveScalar(text, 'plain', undefined, 'goYaml3').value).toEqual(goYaml3);
    expect(resolveScalar(text, 'plain', undefined, 'yaml11').value).toEqual(yaml11);
  });

  it('tells integral floats from integers', () => {
    expect(resolveScalar('1.0', 'plain', undefined, 'goYaml3').tag).toBe('!!float');
    expect(resolveScalar('1', 'plain', undefined, 'goYaml3').tag).toBe('!!int');
  });

  it('leaves quoted and block scalars alone', () => {
    for (const style of ['single', 'double', 'literal', 'folded'] as const) {
      expect(resolveScalar('1', style, undefined, 'yaml11')).toEqual({ tag: '!!str', value: '1' });
    }
  });

  const tagged: readonly [text: string, tag: string, profile: YamlProfile, value: unknown][] = [
    ['5', '!!float', 'goYaml3', 5],
    ['5', '!!str', 'goYaml3', '5'],
    ['0x10', '!!int', 'goYaml3', 16],
    ['yes', '!!bool', 'yaml11', true],
    ['aGk=', '!!binary', 'yaml11', 'hi'],
    ['5', '!custom', 'goYaml3', '5'],
    ['2020-01-02', '!!timestamp', 'yaml11', '2020-01-02'],
  ];
  it.each(tagged)('%j tagged %s', (text, tag, profile, value) => {
    expect(resolveScalar(text, 'double', tag, profile).value).toEqual(value);
  });

  it.each([
    ['x', '!!int'],
    ['yes', '!!bool'],
    ['a-b', '!!binary'],
    ['2020-02-30', '!!timestamp'],
    ['1.5', '!!int'],
  ])('refuses %j as %s without quoting it', (text, tag) => {
    expect(() => resolveScalar(text, 'plain', tag, 'goYaml3')).toThrow(`the value cannot be decoded as a ${tag}`);
  });
});

describe('timestamps', () => {
  it.each([
    ['2020-01-02', '2020-01-02T00:00:00Z'],
    ['2020-1-2', '2020-01-02T00:00:00Z'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-14T21:59:43.1-05:00'],
    ['2001-12-14 21:59:43', '2001-12-14T21:59:43Z'],
    ['2001-12-14T1:2:3+00:00', '2001-12-14T01:02:03Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['2023-02-29', undefined],
    ['2020-13-01', undefined],
    ['2001-12-14 21:59:43Z', undefined],
    ['2001-12-14T21:59:43', undefined],
    ['20-01-02', undefined],
    ['2001-12-14T24:00:00Z', undefined],
  ])('%s is %s', (text, expected) => {
    expect(formatTimestamp(text)).toBe(expected);
  });
});

describe('formatGoFloat', () => {
  it.each([
    [1, '1'],
    [1e6, '1e+06'],
    [999999.5, '999999.5'],
    [1234567.5, '1.2345675e+06'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [1e20, '1e+20'],
    [5e-324, '5e-324'],
    [-0, '-0'],
    [-1.5, '-1.5'],
    [NaN, '.nan'],
    [-Infinity, '-.inf'],
  ])('%d is %s', (value, expected) => {
    expect(formatGoFloat(value)).toBe(expected);
  });
});
