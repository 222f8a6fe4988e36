import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from '../server/testing.ts';

const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WIDGETS = '/apis/example.com/v1/namespaces/default/widgets';

const SPEC_SCHEMA = {
  type: 'object',
  required: ['size'],
  'x-kubernetes-validations': [
    { rule: 'self.size < 100', message: 'size is too large' },
    { rule: 'self.size >= oldSelf.size', message: 'size may not shrink' },
  ],
  properties: {
    size: { type: 'integer', minimum: 1 },
    color: { type: 'string', enum: ['red', 'green'], default: 'red' },
    nested: { type: 'object', properties: { deep: { type: 'string', default: 'd' } } },
    free: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: { a: { type: 'string' } } } },
    },
    list: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string', pattern: '^[a-z]+$' } },
    phone: { type: 'string', nullable: true },
  },
};

interface CrdOptions {
  readonly spec?: unknown;
  readonly more?: Record<string, unknown>;
  readonly version?: Record<string, unknown>;
  readonly names?: Record<string, unknown>;
}

const crd = ({ spec = SPEC_SCHEMA, more = {}, version = {}, names = {} }: CrdOptions = {}): Record<string, unknown> => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'widgets', kind: 'Widget', shortNames: ['wd'], ...names },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        selectableFields: [{ jsonPath: '.spec.color' }],
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec, status: { type: 'object', properties: { phase: { type: 'string' } } } } },
        },
        ...version,
      },
    ],
    ...more,
  },
});
const widget = (spec: unknown, name = 'w'): Record<string, unknown> => ({
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name },
  spec,
});

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

const conditions = (status: unknown): Record<string, string> =>
  Object.fromEntries(
    (status as { conditions: { type: string; status: string; reason: string }[] }).conditions.map(({ type, status, reason }) => [
      type,
      `${status} ${reason}`,
    ]),
  );

describe('definitions', () => {
  it('CRD-01: established in the same write, with accepted names and stored versions', async () => {
    const { status, body } = await api.post(CRDS, crd());
    expect(status).toBe(201);
    expect(body['status']).toMatchObject({
      acceptedNames: { plural: 'widgets', singular: 'widget', kind: 'Widget', listKind: 'WidgetList', shortNames: ['wd'] },
      storedVersions: ['v1'],
    });
    expect(conditions(body['status'])).toEqual({ NamesAccepted: 'True NoConflicts', Established: 'True InitialNamesAccepted' });
    expect((await api.post(WIDGETS, widget({ size: 1 }))).status).toBe(201);
    expect((await api.get(WIDGETS)).body).toMatchObject({ kind: 'WidgetList', items: [{ kind: 'Widget', apiVersion: 'example.com/v1' }] });
  });

  it.each([
    ['a name that is not plural.group', { ...crd(), metadata: { name: 'x.example.com' } }, 'metadata.name'],
    ['no schema', crd({ version: { schema: undefined } }), 'spec.versions[0].schema.openAPIV3Schema: Required value'],
    ['a schema that is not structural', crd({ spec: { properties: { a: {} } } }), 'spec.versions[0].schema.openAPIV3Schema'],
    [
      'two storage versions',
      crd({
        more: {
          versions: [1, 2].map((n) => ({ name: `v${n}`, served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } })),
        },
      }),
      'exactly one version',
    ],
    ['a webhook for conversion', crd({ more: { conversion: { strategy: 'Webhook' } } }), 'spec.conversion.strategy'],
    [
      'a rule with a function that is not known',
      crd({ spec: { type: 'object', 'x-kubernetes-validations': [{ rule: 'fly(self)' }] } }),
      'x-kubernetes-validations',
    ],
  ])('CRD-01: %s is refused', async (_what, body, text) => {
    const answer = await api.post(CRDS, body);
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain(text);
  });

  it('CRD-09: conversion by webhook is refused, naming the field', async () => {
    const answer = await api.post(CRDS, crd({ more: { conversion: { strategy: 'Webhook', webhook: {} } } }));
    expect(answer.status).toBe(422);
    expect(answer.body.message).toContain('spec.conversion.strategy: Invalid value: "Webhook"');
  });

  it('CRD-01: names that another resource of the group has are not accepted until they are free', async () => {
    await api.post(CRDS, crd());
    const other = await api.post(CRDS, {
      ...crd({ names: { plural: 'gadgets', singular: 'gadget', kind: 'Widget', shortNames: [] } }),
      metadata: { name: 'gadgets.example.com' },
    });
    expect(conditions(other.body['status'])).toEqual({ NamesAccepted: 'False KindConflict', Established: 'False NotAccepted' });
    expect((await api.get('/apis/example.com/v1/gadgets')).status).toBe(404);
    await api.del(`${CRDS}/widgets.example.com`);
    await api.settle();
    expect(conditions((await api.get(`${CRDS}/gadgets.example.com`)).body['status'])).toMatchObject({
      Established: 'True InitialNamesAccepted',
    });
    expect((await api.get('/apis/example.com/v1/gadgets')).status).toBe(200);
  });

  it('CRD-02: deletion removes the objects first; nothing new can be created; watches end', async () => {
    await api.post(CRDS, crd());
    await api.post(WIDGETS, { ...widget({ size: 1 }), metadata: { name: 'w', finalizers: ['example.com/hold'] } });
    const watch = await api.watch(WIDGETS);
    const deleted = await api.del(`${CRDS}/widgets.example.com`);
    expect(deleted.body.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
    await api.settle();
    expect(conditions((await api.get(`${CRDS}/widgets.example.com`)).body['status'])['Terminating']).toBe(
      'True InstanceDeletionInProgress',
    );
    const refused = await api.post(WIDGETS, widget({ size: 1 }, 'new'));
    expect(refused.body).toMatchObject({ code: 403 });
    expect(refused.body.message).toContain('create not allowed while custom resource definition is terminating');
    await api.patch(`${WIDGETS}/w`, 'merge', { metadata: { finalizers: null } });
    await api.settle();
    expect((await api.get(`${CRDS}/widgets.example.com`)).status).toBe(404);
    expect((await api.get(WIDGETS)).status).toBe(404);
    await watch.take();
    expect(watch.ended()).toBe(true);
  });

  it('a CRD that accepts anything is replaced by a strict one, and objects stay', async () => {
    await api.post(CRDS, crd({ spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }));
    await api.post(WIDGETS, widget({ size: 5, other: { any: ['thing'] } }));
    const { body } = await api.get(`${CRDS}/widgets.example.com`);
    await api.put(`${CRDS}/widgets.example.com`, { ...body, spec: crd()['spec'] });
    await api.settle();
    expect((await api.get(`${WIDGETS}/w`)).body['spec']).toEqual({ size: 5, color: 'red' });
  });
});

describe('custom resources', () => {
  beforeEach(() => api.post(CRDS, crd()));

  it('CRD-03: unknown fields go, except below preserve-unknown-fields, where specified parts are still pruned', async () => {
    const answer = await api.post(WIDGETS, widget({ size: 1, x: 1, free: { any: 1, known: { a: 'a', b: 'b' } } }));
    expect(answer.body['spec']).toEqual({ size: 1, color: 'red', free: { any: 1, known: { a: 'a' } } });
    expect(answer.headers['warning']).toContain('unknown field \\"spec.x\\"');
    const strict = await api.post(`${WIDGETS}?fieldValidation=Strict`, widget({ size: 1, x: 1 }, 'v'));
    expect(strict.body).toMatchObject({
      code: 400,
      message: 'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.x"',
    });
  });

  it('CRD-04: defaults inside present parents; null is dropped, defaulted, or kept when nullable', async () => {
    const { body } = await api.post(WIDGETS, widget({ size: 1, color: null, nested: {}, phone: null, list: null }));
    expect(body['spec']).toEqual({ size: 1, color: 'red', nested: { deep: 'd' }, phone: null });
  });

  it.each([
    [{ size: 0 }, 'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1'],
    [{ size: 'x' }, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
    [{ color: 'red' }, 'spec.size: Required value'],
    [{ size: 1, color: 'blue' }, 'spec.color: Unsupported value: "blue": supported values: "red", "green"'],
    [{ size: 1, list: ['a', 'A'] }, 'spec.list[1]: Invalid value: "A"'],
    [{ size: 1, list: ['a', 'a'] }, 'spec.list[1]: Duplicate value: "a"'],
    [{ size: 500 }, 'spec: Invalid value: "object": size is too large'],
  ])('CRD-05, CRD-06 and CRD-11: %j is refused with its path', async (spec, text) => {
    const answer = await api.post(WIDGETS, widget(spec));
    expect(answer).toMatchObject({
      status: 422,
      body: { reason: 'Invalid', details: { name: 'w', group: 'example.com', kind: 'Widget' } },
    });
    expect(answer.body.message).toContain(text);
  });

  it('CRD-07: a value that was valid once and is not touched does not block an update', async () => {
    await api.post(WIDGETS, widget({ size: 50, list: ['a'] }));
    const at = '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/size/maximum';
    await api.patch(`${CRDS}/widgets.example.com`, 'json', [{ op: 'add', path: at, value: 10 }]);
    expect((await api.patch(`${WIDGETS}/w`, 'merge', { metadata: { labels: { a: 'b' } } })).status).toBe(200);
    expect((await api.patch(`${WIDGETS}/w`, 'merge', { spec: { list: ['b'] } })).status).toBe(200);
    expect((await api.patch(`${WIDGETS}/w`, 'merge', { spec: { size: 51 } })).status).toBe(422);
  });

  it('CRD-06: transition rules compare with the old object, on updates only', async () => {
    await api.post(WIDGETS, widget({ size: 5 }));
    const refused = await api.patch(`${WIDGETS}/w`, 'merge', { spec: { size: 4 } });
    expect(refused.body.message).toContain('size may not shrink');
    expect((await api.patch(`${WIDGETS}/w`, 'merge', { spec: { size: 6 } })).status).toBe(200);
  });

  it('CRD-08 and REST-13: every served version shows the same object; storage keeps one', async () => {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    const versions = [
      { name: 'v1beta1', served: true, storage: false, deprecated: true, schema },
      { name: 'v1', served: true, storage: true, schema },
    ];
    const { body } = await api.get(`${CRDS}/widgets.example.com`);
    await api.put(`${CRDS}/widgets.example.com`, { ...body, spec: { ...(body['spec'] as object), versions } });
    const made = await api.post('/apis/example.com/v1beta1/namespaces/default/widgets', {
      ...widget({ size: 1 }),
      apiVersion: 'example.com/v1beta1',
    });
    expect(made.body.apiVersion).toBe('example.com/v1beta1');
    expect(made.headers['warning']).toContain('example.com/v1beta1 Widget is deprecated');
    expect((await api.get(`${WIDGETS}/w`)).body).toMatchObject({ apiVersion: 'example.com/v1', spec: { size: 1 } });
    expect(api.cluster.store.get({ resource: 'widgets.example.com', namespace: 'default', name: 'w' })?.apiVersion).toBe('example.com/v1');
    const watch = await api.watch('/apis/example.com/v1beta1/widgets');
    expect((await watch.take())[0]?.object.apiVersion).toBe('example.com/v1beta1');
    watch.stop();
  });

  it('CRD-01: a version that was a storage version stays until status.storedVersions lets it go', async () => {
    const schema = { openAPIV3Schema: { type: 'object' } };
    const v2 = { name: 'v2', served: true, storage: true, schema };
    const replace = async (): Promise<number> => {
      const { body } = await api.get(`${CRDS}/widgets.example.com`);
      return (
        await api.put(`${CRDS}/widgets.example.com`, {
          ...body,
          spec: { ...(body['spec'] as Record<string, unknown>), versions: [v2] },
        })
      ).status;
    };
    expect(await replace()).toBe(422);
    const both = [{ name: 'v1', served: true, storage: false, schema }, v2];
    await api.patch(`${CRDS}/widgets.example.com`, 'merge', { spec: { versions: both } });
    expect((await api.get(`${CRDS}/widgets.example.com`)).body['status']).toMatchObject({ storedVersions: ['v1', 'v2'] });
    await api.patch(`${CRDS}/widgets.example.com/status`, 'merge', { status: { storedVersions: ['v2'] } });
    expect(await replace()).toBe(200);
  });

  it('CRD-04: a watch ends when the definition changes, and shows the new one when opened again', async () => {
    await api.post(WIDGETS, widget({ size: 1 }));
    const watch = await api.watch(WIDGETS);
    await api.patch(`${CRDS}/widgets.example.com`, 'json', [
      {
        op: 'add',
        path: '/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/extra',
        value: { type: 'string', default: 'x' },
      },
    ]);
    await watch.take();
    expect(watch.ended()).toBe(true);
    const again = await api.watch(WIDGETS);
    expect((await again.take())[0]?.object['spec']).toEqual({ size: 1, color: 'red', extra: 'x' });
    again.stop();
  });

  it('CRD-10 and REST-10: status is a subresource; metadata sent to it is ignored', async () => {
    const made = await api.post(WIDGETS, { ...widget({ size: 1 }), status: { phase: 'Ready' } });
    expect(made.body).not.toHaveProperty('status');
    const status = await api.patch(`${WIDGETS}/w/status`, 'merge', {
      metadata: { labels: { a: 'b' } },
      spec: { size: 9 },
      status: { phase: 'Ready' },
    });
    expect(status.body).toMatchObject({ spec: { size: 1 }, status: { phase: 'Ready' } });
    expect(status.body.metadata).not.toHaveProperty('labels');
    expect((await api.patch(`${WIDGETS}/w`, 'merge', { status: { phase: 'Lost' } })).body['status']).toEqual({ phase: 'Ready' });
  });

  it('REST-09: generation counts changes outside metadata and status, and the start of deletion', async () => {
    await api.post(WIDGETS, { ...widget({ size: 1 }), metadata: { name: 'w', finalizers: ['example.com/hold'] } });
    const generation = async (): Promise<number | undefined> => (await api.get(`${WIDGETS}/w`)).body.metadata.generation;
    expect(await generation()).toBe(1);
    await api.patch(`${WIDGETS}/w`, 'merge', { metadata: { labels: { a: 'b' } } });
    await api.patch(`${WIDGETS}/w/status`, 'merge', { status: { phase: 'x' } });
    expect(await generation()).toBe(1);
    await api.patch(`${WIDGETS}/w`, 'merge', { spec: { size: 2 } });
    expect(await generation()).toBe(2);
    await api.del(`${WIDGETS}/w`);
    expect(await generation()).toBe(3);
  });

  it('REST-05: an update without resourceVersion is refused', async () => {
    await api.post(WIDGETS, widget({ size: 1 }));
    const answer = await api.put(`${WIDGETS}/w`, widget({ size: 2 }));
    expect(answer.body.message).toBe(
      'widgets.example.com "w" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update',
    );
  });

  it('LIST-06 and CRD-10: selectable fields of the version', async () => {
    await api.post(WIDGETS, widget({ size: 1, color: 'green' }, 'g'));
    await api.post(WIDGETS, widget({ size: 1 }, 'r'));
    expect((await api.get(`${WIDGETS}?fieldSelector=spec.color=green`)).body.items.map((item) => item.metadata.name)).toEqual(['g']);
    expect((await api.get(`${WIDGETS}?fieldSelector=spec.size=1`)).status).toBe(400);
  });

  it('PATCH-01: no strategic merge patches', async () => {
    await api.post(WIDGETS, widget({ size: 1 }));
    expect((await api.patch(`${WIDGETS}/w`, 'strategic', { spec: { size: 2 } })).status).toBe(415);
  });

  it('META-01: finalizers without a path are taken, with a warning', async () => {
    const answer = await api.post(WIDGETS, { ...widget({ size: 1 }), metadata: { name: 'w', finalizers: ['hold'] } });
    expect(answer.status).toBe(201);
    expect(answer.headers['warning']).toContain('prefer a domain-qualified finalizer name');
  });
});
