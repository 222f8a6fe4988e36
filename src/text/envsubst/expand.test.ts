import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { expand, matchedPrefixes, parse } from './index.ts';

const variables: Readonly<Record<string, string>> = {
  v: 'abcABC123ABCabc',
  path: '/home/bozo/ideas/thoughts.for.today',
  file: 'bash.string.txt',
  empty: '',
  e: 'éa',
  minus: '-3',
  d: 'foo',
  '1': 'one',
  dollar: '$& $1',
  é: 'letter',
};

function run(text: string, strict = true): string {
  return expand(text, (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined), { strict });
}

function errorOf(text: string, strict = true): SottoError {
  try {
    run(text, strict);
  } catch (error) {
    if (error instanceof SottoError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('expand', () => {
  /** Checked against fluxcd/pkg/envsubst 1.7.0, as were 40,000 random expressions. */
  const cases: readonly [expression: string, result: string][] = [
    ['a ${v} b', 'a abcABC123ABCabc b'],
    ['${1}${é}', 'oneletter'],
    ['${#v} ${#e}', '15 3'],
    ['${d^} ${d^^} ${v,} ${v,,} ${e^}', 'Foo FOO abcABC123ABCabc abcabc123abcabc Éa'],
    ['${d^,}', 'foo'],
    ['${path:11}', 'ideas/thoughts.for.today'],
    ['${path:11:5}', 'ideas'],
    ['${d:1:99}', 'oo'],
    ['${d:9}', ''],
    ['${d:9:1}', ''],
    ['${d:x}', 'foo'],
    ['${d:1:x}', 'foo'],
    ['${d: -3}', 'foo'],
    ['${d:-3}', 'foo'],
    ['${path:${minus}}', 'day'],
    ['${d:+1}', 'foo'],
    ['${file#*.}', 'string.txt'],
    ['${file##*.}', 'txt'],
    ['${file%.*}', 'bash.string'],
    ['${file%%.*}', 'bash'],
    ['${path#*/}', 'home/bozo/ideas/thoughts.for.today'],
    ['${path##*/}', 'thoughts.for.today'],
    ['${file#?[a-c]}', 'sh.string.txt'],
    ['${file#[^b]}', 'bash.string.txt'],
    ['${file%[a-z]}', 'bash.string.txt'],
    ['${file#[}', 'bash.string.txt'],
    ['${v###x}', 'abcABC123ABCabc'],
    ['${v/abc/xyz}', 'xyzABC123ABCabc'],
    ['${v//abc/xyz}', 'xyzABC123ABCxyz'],
    ['${v/#abc/XYZ}', 'XYZABC123ABCabc'],
    ['${v/%abc/XYZ}', 'abcABC123ABCXYZ'],
    ['${v/abc/}|${v//abc/}|${v/#abc/}|${v/%abc/}', 'ABC123ABCabc|ABC123ABC|abcABC123ABCabc|abcABC123ABCabc'],
    ['${v/*/x}', 'abcABC123ABCabc'],
    ['${path//\\//-}', '-home-bozo-ideas-thoughts.for.today'],
    ['${d/o/a$$b\\\\c}', 'fa$b\\co'],
    ['${d/o/${v:0:1}}', 'fao'],
    ['${d/o/${dollar}}', 'f$& $1o'],
    ['${d/o//x}', 'fxo'],
    ['${unset=x}${unset:=x}${unset:-x}${unset:?x}${unset:+x}', 'xxxxx'],
    ['${empty:=x}${empty=x}', 'xx'],
    ['${unset:=}', ''],
    ['${unset:=a ${d} b ${d}}', 'a foo b foo'],
    ['${unset:=${unset:=${d}}}', 'foo'],
    ['${unset:=$$}', '$$'],
    ['$v $ $1 $', '$v $ $1 $'],
    ['$$', '$'],
    ['$$$$', '$$'],
    ['$${v}', '${v}'],
    ['$$${d}', '$foo'],
    ['some ${d}$${var$${d}$d${d}', 'some foo${var${d}$dfoo'],
    ['$${var=${d}}', '${var=foo}'],
    ['\\\\x \\/ ${d}', '\\\\x \\/ foo'],
  ];
  it.each(cases)('SUB-06: %s', (expression, result) => {
    expect(run(expression)).toBe(result);
  });

  const failures: readonly [expression: string, message: string][] = [
    ['${', 'unable to parse variable name'],
    ['${}', 'unable to parse variable name'],
    ['${-}', 'unable to parse variable name'],
    ['${v', 'missing closing brace'],
    ['${a.b}', 'missing closing brace'],
    ['${a[@]}', 'missing closing brace'],
    ['${v-d}', 'missing closing brace'],
    ['${v+d}', 'missing closing brace'],
    ['${v ?}', 'missing closing brace'],
    ['${#}', 'bad substitution'],
    ['${#v:1}', 'bad substitution'],
    ['${v^x}', 'bad substitution'],
    ['${v/p}', 'bad substitution'],
    ['${v/p/r${d}}', 'bad substitution'],
    ['${v:1${d}}', 'bad substitution'],
    ['${v/#/x}', 'unable to parse substitution within function'],
    ['${v:1:', 'unable to parse substitution within function'],
    ['${v#}', 'unable to parse substitution within function'],
    ['${v::3}', 'unable to parse substitution within function'],
    ['${v:=x', 'unable to parse substitution within function'],
    ['${d:1:-1}', 'negative substring length'],
    ['${v:='.repeat(5000), 'expressions are nested too deeply'],
  ];
  it.each(failures)('SUB-06: %s is an error', (expression, message) => {
    expect(errorOf(`a\nb: ${expression}`)).toMatchObject({ code: 'ENVSUBST', message, at: { line: 2 } });
  });

  it.each(['${x}', '${#x}', '${x^^}', '${x:1}', '${x/a/b}', '${x#a}', '${x%%a}', '${v:=${x}}'])(
    'SUB-05: %s with x unset is an error in strict mode, else empty',
    (expression) => {
      expect(errorOf(expression).message).toBe('variable not set (strict mode): "x"');
      expect(run(expression.replace('${v:=', '${empty:='), false)).toBe(expression === '${#x}' ? '0' : '');
    },
  );

  it('never shows values in errors', () => {
    expect(JSON.stringify(errorOf('${path:1:-1} ${x}'))).not.toContain('bozo');
  });

  it('leaves text without a dollar sign unchanged', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => text.includes('$') || run(text) === text));
  });

  it('gives back any text whose dollar signs are doubled', () => {
    const text = fc.string({ unit: fc.constantFrom('$', '{', '}', 'a', ':', '/', '\\', '\n') });
    fc.assert(fc.property(text, (original) => run(original.replaceAll('$', '$$$$')) === original));
  });

  it('ends on any text with a result or a clean error, the same each time', () => {
    const text = fc.string({ unit: fc.constantFrom('${', '$', '}', 'd', 'v', ':', '=', '/', '#', '%', '^', '1', '\\', '*', '[') });
    const outcome = (input: string): string => {
      try {
        return run(input, false);
      } catch (error) {
        return error instanceof SottoError ? `error ${error.code}` : 'crash';
      }
    };
    fc.assert(fc.property(text, (input) => outcome(input) !== 'crash' && outcome(input) === outcome(input)));
  });
});

describe('parse', () => {
  it('gives literals and expressions with their lines', () => {
    expect(parse('a: ${x}\nb: ${y:=1}\n')).toEqual([
      'a: ',
      { name: 'x', operator: '', words: [], line: 1 },
      '\nb: ',
      { name: 'y', operator: ':=', words: ['1'], line: 2 },
      '\n',
    ]);
  });
});

describe('matchedPrefixes', () => {
  it.each([
    ['*', 'abc', [1, 2, 3]],
    ['a*c', 'abcxc', [3, 5]],
    ['a?', 'aé/', [2]],
    ['[a-c]*', 'b/x', [1, 2, 3]],
    ['[^a]', 'b', [1]],
    ['\\*', '*a', [1]],
    ['', 'a', []],
    ['[a', 'a', []],
    ['[]a]', ']', []],
    ['a\\', 'a', []],
  ])('%s on %s', (pattern, text, lengths) => {
    expect(matchedPrefixes(pattern, text)).toEqual(lengths);
  });

  it('is not exponential', () => {
    expect(matchedPrefixes(`${'*a'.repeat(50)}b`, 'a'.repeat(5000))).toEqual([]);
  });
});
