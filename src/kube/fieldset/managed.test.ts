import { describe, expect, it } from 'vitest';

import { ApiError, type JsonObject, type KubeObject, type ManagedFieldsEntry } from '../objects/index.ts';
import { schemaOf, type Schema } from '../schema/index.ts';
import { applyManaged, fieldElement, FieldSet, sameIgnoringManagedFieldsTime, updateManaged, type ApplyRequest } from './index.ts';

const schema = schemaOf({ group: '', version: 'v1', kind: 'ConfigMap' }) ?? {};
const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 999);

function configMap(data: Record<string, string>, metadata: JsonObject = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'n', ...metadata }, data };
}

function apply(manager: string, config: KubeObject, live?: KubeObject, more: Partial<ApplyRequest> = {}): KubeObject {
  return applyManaged({
    schema,
    apiVersion: 'v1',
    now: NOW,
    manager,
    config,
    force: false,
    ...(live === undefined ? {} : { live }),
    ...more,
  }).object;
}

function update(
  manager: string,
  next: KubeObject,
  live?: KubeObject,
  more: { now?: number; apiVersion?: string; subresource?: string } = {},
): KubeObject {
  return updateManaged({ schema, apiVersion: 'v1', now: NOW, manager, next, ...(live === undefined ? {} : { live }), ...more });
}

function names(object: KubeObject): string[] {
  return (object.metadata.managedFields ?? []).map(
    (entry) => `${entry.manager} ${entry.operation} ${entry.apiVersion}${entry.subresource ?? ''}`,
  );
}

function thrown(run: () => unknown): ApiError {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('applyManaged', () => {
  it('writes an entry with its fields in FieldsV1', () => {
    const object = apply('alice', configMap({ a: '1' }, { labels: { l: 'v' }, finalizers: ['example.org/f'] }));
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'alice',
        operation: 'Apply',
        apiVersion: 'v1',
        time: '2026-01-01T12:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:finalizers': { 'v:"example.org/f"': {} }, 'f:labels': { 'f:l': {} } } },
      },
    ]);
  });

  it('apiserver/SSA-01: refuses managedFields in the configuration', () => {
    const error = thrown(() => apply('alice', configMap({}, { managedFields: [] })));
    expect(error.status).toMatchObject({ code: 400, message: 'metadata.managedFields must be nil' });
  });

  const misfits: [name: string, body: JsonObject, problem: string][] = [
    ['a field that is not declared', { spec: {} }, '.spec: field not declared in schema'],
    ['an unknown metadata field', { metadata: { nope: 1 } }, '.metadata.nope: field not declared in schema'],
    ['a wrong type', { data: { a: 5 } }, '.data.a: expected string, got number'],
    ['a map in place of a text', { data: { a: {} } }, '.data.a: expected string, got map'],
    ['a list in place of a map', { data: [] }, '.data: expected map, got list'],
    ['a duplicate set item', { metadata: { finalizers: ['f', 'f'] } }, '.metadata.finalizers: duplicate entries for key [="f"]'],
    [
      'several problems',
      { spec: 1, immutable: 'yes' },
      'errors:\n  .spec: field not declared in schema\n  .immutable: expected boolean, got string',
    ],
  ];
  it.each(misfits)('apiserver/SSA-01: %s is a 500 without reason', (_name, body, problem) => {
    const { metadata, ...rest } = body;
    const config = { ...configMap({}), ...rest, metadata: { name: 'x', namespace: 'n', ...(metadata as JsonObject | undefined) } };
    const error = thrown(() => apply('alice', config));
    expect(error.status).toMatchObject({
      code: 500,
      message: `failed to create typed patch object (n/x; /v1, Kind=ConfigMap): ${problem}`,
    });
    expect(error.status.reason).toBeUndefined();
  });

  it('apiserver/SSA-01: finds duplicate keys inside atomic lists', () => {
    const nested: Schema = {
      type: 'object',
      properties: {
        ...schema.properties,
        outer: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              in: {
                type: 'array',
                listType: 'map',
                listMapKeys: ['name'],
                items: { type: 'object', properties: { name: { type: 'string' } } },
              },
            },
          },
        },
      },
    };
    const config = { ...configMap({}), outer: [{ in: [{ name: 'x' }, { name: 'x' }] }, { in: [{}] }] };
    const error = thrown(() => apply('alice', config, undefined, { schema: nested }));
    expect(error.message).toContain('.outer[0].in: duplicate entries for key [name="x"]');
    expect(error.message).toContain(
      '.outer[1].in: element 0: associative list with keys has an element that omits all key fields ["name"]',
    );
  });

  it('apiserver/SSA-03: one conflict and several have their texts', () => {
    const live = update('ed', configMap({ a: '1', b: '1' }));
    expect(thrown(() => apply('alice', configMap({ a: '2' }), live)).status).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      code: 409,
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "ed" using v1: .data.a',
      details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "ed" using v1', field: '.data.a' }] },
    });
    const both = apply('zoe', configMap({ c: '1' }), live);
    expect(thrown(() => apply('alice', configMap({ a: '2', b: '2', c: '2' }), both)).message).toBe(
      'Apply failed with 3 conflicts: conflicts with "ed" using v1:\n- .data.a\n- .data.b\nconflicts with "zoe":\n- .data.c',
    );
  });

  it('apiserver/SSA-03: a conflict names the subresource of the other manager', () => {
    const live = update('hpa', configMap({ a: '2' }), update('ed', configMap({ a: '1' })), { subresource: 'scale' });
    expect(thrown(() => apply('alice', configMap({ a: '3' }), live)).message).toBe(
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using v1: .data.a',
    );
  });

  it('apiserver/SSA-03: a quantity in another notation is another value before defaults are set', () => {
    const pods = schemaOf({ group: '', version: 'v1', kind: 'LimitRange' }) ?? {};
    const range = (cpu: string): KubeObject => ({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name: 'x' },
      spec: { limits: [{ type: 'Pod', max: { cpu } }] },
    });
    const live = updateManaged({ schema: pods, apiVersion: 'v1', now: NOW, manager: 'ed', next: range('500m') });
    const error = thrown(() =>
      applyManaged({ schema: pods, apiVersion: 'v1', now: NOW, manager: 'alice', config: range('0.5'), live, force: false }),
    );
    expect(error.status.code).toBe(409);
  });

  it('apiserver/SSA-07: the same configuration twice changes nothing, times included', () => {
    const first = apply('alice', configMap({ a: '1' }));
    const second = apply('alice', configMap({ a: '1' }), first, { now: NOW + 60_000 });
    expect(second).toEqual(first);
    const changed = apply('alice', configMap({ a: '2' }), first, { now: NOW + 60_000 });
    expect(changed.metadata.managedFields?.[0]?.time).toBe('2026-01-01T12:01:00Z');
  });

  it('apiserver/SSA-09: ignores fields that the endpoint resets', () => {
    const reset = FieldSet.of([fieldElement('data')]);
    const live = apply('alice', configMap({ a: '1' }));
    const object = apply('bob', configMap({ a: '2' }, { labels: { l: 'v' } }), live, { resetFields: reset });
    expect(object.metadata.managedFields?.map((entry) => entry.fieldsV1)).toEqual([
      { 'f:data': { 'f:a': {} } },
      { 'f:metadata': { 'f:labels': { 'f:l': {} } } },
    ]);
  });

  it('apiserver/SSA-10: an untracked object becomes before-first-apply’s', () => {
    const object = apply('alice', configMap({ b: '2' }), configMap({ a: '1' }, { uid: 'u' }));
    expect(names(object)).toEqual(['alice Apply v1', 'before-first-apply Update v1']);
    expect(object['data']).toEqual({ a: '1', b: '2' });
    expect(thrown(() => apply('alice', configMap({ a: '2' }), configMap({ a: '1' }, { uid: 'u' }))).message).toContain(
      '"before-first-apply" using v1',
    );
  });

  it('apiserver/SSA-13: kubectl takes over what it applied on the client side', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const last = JSON.stringify(configMap({ a: '1', b: '1' }));
    const live = update('kubectl-client-side-apply', configMap({ a: '1', b: 'changed' }, { annotations: { [annotation]: last } }));
    const object = apply('kubectl', configMap({ a: '2' }), live);
    expect(object['data']).toEqual({ a: '2', b: 'changed' });
    expect(object.metadata.annotations?.[annotation]).toBe(`${JSON.stringify(configMap({ a: '2' }))}\n`);
    expect(thrown(() => apply('kubectl', configMap({ b: '2' }), live)).message).toContain('.data.b');
    expect(thrown(() => apply('flux', configMap({ a: '2' }), live)).message).toContain('.data.a');
  });

  it('apiserver/SSA-13: drops the annotation when annotations get too large', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const live = update('ed', configMap({}, { annotations: { [annotation]: '{}' } }));
    const object = apply('kubectl', configMap({ a: 'x'.repeat(300_000) }), live);
    expect(object.metadata.annotations).toEqual({});
  });

  it('apiserver/SSA-16: an applied stringData stays in its own field', () => {
    const secrets = schemaOf({ group: '', version: 'v1', kind: 'Secret' }) ?? {};
    const config = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' }, stringData: { a: 'v' } };
    const { object } = applyManaged({ schema: secrets, apiVersion: 'v1', now: NOW, manager: 'alice', config, force: false });
    expect(object.metadata.managedFields?.[0]?.fieldsV1).toEqual({ 'f:stringData': { 'f:a': {} } });
  });

  it('apiserver/SSA-02: owning an item of a list that became atomic is owning the list', () => {
    const list = (listType: 'map' | 'atomic'): Schema => ({
      type: 'object',
      properties: {
        ...schema.properties,
        items: {
          type: 'array',
          listType,
          listMapKeys: ['n'],
          items: { type: 'object', properties: { n: { type: 'string' }, v: { type: 'string' } } },
        },
      },
    });
    const config = (v: string): KubeObject => ({ ...configMap({}), items: [{ n: 'x', v }] });
    const live = apply('alice', config('1'), undefined, { schema: list('map') });
    expect(thrown(() => apply('bob', config('2'), live, { schema: list('atomic') })).message).toContain('conflict with "alice": .items');
    const next = updateManaged({
      schema: list('atomic'),
      apiVersion: 'v1',
      now: NOW,
      manager: 'ed',
      next: { ...live, data: { a: '1' } },
      live,
    });
    const alice = next.metadata.managedFields?.find((entry) => entry.manager === 'alice');
    expect(alice?.fieldsV1).toEqual({ 'f:data': {}, 'f:items': {} });
  });

  it('refuses a configuration that is nested too deep', () => {
    let deep: JsonObject = {};
    for (let i = 0; i < 20_000; i++) deep = { deep };
    expect(thrown(() => apply('alice', { ...configMap({}), deep }, undefined, { schema: {} })).status.code).toBe(400);
  });

  it('looks at every item of a long list a few times only', () => {
    const services = schemaOf({ group: '', version: 'v1', kind: 'Service' }) ?? {};
    const request = { schema: services, apiVersion: 'v1', now: NOW, manager: 'alice', force: false };
    let reads = 0;
    const counted = (port: number): JsonObject => Object.defineProperty({}, 'port', { enumerable: true, get: () => (reads++, port) });
    const config = (ports: JsonObject[]): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { ports } });
    const readsPerItem = (count: number): number => {
      const ports = Array.from({ length: count }, (_, i) => counted(i + 1));
      reads = 0;
      const live = applyManaged({ ...request, config: config(ports) }).object;
      const { object } = applyManaged({ ...request, config: config(ports.toReversed().slice(1)), live });
      expect((object['spec'] as { ports: unknown[] }).ports).toHaveLength(count - 1);
      return reads / count;
    };
    expect(readsPerItem(2000)).toBeLessThan(readsPerItem(200) * 1.1);
  });
});

describe('updateManaged', () => {
  const entry = (manager: string, operation: 'Apply' | 'Update', fieldsV1: JsonObject): ManagedFieldsEntry => ({
    manager,
    operation,
    apiVersion: 'v1',
    fieldsType: 'FieldsV1',
    fieldsV1,
  });

  it('apiserver/SSA-06: updates are kept apart by version and subresource, applies only by subresource', () => {
    const created = update('ed', configMap({ a: '1' }));
    const second = update('ed', configMap({ a: '1', b: '1' }), created, { apiVersion: 'v2' });
    const third = update('ed', configMap({ a: '1', b: '1', c: '1' }), second, { subresource: 'status' });
    expect(names(third)).toEqual(['ed Update v1', 'ed Update v1status', 'ed Update v2']);
    const applied = apply('alice', configMap({ a: '1' }));
    expect(names(apply('alice', { ...configMap({ a: '1', b: '1' }), apiVersion: 'v2' }, applied, { apiVersion: 'v2' }))).toEqual([
      'alice Apply v2',
    ]);
  });

  it('apiserver/SSA-06: drops entries of versions that are gone', () => {
    const created = update('ed', configMap({ a: '1' }), undefined, { apiVersion: 'v0' });
    const next = updateManaged({
      schema,
      apiVersion: 'v1',
      now: NOW,
      manager: 'mo',
      next: configMap({ a: '1', b: '1' }),
      live: created,
      knownVersions: ['v1'],
    });
    expect(names(next)).toEqual(['mo Update v1']);
  });

  it('apiserver/SSA-10: an object without managers stays untracked until it is applied to', () => {
    expect(update('ed', configMap({ a: '2' }), configMap({ a: '1' }, { uid: 'u' })).metadata.managedFields).toBeUndefined();
  });

  it.each([
    ['an empty list', []],
    ['one empty entry', [{}]],
  ])('apiserver/SSA-11: %s clears tracking', (_name, managedFields) => {
    const live = update('ed', configMap({ a: '1' }, { uid: 'u' }));
    const next = update('mo', configMap({ a: '2' }, { uid: 'u', managedFields: managedFields as JsonObject[] }), live);
    expect(next.metadata.managedFields).toBeUndefined();
  });

  it('apiserver/SSA-11: a list in the request replaces the live one, a missing or broken one does not', () => {
    const live = update('ed', configMap({ a: '1' }));
    const replaced = [entry('flux', 'Apply', { 'f:data': { 'f:a': {} } })];
    const sent = (managedFields: unknown): KubeObject => configMap({ a: '1' }, { managedFields } as JsonObject);
    expect(names(update('mo', sent(replaced), live))).toEqual(['flux Apply v1']);
    expect(names(update('mo', configMap({ a: '1' }), live))).toEqual(['ed Update v1']);
    const broken = [
      entry('flux', 'Apply', { 'x:data': {} }),
      { ...entry('flux', 'Apply', {}), operation: 'Replace' },
      { ...entry('flux', 'Apply', {}), fieldsType: 'V2' },
    ];
    for (const bad of broken) expect(names(update('mo', sent([bad]), live))).toEqual(['ed Update v1']);
    expect(names(update('mo', sent(replaced), live, { subresource: 'status' }))).toEqual(['ed Update v1']);
    expect(names(update('mo', sent([]), live, { subresource: 'status' }))).toEqual(['ed Update v1']);
  });

  it('apiserver/SSA-11: a write is accounted after the list was replaced', () => {
    const live = update('ed', configMap({ a: '1', b: '1' }));
    const managedFields = [entry('flux', 'Apply', { 'f:data': { 'f:a': {}, 'f:b': {} } })];
    const next = update('mo', configMap({ a: '1', b: '2' }, { managedFields } as unknown as JsonObject), live);
    expect(next.metadata.managedFields?.map((each) => [each.manager, each.fieldsV1])).toEqual([
      ['flux', { 'f:data': { 'f:a': {} } }],
      ['mo', { 'f:data': { 'f:b': {} } }],
    ]);
  });

  it('apiserver/SSA-12: more than ten updaters: the oldest merge into ancient-changes', () => {
    let live = update('m0', configMap({ k0: 'v' }));
    const data: Record<string, string> = { k0: 'v' };
    for (let i = 1; i < 13; i++) {
      data[`k${i}`] = 'v';
      live = update(`m${i}`, configMap({ ...data }), live, { now: NOW + i * 1000 });
    }
    const entries = live.metadata.managedFields ?? [];
    expect(entries).toHaveLength(10);
    const bucket = entries.find((each) => each.manager === 'ancient-changes');
    expect(bucket?.fieldsV1).toEqual({ 'f:data': { '.': {}, 'f:k0': {}, 'f:k1': {}, 'f:k2': {}, 'f:k3': {} } });
    expect(bucket?.time).toBe('2026-01-01T12:00:03Z');
  });

  it('sorts entries by operation, time, manager, version, subresource', () => {
    const base = update('zed', configMap({ a: '1' }), undefined, { now: NOW });
    const second = update('abe', configMap({ a: '1', b: '1' }), base, { now: NOW + 5000 });
    const third = apply('late', configMap({ c: '1' }), second, { now: NOW + 9000 });
    expect(names(third)).toEqual(['late Apply v1', 'zed Update v1', 'abe Update v1']);
  });

  it('does not change its operands', () => {
    const live = Object.freeze(update('ed', configMap({ a: '1' })));
    const text = JSON.stringify(live);
    update('mo', configMap({ a: '2' }), live);
    apply('alice', configMap({ b: '2' }), live);
    expect(JSON.stringify(live)).toBe(text);
  });
});

describe('sameIgnoringManagedFieldsTime', () => {
  it('REST-06: times alone are no difference, owners and fields are', () => {
    const object = update('ed', configMap({ a: '1' }));
    const later = update('ed', configMap({ a: '1' }), undefined, { now: NOW + 5000 });
    expect(later).not.toEqual(object);
    expect(sameIgnoringManagedFieldsTime(object, later)).toBe(true);
    expect(sameIgnoringManagedFieldsTime(object, update('mo', configMap({ a: '1' })))).toBe(false);
    expect(sameIgnoringManagedFieldsTime(object, { ...object, data: { a: '2' } })).toBe(false);
  });
});
