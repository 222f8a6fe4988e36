import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from '../testing.ts';
import { age, humanDuration } from './duration.ts';
import { jsonPath } from './jsonpath.ts';

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io' };
const PATH = '/api/v1/namespaces/default/secrets';

interface Table {
  readonly kind: string;
  readonly columnDefinitions: { name: string; type: string; priority: number }[] | null;
  readonly rows: { cells: unknown[]; object?: Record<string, unknown> }[];
}

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

const table = async (path: string): Promise<Table> => (await api.get(path, { headers: TABLE })).body as unknown as Table;

describe('tables', () => {
  it('TBL-01: columns, cells and metadata of a list and of one object', async () => {
    await api.post(PATH, { metadata: { name: 's' }, stringData: { a: '1', b: '2' } });
    await api.settle(125_000);
    const list = await table(`${PATH}?fieldSelector=metadata.name=s`);
    expect(list).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(list.columnDefinitions?.map(({ name, type }) => `${name}:${type}`)).toEqual([
      'Name:string',
      'Type:string',
      'Data:integer',
      'Age:string',
    ]);
    expect(list.rows[0]?.cells).toEqual(['s', 'Opaque', 2, '2m5s']);
    expect(list.rows[0]?.object).toMatchObject({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 's' } });
    expect(list.rows[0]?.object).not.toHaveProperty('data');
    expect((await table(`${PATH}/s?includeObject=None`)).rows[0]).not.toHaveProperty('object');
    expect((await table(`${PATH}/s?includeObject=Object`)).rows[0]?.object).toMatchObject({ kind: 'Secret' });
  });

  it('TBL-01: in a watch only the first event carries the columns', async () => {
    await api.post(PATH, { metadata: { name: 'a' } });
    const watch = await api.watch(PATH, { headers: TABLE });
    await api.post(PATH, { metadata: { name: 'b' } });
    const frames = await watch.take();
    const tables = frames.map(({ object }) => object as unknown as Table);
    expect(tables.map(({ columnDefinitions }) => columnDefinitions === null)).toEqual([false, true]);
    expect(tables[1]?.rows[0]?.cells[0]).toBe('b');
    watch.stop();
  });

  it('TBL-02: metadata only, for one, for lists and for watches', async () => {
    await api.post(PATH, { metadata: { name: 's' }, stringData: { a: '1' } });
    const accept = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' };
    expect((await api.get(`${PATH}/s`, { headers: accept })).body).toEqual({
      kind: 'PartialObjectMetadata',
      apiVersion: 'meta.k8s.io/v1',
      metadata: expect.objectContaining({ name: 's' }) as unknown,
    });
    const list = await api.get(PATH, { headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' } });
    expect(list.body).toMatchObject({ kind: 'PartialObjectMetadataList', items: [{ kind: 'PartialObjectMetadata' }] });
    expect(JSON.stringify(list.body)).not.toContain('"data"');
    const watch = await api.watch(PATH, { headers: accept });
    expect((await watch.take())[0]?.object.kind).toBe('PartialObjectMetadata');
    watch.stop();
  });

  it('TBL-03: custom columns coerce their values; without any there is the age', async () => {
    const columns = [
      { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
      { name: 'Text', type: 'string', jsonPath: '.spec.size' },
      { name: 'Flag', type: 'boolean', jsonPath: '.spec.size' },
      { name: 'Since', type: 'date', jsonPath: '.spec.since', priority: 1 },
      { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    ];
    const make = (plural: string, kind: string, additionalPrinterColumns?: unknown): Promise<unknown> =>
      api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
        metadata: { name: `${plural}.example.com` },
        spec: {
          group: 'example.com',
          scope: 'Cluster',
          names: { plural, kind },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              additionalPrinterColumns,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      });
    await make('widgets', 'Widget', columns);
    await make('gadgets', 'Gadget');
    const spec = { size: 3, since: '2025-12-31T23:00:00Z' };
    const status = {
      conditions: [
        { type: 'Other', status: 'No' },
        { type: 'Ready', status: 'True' },
      ],
    };
    await api.post('/apis/example.com/v1/widgets', { apiVersion: 'example.com/v1', kind: 'Widget', metadata: { name: 'w' }, spec, status });
    const widgets = await table('/apis/example.com/v1/widgets');
    expect(widgets.rows[0]?.cells).toEqual(['w', 3, '3', null, '60m', 'True']);
    expect(widgets.columnDefinitions?.map(({ name, priority }) => `${name} ${priority}`)).toContain('Since 1');
    await api.post('/apis/example.com/v1/gadgets', { apiVersion: 'example.com/v1', kind: 'Gadget', metadata: { name: 'g' } });
    const gadgets = await table('/apis/example.com/v1/gadgets');
    expect(gadgets.columnDefinitions?.map(({ name }) => name)).toEqual(['Name', 'Age']);
    expect(gadgets.rows[0]?.cells).toEqual(['g', '0s']);
  });

  it('TBL-03: every built-in resource has columns that can show an empty object', async () => {
    const { body } = await api.get('/apis', {
      headers: { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' },
    });
    interface Groups {
      items: { metadata: { name: string }; versions: { version: string; resources: { resource: string; verbs: string[] }[] }[] }[];
    }
    let count = 0;
    for (const { metadata, versions } of (body as unknown as Groups).items) {
      for (const { version, resources } of versions) {
        for (const { resource, verbs } of resources.filter((each) => each.verbs.includes('list'))) {
          expect(verbs).toContain('watch');
          const { columnDefinitions } = await table(`/apis/${metadata.name}/${version}/${resource}`);
          expect(columnDefinitions?.[0]?.name).toMatch(/Name|Last Seen/);
          count++;
        }
      }
    }
    expect(count).toBeGreaterThan(30);
  });
});

describe('durations', () => {
  it.each([
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [599, '9m59s'],
    [600, '10m'],
    [179 * 60, '179m'],
    [180 * 60, '3h'],
    [3 * 3600 + 300, '3h5m'],
    [8 * 3600, '8h'],
    [47 * 3600, '47h'],
    [48 * 3600, '2d'],
    [51 * 3600, '2d3h'],
    [8 * 86400, '8d'],
    [729 * 86400, '729d'],
    [730 * 86400, '2y'],
    [733 * 86400, '2y3d'],
    [8 * 365 * 86400, '8y'],
    [-1, '0s'],
    [-2, '<invalid>'],
  ])('%d s is %s', (seconds, text) => {
    expect(humanDuration(seconds)).toBe(text);
  });

  it('a timestamp that is missing or none', () => {
    expect([age(undefined, 0), age('', 0), age('soon', 0)]).toEqual(['<unknown>', '<unknown>', '<invalid>']);
  });
});

describe('JSON paths', () => {
  const value = {
    a: {
      'b.c': 1,
      list: [
        { k: 'x', v: 1 },
        { k: 'y', v: 2 },
      ],
    },
  };
  it.each([
    ['.a.list[*].v', [1, 2]],
    ['.a.list[0].k', ['x']],
    ['.a.list[-1].k', ['y']],
    ['.a.list[5].k', []],
    [String.raw`.a.b\.c`, [1]],
    [".a['b.c']", [1]],
    ['.a.list[?(@.k=="y")].v', [2]],
    ['$.a', []],
    ['.a.list[?(@.k!="y")].v', [1]],
    ['.a.nope', []],
  ])('%s gives %j', (path, expected) => {
    expect(jsonPath(path)(value)).toEqual(expected);
  });
});
