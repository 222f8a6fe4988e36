import { describe, expect, it } from 'vitest';

import { ApiError, type JsonObject, type KubeObject } from '../objects/index.ts';
import { schemaOf, type Schema } from '../schema/index.ts';
import { FieldSet, pathText } from './fieldset.ts';
import { applyManaged, updateManaged } from './index.ts';

/*
 * Server-side apply as a small language. A scenario starts without an object; its steps run in order:
 *
 *   apply / force    a manager applies a configuration
 *   conflicts        an apply fails; the conflicts are `manager: path`
 *   update           a manager replaces the object (create, when there is none)
 *   edit             a manager updates the object that a function makes of the live one
 *   object           what is stored, without apiVersion, kind, metadata.name and managedFields
 *   owners           `manager Operation` → the paths that it owns
 */
type Step =
  | { readonly apply: string; readonly config: JsonObject }
  | { readonly force: string; readonly config: JsonObject }
  | { readonly conflicts: readonly string[]; readonly of: string; readonly config: JsonObject }
  | { readonly update: string; readonly to: JsonObject }
  | { readonly edit: string; readonly by: (live: JsonObject) => JsonObject }
  | { readonly object: JsonObject }
  | { readonly owners: Readonly<Record<string, readonly string[]>> };

interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly schema: Schema;
}

function builtin(group: string, version: string, kind: string): Kind {
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, schema: schemaOf({ group, version, kind }) ?? {} };
}

const configMap = builtin('', 'v1', 'ConfigMap');
const deployment = builtin('apps', 'v1', 'Deployment');
const service = builtin('', 'v1', 'Service');
const role = builtin('rbac.authorization.k8s.io', 'v1', 'Role');

/** A custom kind with one field of every shape. */
const shapes: Kind = {
  apiVersion: 'example.org/v1',
  kind: 'Shape',
  schema: {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: schemaOf({ group: '', version: 'v1', kind: 'ConfigMap' })?.properties?.['metadata'] ?? {},
      scalar: { type: 'string' },
      other: { type: 'string' },
      struct: { type: 'object', properties: { a: { type: 'string' }, b: { type: 'string' } } },
      map: { type: 'object', additionalProperties: { type: 'string' } },
      nested: { type: 'object', additionalProperties: { type: 'object', properties: { x: { type: 'string' }, y: { type: 'string' } } } },
      atomicMap: { type: 'object', additionalProperties: { type: 'string' }, mapType: 'atomic' },
      list: { type: 'array', items: { type: 'string' } },
      set: { type: 'array', items: { type: 'string' }, listType: 'set' },
      items: {
        type: 'array',
        listType: 'map',
        listMapKeys: ['name'],
        items: { type: 'object', properties: { name: { type: 'string' }, a: { type: 'string' }, b: { type: 'string' } } },
      },
      free: { type: 'object', preserveUnknownFields: true },
    },
  },
};

const NAME = 'x';
const START = Date.UTC(2026, 0, 1);

function full(kind: Kind, body: JsonObject): KubeObject {
  const { metadata, ...rest } = body;
  return { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name: NAME, ...(metadata as JsonObject | undefined) }, ...rest };
}

function bare(object: KubeObject | undefined): JsonObject {
  const { apiVersion: _, kind: __, metadata, ...rest } = object ?? { apiVersion: '', kind: '', metadata: {} };
  const { name: ___, managedFields: ____, ...others } = metadata;
  return { ...(Object.keys(others).length === 0 ? {} : { metadata: others }), ...rest } as JsonObject;
}

function ownersOf(object: KubeObject | undefined): Record<string, string[]> {
  const entries = (object?.metadata.managedFields ?? []).map((entry) => {
    const set = FieldSet.decode(entry.fieldsV1) ?? FieldSet.empty;
    return [`${entry.manager} ${entry.operation}`, [...set.paths()].map(pathText)] as const;
  });
  return Object.fromEntries(entries);
}

function run(kind: Kind, steps: readonly Step[]): void {
  let live: KubeObject | undefined;
  let now = START;
  for (const step of steps) {
    now += 1000;
    const base = { schema: kind.schema, apiVersion: kind.apiVersion, now, ...(live === undefined ? {} : { live }) };
    if ('apply' in step) live = applyManaged({ ...base, config: full(kind, step.config), manager: step.apply, force: false }).object;
    else if ('force' in step) live = applyManaged({ ...base, config: full(kind, step.config), manager: step.force, force: true }).object;
    else if ('update' in step) live = updateManaged({ ...base, next: full(kind, step.to), manager: step.update });
    else if ('edit' in step) live = updateManaged({ ...base, next: full(kind, step.by(bare(live))), manager: step.edit });
    else if ('object' in step) expect(bare(live)).toEqual(step.object);
    else if ('owners' in step) expect(ownersOf(live)).toEqual(step.owners);
    else expect(conflictsOf({ ...base, config: full(kind, step.config), manager: step.of })).toEqual(step.conflicts);
  }
}

function conflictsOf(request: Omit<Parameters<typeof applyManaged>[0], 'force'>): string[] {
  try {
    applyManaged({ ...request, force: false });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status.code !== 409) throw error;
    return (error.status.details?.causes ?? []).map(({ message = '', field = '' }) => `${message.replace('conflict with ', '')}: ${field}`);
  }
  return [];
}

type Case = readonly [name: string, kind: Kind, steps: readonly Step[]];

const SCENARIOS: readonly Case[] = [
  [
    'apiserver/SSA-03: the applied fields are the manager’s, and another value needs force',
    configMap,
    [
      { apply: 'alice', config: { data: { a: '1', b: '2' } } },
      { owners: { 'alice Apply': ['.data.a', '.data.b'] } },
      { conflicts: ['"alice": .data.a'], of: 'bob', config: { data: { a: '9', c: '3' } } },
      { force: 'bob', config: { data: { a: '9', c: '3' } } },
      { object: { data: { a: '9', b: '2', c: '3' } } },
      { owners: { 'alice Apply': ['.data.b'], 'bob Apply': ['.data.a', '.data.c'] } },
    ],
  ],
  [
    'apiserver/SSA-03: the same value is shared ownership',
    configMap,
    [
      { apply: 'alice', config: { data: { a: '1' } } },
      { apply: 'bob', config: { data: { a: '1' } } },
      { owners: { 'alice Apply': ['.data.a'], 'bob Apply': ['.data.a'] } },
      { conflicts: ['"bob": .data.a'], of: 'alice', config: { data: { a: '2' } } },
    ],
  ],
  [
    'apiserver/SSA-03: a conflict with an updater names its version',
    configMap,
    [
      { update: 'ed', to: { data: { a: '1', b: '2' } } },
      { conflicts: ['"ed" using v1: .data.a', '"ed" using v1: .data.b'], of: 'alice', config: { data: { a: '9', b: '9' } } },
    ],
  ],
  [
    'apiserver/SSA-04: what is no longer applied goes, unless somebody else owns it',
    configMap,
    [
      { apply: 'alice', config: { data: { a: '1', b: '2', c: '3' } } },
      { apply: 'bob', config: { data: { b: '2' } } },
      { edit: 'ed', by: () => ({ data: { a: '1', b: '2', c: '9' } }) },
      { apply: 'alice', config: { data: {} } },
      { object: { data: { b: '2', c: '9' } } },
      { owners: { 'alice Apply': ['.data'], 'bob Apply': ['.data.b'], 'ed Update': ['.data.c'] } },
    ],
  ],
  [
    'apiserver/SSA-04: an applier that drops its last field drops the map, and its entry',
    configMap,
    [{ apply: 'alice', config: { data: { a: '1' } } }, { apply: 'alice', config: {} }, { object: {} }, { owners: {} }],
  ],
  [
    'apiserver/SSA-04: what nobody owns inside a struct goes with the struct',
    shapes,
    [
      { apply: 'alice', config: { struct: { a: '1' }, scalar: 'x' } },
      { edit: 'ed', by: (live) => ({ ...live, struct: { a: '1', b: '2' } }) },
      { apply: 'alice', config: { scalar: 'x' } },
      { object: { struct: { b: '2' }, scalar: 'x' } },
    ],
  ],
  [
    'apiserver/SSA-04: items of map lists go by key, and stay while another owner needs them',
    shapes,
    [
      {
        apply: 'alice',
        config: {
          items: [
            { name: 'x', a: '1' },
            { name: 'y', a: '1' },
          ],
        },
      },
      { apply: 'bob', config: { items: [{ name: 'x', b: '2' }] } },
      {
        owners: {
          'alice Apply': [
            '.items[name="x"]',
            '.items[name="x"].a',
            '.items[name="x"].name',
            '.items[name="y"]',
            '.items[name="y"].a',
            '.items[name="y"].name',
          ],
          'bob Apply': ['.items[name="x"]', '.items[name="x"].b', '.items[name="x"].name'],
        },
      },
      { apply: 'alice', config: {} },
      { object: { items: [{ name: 'x', b: '2' }] } },
    ],
  ],
  [
    'apiserver/SSA-04: items of sets go by value',
    shapes,
    [
      { apply: 'alice', config: { set: ['a', 'b'] } },
      { apply: 'bob', config: { set: ['b', 'c'] } },
      { apply: 'alice', config: { set: ['a'] } },
      { object: { set: ['a', 'b', 'c'] } },
      { apply: 'bob', config: { set: ['c'] } },
      { object: { set: ['a', 'c'] } },
      { owners: { 'alice Apply': ['.set[="a"]'], 'bob Apply': ['.set[="c"]'] } },
    ],
  ],
  [
    'apiserver/SSA-02: atomic lists and maps replace as a whole and are one field',
    shapes,
    [
      { apply: 'alice', config: { list: ['a', 'b'], atomicMap: { a: '1' } } },
      { owners: { 'alice Apply': ['.atomicMap', '.list'] } },
      { conflicts: ['"alice": .atomicMap', '"alice": .list'], of: 'bob', config: { list: ['c'], atomicMap: { b: '2' } } },
      { force: 'bob', config: { list: ['c'], atomicMap: { b: '2' } } },
      { object: { list: ['c'], atomicMap: { b: '2' } } },
    ],
  ],
  [
    'apiserver/SSA-02: applied items keep their order, the others their place',
    shapes,
    [
      { update: 'ed', to: { set: ['x', 'a', 'y', 'b', 'z'] } },
      { apply: 'alice', config: { set: ['b', 'n', 'a'] } },
      { object: { set: ['x', 'y', 'b', 'z', 'n', 'a'] } },
    ],
  ],
  [
    'apiserver/SSA-02: new items come before the applied item that follows them',
    shapes,
    [
      { update: 'ed', to: { set: ['x', 'a'] } },
      { apply: 'alice', config: { set: ['n', 'a', 'm'] } },
      { object: { set: ['x', 'n', 'a', 'm'] } },
    ],
  ],
  [
    'apiserver/SSA-02: containers merge by name, their ports by number and protocol',
    deployment,
    [
      {
        update: 'ed',
        to: { spec: { template: { spec: { containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 53, protocol: 'UDP' }] }] } } } },
      },
      {
        apply: 'alice',
        config: { spec: { template: { spec: { containers: [{ name: 'a', ports: [{ containerPort: 53, name: 'dns' }] }] } } } },
      },
      {
        object: {
          spec: {
            template: {
              spec: {
                containers: [
                  {
                    name: 'a',
                    image: 'i',
                    ports: [
                      { containerPort: 53, protocol: 'UDP' },
                      { containerPort: 53, name: 'dns' },
                    ],
                  },
                ],
              },
            },
          },
        },
      },
      {
        conflicts: ['"ed" using apps/v1: .spec.template.spec.containers[name="a"].image'],
        of: 'alice',
        config: { spec: { template: { spec: { containers: [{ name: 'a', image: 'j' }] } } } },
      },
    ],
  ],
  [
    'apiserver/SSA-02: rules of a role are atomic',
    role,
    [{ apply: 'alice', config: { rules: [{ verbs: ['get'] }] } }, { owners: { 'alice Apply': ['.rules'] } }],
  ],
  [
    'apiserver/SSA-05: changed and added fields go to the updater and leave all others',
    configMap,
    [
      { apply: 'alice', config: { data: { a: '1', b: '2' } } },
      { update: 'ed', to: { data: { a: '9', b: '2', c: '3' } } },
      { owners: { 'alice Apply': ['.data.b'], 'ed Update': ['.data.a', '.data.c'] } },
      { update: 'mo', to: { data: { b: '2' } } },
      { owners: { 'alice Apply': ['.data.b'] } },
    ],
  ],
  [
    'apiserver/SSA-05: a created map is a member itself, an applied one is not',
    configMap,
    [
      { update: 'ed', to: { metadata: { labels: { l: 'v' } }, data: { a: '1' } } },
      { owners: { 'ed Update': ['.data', '.data.a', '.metadata.labels', '.metadata.labels.l'] } },
    ],
  ],
  [
    'apiserver/SSA-05: the same updater gathers its fields in one entry',
    configMap,
    [
      { update: 'ed', to: { data: { a: '1' } } },
      { update: 'ed', to: { data: { a: '2', b: '2' } } },
      { owners: { 'ed Update': ['.data', '.data.a', '.data.b'] } },
    ],
  ],
  [
    'apiserver/SSA-08: what identifies an object is nobody’s',
    configMap,
    [
      {
        update: 'ed',
        to: { metadata: { uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', namespace: 'n', resourceVersion: '1', generation: 1 } },
      },
      { owners: {} },
      { apply: 'alice', config: { metadata: { namespace: 'n', uid: 'u', annotations: { 'example.com/a': 'v' } } } },
      { owners: { 'alice Apply': ['.metadata.annotations.example.com/a'] } },
    ],
  ],
  [
    'apiserver/SSA-14: without a schema maps are granular and lists atomic',
    shapes,
    [
      { apply: 'alice', config: { free: { m: { a: 1 }, l: [{ name: 'x' }] } } },
      { apply: 'bob', config: { free: { m: { b: 2 } } } },
      { object: { free: { m: { a: 1, b: 2 }, l: [{ name: 'x' }] } } },
      { conflicts: ['"alice": .free.l'], of: 'bob', config: { free: { m: { b: 2 }, l: [] } } },
    ],
  ],
  [
    'apiserver/SSA-14: a value that turns from a map into a text leaves no field behind',
    shapes,
    [
      { apply: 'alice', config: { free: { m: { a: 1 } } } },
      { edit: 'ed', by: () => ({ free: { m: 'text' } }) },
      { owners: { 'ed Update': ['.free.m'] } },
    ],
  ],
  [
    'values of granular maps are members beside their fields',
    shapes,
    [
      { apply: 'alice', config: { nested: { k: { x: '1' } } } },
      { owners: { 'alice Apply': ['.nested.k', '.nested.k.x'] } },
      { apply: 'bob', config: { nested: { k: { y: '2' } } } },
      { apply: 'alice', config: {} },
      { object: { nested: { k: { y: '2' } } } },
    ],
  ],
  [
    'an empty struct is a member, and not empty it is not',
    shapes,
    [
      { apply: 'alice', config: { struct: {}, map: {} } },
      { owners: { 'alice Apply': ['.map', '.struct'] } },
      { apply: 'alice', config: { struct: { a: '1' }, map: { k: 'v' } } },
      { owners: { 'alice Apply': ['.map.k', '.struct.a'] } },
    ],
  ],
  [
    'keys of users never reach a prototype',
    configMap,
    [
      { apply: 'alice', config: { data: JSON.parse('{"__proto__":"p","constructor":"c"}') as JsonObject } },
      { owners: { 'alice Apply': ['.data.__proto__', '.data.constructor'] } },
      { apply: 'bob', config: { data: JSON.parse('{"__proto__":"p","toString":"t"}') as JsonObject } },
      { apply: 'alice', config: {} },
      { object: { data: JSON.parse('{"__proto__":"p","toString":"t"}') as JsonObject } },
    ],
  ],
  [
    'apiserver/SSA-04: a shared field that one gives up stays with the other',
    configMap,
    [
      { apply: 'alice', config: { data: { a: '1' } } },
      { apply: 'bob', config: { data: { a: '1' } } },
      { apply: 'alice', config: {} },
      { object: { data: { a: '1' } } },
      { owners: { 'bob Apply': ['.data.a'] } },
      { apply: 'bob', config: { data: { a: '2' } } },
      { object: { data: { a: '2' } } },
    ],
  ],
  [
    'apiserver/SSA-04: fields below a struct that is no longer applied go one by one',
    shapes,
    [
      { apply: 'alice', config: { struct: { a: '1', b: '2' } } },
      { apply: 'bob', config: { struct: { b: '2' } } },
      { apply: 'alice', config: {} },
      { object: { struct: { b: '2' } } },
    ],
  ],
  [
    'apiserver/SSA-05: who removes an item takes it from everybody',
    shapes,
    [
      { apply: 'alice', config: { items: [{ name: 'x', a: '1' }, { name: 'y' }], set: ['s', 't'] } },
      { apply: 'bob', config: { items: [{ name: 'x', b: '1' }], set: ['s'] } },
      { edit: 'ed', by: () => ({ items: [{ name: 'y' }], set: ['t'] }) },
      { owners: { 'alice Apply': ['.items[name="y"]', '.items[name="y"].name', '.set[="t"]'] } },
    ],
  ],
  [
    'apiserver/SSA-05: who reorders a map list takes nothing, who reorders an atomic list takes it',
    shapes,
    [
      { apply: 'alice', config: { items: [{ name: 'x' }, { name: 'y' }], list: ['a', 'b'] } },
      { edit: 'ed', by: () => ({ items: [{ name: 'y' }, { name: 'x' }], list: ['b', 'a'] }) },
      {
        owners: {
          'alice Apply': ['.items[name="x"]', '.items[name="x"].name', '.items[name="y"]', '.items[name="y"].name'],
          'ed Update': ['.list'],
        },
      },
    ],
  ],
  [
    'apiserver/SSA-01: duplicates that an updater wrote are owned as a whole, and an apply replaces them',
    deployment,
    [
      {
        update: 'ed',
        to: {
          spec: {
            template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '1' }, { name: 'A', value: '2' }, { name: 'B' }] }] } },
          },
        },
      },
      {
        conflicts: ['"ed" using apps/v1: .spec.template.spec.containers[name="c"].env[name="A"]'],
        of: 'alice',
        config: { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '3' }] }] } } } },
      },
      { force: 'alice', config: { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '3' }] }] } } } } },
      { object: { spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '3' }, { name: 'B' }] }] } } } } },
    ],
  ],
  [
    'apiserver/SSA-10: tracked from creation, an object that was emptied by all is still tracked by the next apply',
    configMap,
    [
      { update: 'ed', to: { data: { a: '1' } } },
      { apply: 'alice', config: { data: { a: '1', b: '2' } } },
      { owners: { 'alice Apply': ['.data.a', '.data.b'], 'ed Update': ['.data', '.data.a'] } },
      { apply: 'alice', config: { data: { b: '2' } } },
      { object: { data: { a: '1', b: '2' } } },
    ],
  ],
  [
    'service ports with one number and two protocols are two items',
    service,
    [
      {
        apply: 'alice',
        config: {
          spec: {
            ports: [
              { port: 53, name: 'a' },
              { port: 53, protocol: 'UDP', name: 'b' },
            ],
          },
        },
      },
      { apply: 'alice', config: { spec: { ports: [{ port: 53, protocol: 'UDP', name: 'b' }] } } },
      { object: { spec: { ports: [{ port: 53, protocol: 'UDP', name: 'b' }] } } },
    ],
  ],
];

describe('managed fields', () => {
  it.each(SCENARIOS)('%s', (_name, kind, steps) => run(kind, steps));
});
