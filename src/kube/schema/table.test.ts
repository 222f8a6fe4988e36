import { describe, expect, it } from 'vitest';

import { DEFINITIONS } from './generated/kubernetes.ts';
import { definitionFacts, fullName, parseField, protoFacts, shortTitle } from './table.ts';
import { DEFAULT_STEPS } from './default-steps.ts';
import { DEFAULT_VALUES, DROPPED_WHEN_ZERO, MAY_BE_EMPTY, STATUS_ALWAYS } from './default-values.ts';

const names = DEFINITIONS.split('\n').map((line) => line.slice(0, line.indexOf('\t')));
const known = new Set(names);
const byTitle = new Map(names.map((name) => [shortTitle(fullName(name)), name]));
const SIMPLE = /^(?:string|integer|number|boolean|bool|bytes|int32|int64|double)(?::[a-z0-9-]+)?$/;

function leaf(type: string): string {
  return type.replace(/^(?:\[\]|\{\})+/, '');
}

function fieldsOf(title: string): readonly string[] {
  const name = byTitle.get(title) ?? '';
  return [...Object.keys(definitionFacts(name)?.fields ?? {}), ...(protoFacts(name) ?? []).map(([, field]) => field)];
}

describe('the generated table', () => {
  it('holds every type that it names', () => {
    const missing = names.flatMap((name) => {
      const fields = Object.values(definitionFacts(name)?.fields ?? {}).map((text) => parseField(text).type);
      const messages = (protoFacts(name) ?? []).map(([, , type]) => type);
      return [...fields, ...messages].map(leaf).filter((type) => !SIMPLE.test(type) && !known.has(type));
    });
    expect(missing).toEqual([]);
  });

  it('has a key field for every key of a map list', () => {
    const wrong = names.flatMap((name) =>
      Object.entries(definitionFacts(name)?.fields ?? {}).flatMap(([field, text]) => {
        const { keys = [], patchKey, type } = parseField(text);
        const items = definitionFacts(leaf(type))?.fields ?? {};
        return [...keys, ...(patchKey === undefined ? [] : [patchKey])]
          .filter((key) => items[key] === undefined)
          .map((key) => `${name}.${field}: ${key}`);
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('says what the list markers of section c say', () => {
    const container = definitionFacts('core.v1.Container')?.fields ?? {};
    expect(parseField(container['ports'] ?? '')).toEqual({
      type: '[]core.v1.ContainerPort',
      list: 'map',
      keys: ['containerPort', 'protocol'],
      patch: 'merge',
      patchKey: 'containerPort',
    });
    expect(parseField(definitionFacts('~apis.meta.v1.ObjectMeta')?.fields?.['finalizers'] ?? '')).toEqual({
      type: '[]string',
      list: 'set',
      patch: 'merge',
    });
    expect(parseField(definitionFacts('core.v1.PersistentVolumeSpec')?.fields?.['claimRef'] ?? '').map).toBe('granular');
    expect(definitionFacts('core.v1.ObjectReference')?.map).toBe('atomic');
  });

  it('knows every definition and field that the tables of defaults name', () => {
    const definitions = [...Object.keys(DEFAULT_VALUES), ...Object.keys(DEFAULT_STEPS), ...STATUS_ALWAYS];
    expect(definitions.filter((title) => !byTitle.has(title))).toEqual([]);
    const fields = [
      ...DROPPED_WHEN_ZERO,
      ...MAY_BE_EMPTY,
      ...Object.entries(DEFAULT_VALUES).flatMap(([title, values]) => Object.keys(values).map((field) => `${title}.${field}`)),
    ];
    const split = (field: string): readonly [string, string] => {
      const [group = '', version = '', kind = '', ...rest] = field.split('.');
      return [`${group}.${version}.${kind}`, rest.join('.')];
    };
    expect(fields.filter((field) => !fieldsOf(split(field)[0]).includes(split(field)[1]))).toEqual([]);
  });
});
