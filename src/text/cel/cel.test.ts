import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { celOptional, compileCel, type CelBudget } from './index.ts';

const self = {
  name: 'web-0',
  'a-b': 1,
  replicas: 3,
  ratio: 1.5,
  big: 9007199254740993n,
  on: true,
  nothing: null,
  list: [1, 2, 3],
  refs: [{ name: 'a', key: 'k' }, { name: 'b' }],
  map: { x: 1, y: 2 },
  emoji: 'a\u{1F600}b',
};

function run(expression: string, variables: Record<string, unknown> = { self }): unknown {
  return compileCel(expression, { variables: Object.keys(variables) }).evaluate(variables);
}

function codeOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof SottoError) return error.code;
    throw error;
  }
  return 'none';
}

describe('compileCel', () => {
  const values: [expression: string, expected: unknown][] = [
    ['1 + 2 * 3', 7],
    ['7 / 2', 3],
    ['-7 / 2', -3],
    ['-7 % 3', -1],
    ['7.0 / 2.0', 3.5],
    ['self.ratio * 2', 3],
    ['self.big + 1', 9007199254740994n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['2u + 3u', 5],
    ['self.replicas == 3.0 && self.replicas < 3.5', true],
    ['"a" + "b"', 'ab'],
    ['[1] + [2, 3]', [1, 2, 3]],
    ['{"a": 1, "b": [true]}', { a: 1, b: [true] }],
    ['self.on ? "yes" : "no"', 'yes'],
    ['has(self.name) && !has(self.missing)', true],
    ['has(self.map.x) && has(self.nothing)', true],
    ['self.nothing == null', true],
    ['size(self.list) == 3 && self.list.size() == 3 && size("\u{1F600}") == 1 && size(self.map) == 2', true],
    ['2 in self.list && !(9 in self.list) && "x" in self.map', true],
    ['self.list.all(i, i > 0)', true],
    ['self.list.exists(i, i == 2)', true],
    ['self.list.exists_one(i, i > 2)', true],
    ['self.list.filter(i, i % 2 == 1)', [1, 3]],
    ['self.list.map(i, i * i)', [1, 4, 9]],
    ['self.list.map(i, i > 1, i * 10)', [20, 30]],
    ['self.map.all(k, self.map[k] > 0)', true],
    ['self.refs.filter(r, has(r.key)).map(r, r.name)', ['a']],
    ['self.refs.all(a, self.refs.exists(b, b.name == a.name))', true],
    ['self.name.startsWith("web") && self.name.endsWith("-0") && self.name.contains("eb-")', true],
    ['self.name.matches("^[a-z]+-[[:digit:]]$") && matches(self.name, "(?i)WEB")', true],
    ['self.name.substring(1, 3)', 'eb'],
    ['self.emoji.substring(2)', 'b'],
    ['self.name.indexOf("b-")', 2],
    ['"abab".lastIndexOf("ab")', 2],
    ['"a,b,c".split(",", 2)', ['a', 'b,c']],
    ['["a", "b"].join("-")', 'a-b'],
    ['"aaa".replace("a", "b", 2)', 'bba'],
    ['" x ".trim().upperAscii()', 'X'],
    ['"Ä".lowerAscii()', 'Ä'],
    ['int("42") + int(2.9)', 44],
    ['string(1) + string(true) + string(1.5)', '1true1.5'],
    ['type(1) == int && type("a") == string && type(self.list) == list', true],
    ['self.a__dash__b', 1],
    ['self.?missing.orValue(5)', 5],
    ['self.?map.?x.orValue(5)', 1],
    ['self.?nothing.orValue(5)', null],
    ['self.list[?9].hasValue()', false],
    ['optional.of(1).or(optional.none()).value()', 1],
    ['cel.bind(n, size(self.list), n * n)', 9],
    ['sets.contains(self.list, [3, 1])', true],
    ['base64.encode(b"hi") == "aGk=" && string(base64.decode("aGk=")) == "hi"', true],
    ['"\u{10000}" > "\uffff"', true],
    ['1 == "1" || [1] == [1.0]', true],
    ['{"a": 1} == {"a": 1.0}', true],
  ];
  it.each(values)('CRD-06: %s', (expression, expected) => {
    expect(run(expression)).toEqual(expected);
  });

  const failing: [expression: string, code: string][] = [
    ['self.missing', 'CEL_EVALUATION'],
    ['self.missing == 1 && true', 'CEL_EVALUATION'],
    ['self.list[3]', 'CEL_EVALUATION'],
    ['self.name + 1', 'CEL_EVALUATION'],
    ['1 / 0', 'CEL_EVALUATION'],
    ['9223372036854775807 + 1', 'CEL_EVALUATION'],
    ['self.name ? 1 : 2', 'CEL_EVALUATION'],
    ['self.list.all(i, i)', 'CEL_EVALUATION'],
    ['self.name.substring(9)', 'CEL_EVALUATION'],
    ['self.constructor', 'CEL_EVALUATION'],
    ['self.name.matches("(")', 'REGEXP_INVALID'],
    ['self.name ==', 'CEL_SYNTAX'],
    ['self.name == "a" &&& true', 'CEL_SYNTAX'],
    ['other.name', 'CEL_UNKNOWN_VARIABLE'],
    ['true || frobnicate(self)', 'CEL_UNKNOWN_FUNCTION'],
    ['true || self.name.isURL()', 'CEL_UNKNOWN_FUNCTION'],
    ['self.name.startsWith()', 'CEL_UNKNOWN_FUNCTION'],
    ['quantity("1Gi")', 'CEL_UNKNOWN_FUNCTION'],
    ['self.list.all(i)', 'CEL_UNKNOWN_FUNCTION'],
    ['has(self)', 'CEL_UNKNOWN_FUNCTION'],
  ];
  it.each(failing)('CRD-06: %s fails with %s', (expression, code) => {
    expect(codeOf(() => run(expression))).toBe(code);
  });

  it('lets a deciding operand win over errors of the others', () => {
    expect(run('self.missing || true')).toBe(true);
    expect(run('false && self.missing')).toBe(false);
    expect(run('[1, 0].exists(x, 1 / x == 1)')).toBe(true);
    expect(run('[0, 5].all(x, 10 / x > 5)')).toBe(false);
    expect(codeOf(() => run('self.missing || false'))).toBe('CEL_EVALUATION');
  });

  it('stops nested loops at the cost limit', () => {
    const list = Array.from({ length: 200 }, (_, index) => index);
    const nested = compileCel('l.all(a, l.all(b, l.all(c, a + b + c >= 0)))', { variables: ['l'] });
    expect(codeOf(() => nested.evaluate({ l: list }))).toBe('CEL_COST');
    expect(codeOf(() => compileCel('true || l.all(a, l.all(b, l.all(c, true)))', { variables: ['l'] }).evaluate({ l: list }))).toBe('none');
  });

  it('shares one budget between evaluations', () => {
    const budget: CelBudget = { remaining: 10 };
    const expression = compileCel('1 + 1', { variables: [] });
    expression.evaluate({}, budget);
    expect(budget.remaining).toBe(7);
    expect(codeOf(() => Array.from({ length: 5 }, () => expression.evaluate({}, budget)))).toBe('CEL_COST');
  });

  it('charges for expensive patterns and is never slow', () => {
    const text = 'a'.repeat(100_000);
    expect(
      codeOf(() =>
        run('t.matches("(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+(a+)+$")', {
          t: text,
        }),
      ),
    ).toBe('none');
    const pattern = 'a'.repeat(1000);
    expect(codeOf(() => run('t.matches(p)', { t: text, p: pattern }))).toBe('CEL_COST');
  });

  it('flux/KS-04: tells the static type, so that a bare field can be refused', () => {
    const type = (expression: string) => compileCel(expression, { variables: ['dep'] }).resultType;
    expect(type('dep.status.ready')).toBe('dyn');
    expect(type('dep.status.ready == true')).toBe('bool');
    expect(type('has(dep.x) ? dep.a == dep.b : false')).toBe('bool');
    expect(type('dep.list.all(x, x)')).toBe('bool');
    expect(type('"a" + "b"')).toBe('string');
  });

  it('flux/HLT-04: takes any top-level field as variable; a missing one is an error of the evaluation', () => {
    const current = compileCel("status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True')", { variables: 'any' });
    expect(current.evaluate({ status: { conditions: [{ type: 'Ready', status: 'True' }] } })).toBe(true);
    expect(codeOf(() => current.evaluate({ spec: {} }))).toBe('CEL_EVALUATION');
  });

  it('names the variables used, so that transition rules can be told apart', () => {
    expect(compileCel('self.a == oldSelf.a', { variables: ['self', 'oldSelf'] }).variables).toEqual(['self', 'oldSelf']);
    expect(compileCel('self.all(oldSelf, oldSelf)', { variables: ['self', 'oldSelf'] }).variables).toEqual(['self']);
  });

  it('says where a syntax error is and never quotes values', () => {
    expect(() => compileCel('self.a ==\n  )', { variables: ['self'] })).toThrow(expect.objectContaining({ at: { line: 2, column: 3 } }));
    expect(() => run('int(s)', { s: 'hunter2' })).toThrow(/^the string is not an integer$/);
  });

  it('bounds size and depth of expressions', () => {
    expect(codeOf(() => run(`${'('.repeat(5000)}1${')'.repeat(5000)}`))).toBe('CEL_SYNTAX');
    expect(codeOf(() => run(Array.from({ length: 5000 }, () => '1').join('+')))).toBe('CEL_SYNTAX');
    expect(run(Array.from({ length: 1500 }, () => 'true').join(' && '))).toBe(true);
    expect(run(Array.from({ length: 1500 }, () => '1').join(' + '))).toBe(1500);
  });

  it('CRD-06: optionalOldSelf: an absent old value is an absent optional', () => {
    const rule = compileCel('oldSelf.hasValue() ? oldSelf.value() == self : oldSelf.?x.orValue(1) == 1', {
      variables: ['self', 'oldSelf'],
    });
    expect(rule.evaluate({ self: 1, oldSelf: celOptional(undefined) })).toBe(true);
    expect(rule.evaluate({ self: 1, oldSelf: celOptional(1) })).toBe(true);
    expect(rule.evaluate({ self: 1, oldSelf: celOptional(2) })).toBe(false);
  });

  it('keeps __proto__ an ordinary key', () => {
    expect(run('has(self.x)', { self: JSON.parse('{"__proto__": {"x": 1}}') as unknown })).toBe(false);
  });
});
