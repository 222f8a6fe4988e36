import { describe, expect, it } from 'vitest';

import type { Json, JsonObject } from '../objects/index.ts';
import { applyDefaults, compileCrdSchema, prune, unknownFields, validate, type FieldError, type Schema } from './index.ts';

/** A compiled schema whose `spec` is this. */
function specSchema(spec: JsonObject): Schema {
  const { schema, errors } = compileCrdSchema({ type: 'object', properties: { spec } });
  expect(errors).toEqual([]);
  return schema;
}

function texts(errors: readonly FieldError[]): string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

describe('compileCrdSchema', () => {
  const object = (properties: JsonObject): JsonObject => ({ type: 'object', properties });
  const root = (x: JsonObject): JsonObject => object({ spec: object({ x }) });
  const X = 'openAPIV3Schema.properties[spec].properties[x]';

  const broken: [name: string, schema: Json, error: string][] = [
    ['no schema', null, 'openAPIV3Schema: Required value: schemas are required'],
    ['no type at the root', { properties: {} }, 'openAPIV3Schema.type: Required value: must not be empty at the root'],
    [
      'another type at the root',
      { type: 'array', items: { type: 'string' } },
      'openAPIV3Schema.type: Invalid value: "array": must be object at the root',
    ],
    ['a field without type', root({}), `${X}.type: Required value: must not be empty for specified object fields`],
    [
      'items without type',
      root({ type: 'array', items: {} }),
      `${X}.items.type: Required value: must not be empty for specified array items`,
    ],
    ['a list without items', root({ type: 'array' }), `${X}.items: Required value: must be specified`],
    [
      'an unknown type',
      root({ type: 'text' }),
      `${X}.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string"`,
    ],
    ['a reference', root({ type: 'object', $ref: '#/x' }), `${X}.$ref: Forbidden: $ref is not supported`],
    [
      'uniqueItems',
      root({ type: 'array', items: { type: 'string' }, uniqueItems: true }),
      `${X}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ],
    [
      'additionalProperties false',
      root({ type: 'object', additionalProperties: false }),
      `${X}.additionalProperties: Forbidden: additionalProperties cannot be set to false`,
    ],
    [
      'both kinds of properties',
      root({ type: 'object', properties: { a: { type: 'string' } }, additionalProperties: { type: 'string' } }),
      `${X}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`,
    ],
    [
      'preserve-unknown-fields false',
      root({ type: 'object', 'x-kubernetes-preserve-unknown-fields': false }),
      `${X}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
    ],
    [
      'an unknown map type',
      root({ type: 'object', 'x-kubernetes-map-type': 'set' }),
      `${X}.x-kubernetes-map-type: Unsupported value: "set": supported values: "atomic", "granular"`,
    ],
    [
      'a type inside a junctor',
      root({ type: 'string', anyOf: [{ type: 'string' }] }),
      `${X}.anyOf[0].type: Forbidden: must be empty to be structural`,
    ],
    [
      'a field only inside a junctor',
      root({ type: 'object', oneOf: [{ properties: { a: { minLength: 1 } } }] }),
      `${X}.properties[a]: Required value: because it is defined in ${X}.oneOf[0].properties[a]`,
    ],
    [
      'a map list without keys',
      root({ type: 'array', items: object({}), 'x-kubernetes-list-type': 'map' }),
      `${X}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`,
    ],
    [
      'a type beside int-or-string',
      root({ type: 'string', 'x-kubernetes-int-or-string': true }),
      `${X}.type: Invalid value: "string": must be empty if x-kubernetes-int-or-string is true`,
    ],
    [
      'a default of another type',
      root({ type: 'string', default: 5 }),
      `${X}.default: Invalid value: "integer":  in body must be of type string: "integer"`,
    ],
    [
      'a default with unknown fields',
      root({ type: 'object', properties: { a: { type: 'string' } }, default: { b: 1 } }),
      `${X}.default: Invalid value: {"b":1}: must not have unknown fields: b`,
    ],
    [
      'a restriction of other metadata',
      object({ metadata: object({ labels: { type: 'object' } }) }),
      'openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified',
    ],
  ];
  it.each(broken)('CRD-01: refuses %s', (_name, schema, error) => {
    expect(texts(compileCrdSchema(schema).errors)).toContain(error);
  });

  it('CRD-05: refuses a pattern that RE2 has not', () => {
    const [error] = compileCrdSchema(root({ type: 'string', pattern: '(?=x)' })).errors;
    expect(error?.field).toBe(`${X}.pattern`);
    expect(error?.message).toContain('must be a valid regular expression');
  });

  it.each([
    ['an unknown function', 'quantity(self.a).isGreaterThan(self.b)'],
    ['an unknown variable', 'me.a > 1'],
    ['a syntax error', 'self.a >'],
  ])('CRD-06: refuses a rule with %s and names it', (_name, rule) => {
    const [error] = compileCrdSchema(root({ type: 'object', 'x-kubernetes-validations': [{ rule }] })).errors;
    expect(error?.field).toBe(`${X}.x-kubernetes-validations[0].rule`);
    expect(error?.message).toContain(JSON.stringify(rule));
  });

  it('CRD-01: takes what Flux and its like use', () => {
    const schema = root({
      type: 'object',
      required: ['interval'],
      properties: {
        interval: { type: 'string', pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' },
        port: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
        values: { 'x-kubernetes-preserve-unknown-fields': true },
        kind: { type: 'string', enum: ['A', 'B'], default: 'A' },
      },
      'x-kubernetes-validations': [{ rule: "has(self.kind) && self.kind != ''", message: 'kind' }],
    });
    expect(compileCrdSchema(schema).errors).toEqual([]);
  });
});

describe('prune', () => {
  const schema = specSchema({
    type: 'object',
    properties: {
      a: { type: 'string' },
      list: { type: 'array', items: { type: 'object', properties: { y: { type: 'string' } } } },
      map: { type: 'object', additionalProperties: { type: 'object', properties: { y: { type: 'string' } } } },
      open: {
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        properties: { known: { type: 'object', properties: { y: { type: 'string' } } } },
      },
      any: { 'x-kubernetes-preserve-unknown-fields': true },
      embedded: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { spec: { type: 'object' } } },
    },
  });
  const full = {
    apiVersion: 'v1',
    kind: 'K',
    metadata: { name: 'x', labels: { any: 'v' }, finalizers: [], nope: 1 },
    extra: 1,
    spec: {
      a: 'x',
      b: 1,
      list: [{ y: 'x', z: 1 }],
      map: { k: { y: 'x', z: 1 } },
      open: { kept: { deep: 1 }, known: { y: 'x', z: 1 } },
      any: { a: [{ b: 1 }] },
      embedded: { apiVersion: 'v1', kind: 'K', metadata: { name: 'x', zzz: 1 }, spec: { gone: 1 }, status: {} },
    },
  };
  const gone = [
    'metadata.nope',
    'extra',
    'spec.b',
    'spec.list[0].z',
    'spec.map.k.z',
    'spec.open.known.z',
    'spec.embedded.metadata.zzz',
    'spec.embedded.spec.gone',
    'spec.embedded.status',
  ];

  it('CRD-03: drops unknown fields at every level and keeps what is open', () => {
    const { value, pruned } = prune(schema, full);
    expect(pruned).toEqual(gone);
    expect(value).toEqual({
      apiVersion: 'v1',
      kind: 'K',
      metadata: { name: 'x', labels: { any: 'v' }, finalizers: [] },
      spec: {
        a: 'x',
        list: [{ y: 'x' }],
        map: { k: { y: 'x' } },
        open: { kept: { deep: 1 }, known: { y: 'x' } },
        any: { a: [{ b: 1 }] },
        embedded: { apiVersion: 'v1', kind: 'K', metadata: { name: 'x' }, spec: {} },
      },
    });
  });

  it('REST-08: unknownFields names their exact paths', () => {
    expect(unknownFields(schema, full)).toEqual(gone);
  });

  it('gives the same value when nothing is dropped', () => {
    const { value } = prune(schema, full);
    expect(prune(schema, value).value).toBe(value);
  });

  it('treats __proto__ like any other unknown field', () => {
    const value = JSON.parse('{"spec":{"__proto__":{"a":1},"constructor":2}}') as Json;
    expect(prune(schema, value)).toEqual({ value: { spec: {} }, pruned: ['spec.__proto__', 'spec.constructor'] });
  });
});

describe('applyDefaults', () => {
  const schema = specSchema({
    type: 'object',
    properties: {
      a: { type: 'string', default: 'd' },
      nullable: { type: 'string', nullable: true },
      nullableDefault: { type: 'string', nullable: true, default: 'd' },
      plain: { type: 'string' },
      struct: { type: 'object', properties: { b: { type: 'integer', default: 1 } } },
      filled: { type: 'object', default: {}, properties: { b: { type: 'integer', default: 1 } } },
      list: { type: 'array', items: { type: 'object', properties: { b: { type: 'integer', default: 1 } } } },
      map: { type: 'object', additionalProperties: { type: 'object', properties: { b: { type: 'integer', default: 1 } } } },
    },
  });
  const rows: [name: string, spec: JsonObject, result: JsonObject][] = [
    ['fills absent fields, nested ones only in parents that are there', {}, { a: 'd', nullableDefault: 'd', filled: { b: 1 } }],
    ['keeps what is given', { a: 'x', filled: { b: 2 } }, { a: 'x', nullableDefault: 'd', filled: { b: 2 } }],
    [
      'fills inside structs, lists and maps',
      { struct: {}, list: [{}], map: { k: {} } },
      { struct: { b: 1 }, list: [{ b: 1 }], map: { k: { b: 1 } }, a: 'd', nullableDefault: 'd', filled: { b: 1 } },
    ],
    [
      'null becomes the default, or goes, or stays where it may',
      { a: null, plain: null, nullable: null, nullableDefault: null },
      { a: 'd', nullable: null, nullableDefault: null, filled: { b: 1 } },
    ],
  ];
  it.each(rows)('CRD-04: %s', (_name, spec, result) => {
    expect(applyDefaults(schema, { spec })).toEqual({ spec: result });
  });

  it('gives the same value when nothing changes, and defaults are copies', () => {
    const value = applyDefaults(schema, { spec: {} }) as { spec: { filled: { b: number } } };
    expect(applyDefaults(schema, value)).toBe(value);
    value.spec.filled.b = 9;
    expect(applyDefaults(schema, { spec: {} })).toMatchObject({ spec: { filled: { b: 1 } } });
  });
});

describe('validate', () => {
  const rows: [name: string, x: JsonObject, value: Json, errors: string[]][] = [
    ['type', { type: 'integer' }, 'v', ['spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"']],
    ['type of null', { type: 'string' }, null, ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"']],
    ['an integral number is an integer', { type: 'integer' }, 3, []],
    ['a fraction is none', { type: 'integer' }, 3.5, ['spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"']],
    ['nullable', { type: 'string', nullable: true }, null, []],
    ['enum', { type: 'string', enum: ['a', 'b'] }, 'c', ['spec.x: Unsupported value: "c": supported values: "a", "b"']],
    ['enum of numbers', { type: 'integer', enum: [1, 2] }, 3, ['spec.x: Unsupported value: 3: supported values: "1", "2"']],
    ['pattern, unanchored', { type: 'string', pattern: 'b' }, 'abc', []],
    ['pattern', { type: 'string', pattern: '^a+$' }, 'b', [`spec.x: Invalid value: "b": spec.x in body should match '^a+$'`]],
    ['minimum', { type: 'integer', minimum: 1 }, 0, ['spec.x: Invalid value: 0: spec.x in body should be greater than or equal to 1']],
    [
      'exclusive minimum',
      { type: 'integer', minimum: 1, exclusiveMinimum: true },
      1,
      ['spec.x: Invalid value: 1: spec.x in body should be greater than 1'],
    ],
    ['maximum', { type: 'integer', maximum: 1 }, 2, ['spec.x: Invalid value: 2: spec.x in body should be less than or equal to 1']],
    [
      'exclusive maximum',
      { type: 'number', maximum: 1, exclusiveMaximum: true },
      1,
      ['spec.x: Invalid value: 1: spec.x in body should be less than 1'],
    ],
    ['multipleOf', { type: 'number', multipleOf: 0.1 }, 0.3, []],
    ['multipleOf, not', { type: 'integer', multipleOf: 5 }, 7, ['spec.x: Invalid value: 7: spec.x in body should be a multiple of 5']],
    [
      'minLength in code points',
      { type: 'string', minLength: 2 },
      '\u{1f600}',
      ['spec.x: Invalid value: "\u{1f600}": spec.x in body should be at least 2 chars long'],
    ],
    ['maxLength', { type: 'string', maxLength: 1 }, 'ab', ['spec.x: Too long: may not be more than 1 bytes']],
    [
      'minItems',
      { type: 'array', items: { type: 'string' }, minItems: 1 },
      [],
      ['spec.x: Invalid value: 0: spec.x in body should have at least 1 items'],
    ],
    ['maxItems', { type: 'array', items: { type: 'string' }, maxItems: 1 }, ['a', 'b'], ['spec.x: Too many: 2: must have at most 1 items']],
    [
      'items',
      { type: 'array', items: { type: 'string' } },
      ['a', 1],
      ['spec.x[1]: Invalid value: "integer": spec.x[1] in body must be of type string: "integer"'],
    ],
    ['required', { type: 'object', required: ['a'], properties: { a: { type: 'string' } } }, {}, ['spec.x.a: Required value']],
    [
      'properties',
      { type: 'object', properties: { a: { type: 'string' } } },
      { a: 1 },
      ['spec.x.a: Invalid value: "integer": spec.x.a in body must be of type string: "integer"'],
    ],
    [
      'additionalProperties',
      { type: 'object', additionalProperties: { type: 'string' } },
      { k: 1 },
      ['spec.x.k: Invalid value: "integer": spec.x.k in body must be of type string: "integer"'],
    ],
    [
      'minProperties',
      { type: 'object', minProperties: 1 },
      {},
      ['spec.x: Invalid value: 0: spec.x in body should have at least 1 properties'],
    ],
    [
      'maxProperties',
      { type: 'object', additionalProperties: { type: 'string' }, maxProperties: 1 },
      { a: '', b: '' },
      ['spec.x: Too many: 2: must have at most 1 items'],
    ],
    [
      'allOf',
      { type: 'string', allOf: [{ minLength: 2 }] },
      'a',
      ['spec.x: Invalid value: "a": spec.x in body should be at least 2 chars long'],
    ],
    [
      'anyOf',
      { type: 'string', anyOf: [{ enum: ['a'] }, { enum: ['b'] }] },
      'c',
      ['spec.x: Invalid value: "": "spec.x" must validate at least one schema (anyOf)'],
    ],
    [
      'oneOf, none',
      { type: 'string', oneOf: [{ enum: ['a'] }] },
      'c',
      ['spec.x: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found none valid'],
    ],
    [
      'oneOf, two',
      { type: 'string', oneOf: [{ minLength: 1 }, { enum: ['c'] }] },
      'c',
      ['spec.x: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives'],
    ],
    ['not', { type: 'string', not: { enum: ['a'] } }, 'a', ['spec.x: Invalid value: "": "spec.x" must not validate the schema (not)']],
    ['int-or-string', { 'x-kubernetes-int-or-string': true }, '5', []],
    [
      'int-or-string, neither',
      { 'x-kubernetes-int-or-string': true },
      1.5,
      ['spec.x: Invalid value: "number": spec.x in body must be of type integer,string: "number"'],
    ],
    [
      'format date-time',
      { type: 'string', format: 'date-time' },
      '2026-02-30T00:00:00Z',
      ['spec.x: Invalid value: "2026-02-30T00:00:00Z": spec.x in body must be of type date-time: "2026-02-30T00:00:00Z"'],
    ],
    [
      'format int32',
      { type: 'integer', format: 'int32' },
      2 ** 31,
      ['spec.x: Invalid value: 2147483648: spec.x in body must be of type int32: "2147483648"'],
    ],
    ['an unknown format is ignored', { type: 'string', format: 'poem' }, 'x', []],
    [
      'set',
      { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
      ['a', 'b', 'a'],
      ['spec.x[2]: Duplicate value: "a"'],
    ],
    [
      'map list',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['n', 'p'],
        items: { type: 'object', required: ['n'], properties: { n: { type: 'string' }, p: { type: 'string', default: 'TCP' } } },
      },
      [{ n: 'a' }, { n: 'a', p: 'UDP' }, { n: 'a', p: 'TCP' }],
      ['spec.x[2]: Duplicate value: {"n":"a","p":"TCP"}'],
    ],
    [
      'integers beyond 2^53',
      { type: 'integer', maximum: 5 },
      2n ** 60n,
      ['spec.x: Invalid value: 1152921504606846976: spec.x in body should be less than or equal to 5'],
    ],
  ];
  it.each(rows)('CRD-05, CRD-11: %s', (_name, x, value, errors) => {
    const schema = specSchema({ type: 'object', properties: { x } });
    expect(texts(validate(schema, { spec: { x: value } }))).toEqual(errors);
  });

  it('CRD-05: an embedded resource says what it is and has valid labels', () => {
    const schema = specSchema({
      type: 'object',
      properties: { x: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true } },
    });
    expect(texts(validate(schema, { spec: { x: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 'b' } } } } }))).toEqual([]);
    expect(validate(schema, { spec: { x: { kind: '', metadata: { labels: { 'a b': 'c' } } } } }).map(({ field }) => field)).toEqual([
      'spec.x.apiVersion',
      'spec.x.kind',
      'spec.x.metadata.labels',
    ]);
  });

  it('CRD-05: a pattern that explodes elsewhere is linear here', () => {
    const schema = specSchema({ type: 'object', properties: { x: { type: 'string', pattern: '^(a+)+$' } } });
    expect(validate(schema, { spec: { x: `${'a'.repeat(20_000)}b` } })).toHaveLength(1);
  });

  it('CRD-05: the name’s own restriction holds', () => {
    const { schema } = compileCrdSchema({
      type: 'object',
      properties: { metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 3 } } } },
    });
    expect(texts(validate(schema, { metadata: { name: 'long', labels: { a: 'b' } } }))).toEqual([
      'metadata.name: Too long: may not be more than 3 bytes',
    ]);
  });

  describe('CEL rules', () => {
    const ruled = (rule: JsonObject, properties: JsonObject = { a: { type: 'integer' }, b: { type: 'integer' } }): Schema =>
      specSchema({ type: 'object', properties, 'x-kubernetes-validations': [rule] });

    it('CRD-06: a rule that fails gives its message', () => {
      const schema = ruled({ rule: 'self.a < self.b', message: 'a must be below b' });
      expect(validate(schema, { spec: { a: 1, b: 2 } })).toEqual([]);
      expect(texts(validate(schema, { spec: { a: 2, b: 2 } }))).toEqual(['spec: Invalid value: "object": a must be below b']);
    });

    it('CRD-06: without a message the rule is named; messageExpression, reason and fieldPath count', () => {
      expect(texts(validate(ruled({ rule: 'self.a < self.b' }), { spec: { a: 2, b: 2 } }))).toEqual([
        'spec: Invalid value: "object": failed rule: self.a < self.b',
      ]);
      const schema = ruled({
        rule: 'self.a < self.b',
        messageExpression: "'a is ' + string(self.a)",
        reason: 'FieldValueForbidden',
        fieldPath: '.a',
      });
      expect(validate(schema, { spec: { a: 2, b: 2 } })).toEqual([
        { reason: 'FieldValueForbidden', field: 'spec.a', message: 'Forbidden: a is 2' },
      ]);
    });

    it('CRD-06: a transition rule waits for an old value', () => {
      const schema = ruled({ rule: 'self.a == oldSelf.a', message: 'a is fixed' });
      expect(validate(schema, { spec: { a: 1 } })).toEqual([]);
      expect(validate(schema, { spec: { a: 1 } }, { spec: { a: 1 } })).toEqual([]);
      expect(texts(validate(schema, { spec: { a: 2 } }, { spec: { a: 1 } }))).toEqual(['spec: Invalid value: "object": a is fixed']);
    });

    it('CRD-06: with optionalOldSelf a rule runs on create too and sees an optional value', () => {
      const schema = ruled({
        rule: 'oldSelf.hasValue() ? self.a >= oldSelf.value().a : self.a == 0',
        message: 'a only grows from 0',
        optionalOldSelf: true,
      });
      expect(validate(schema, { spec: { a: 0 } })).toEqual([]);
      expect(validate(schema, { spec: { a: 2 } }, { spec: { a: 1 } })).toEqual([]);
      expect(texts(validate(schema, { spec: { a: 1 } }))).toEqual(['spec: Invalid value: "object": a only grows from 0']);
      expect(texts(validate(schema, { spec: { a: 1 } }, { spec: { a: 2 } }))).toHaveLength(1);
    });

    it('CRD-06: a rule that cannot be evaluated fails', () => {
      const [error] = validate(ruled({ rule: 'self.a < self.b' }), { spec: { a: 2 } });
      expect(error?.message).toContain('rule "self.a < self.b" failed');
    });

    it('CRD-06: a rule that costs too much fails', () => {
      const list = { type: 'array', items: { type: 'integer' } };
      const schema = ruled({ rule: 'self.l.all(x, self.l.all(y, self.l.all(z, x + y + z >= 0)))' }, { l: list });
      const [error] = validate(schema, { spec: { l: Array.from({ length: 2000 }, (_, i) => i) } });
      expect(error?.message).toContain('failed');
    });
  });

  describe('ratcheting', () => {
    const schema = specSchema({
      type: 'object',
      properties: {
        x: { type: 'string', maxLength: 2 },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['n'],
          items: { type: 'object', required: ['n'], properties: { n: { type: 'string' }, v: { type: 'string', maxLength: 1 } } },
        },
        list: { type: 'array', items: { type: 'string', maxLength: 1 } },
      },
    });
    const rows: [name: string, old: JsonObject, next: JsonObject, count: number][] = [
      ['what was wrong and stays passes', { x: 'long' }, { x: 'long' }, 0],
      ['what changes must be right', { x: 'long' }, { x: 'longer' }, 1],
      ['items of map lists are found by key', { items: [{ n: 'a', v: 'long' }] }, { items: [{ n: 'b' }, { n: 'a', v: 'long' }] }, 0],
      ['atomic lists count as a whole', { list: ['long'] }, { list: ['long', 'a'] }, 1],
      ['an atomic list that stays passes', { list: ['long'] }, { list: ['long'], x: 'ok' }, 0],
    ];
    it.each(rows)('CRD-07: %s', (_name, old, next, count) => {
      expect(validate(schema, { spec: next }, { spec: old })).toHaveLength(count);
    });
  });
});
