import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { compareVersions } from '../registry/index.ts';
import { testCluster, type TestCluster } from './testing.ts';

const AGGREGATED = { accept: 'application/json;v=v2;as=APIGroupDiscoveryList;g=apidiscovery.k8s.io,application/json' };

interface Resource {
  readonly resource: string;
  readonly scope: string;
  readonly verbs: string[];
  readonly shortNames?: string[];
  readonly responseKind: { group: string; version: string; kind: string };
  readonly subresources?: { subresource: string; responseKind: { kind: string }; verbs: string[] }[];
}
interface Group {
  readonly metadata: { name?: string };
  readonly versions: { version: string; freshness: string; resources: Resource[] }[];
}

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster();
});
afterEach(() => api.close());

const groups = async (path: string): Promise<Group[]> => (await api.get(path, { headers: AGGREGATED })).body.items as unknown as Group[];
const installWidgets = (): Promise<unknown> =>
  api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [
        { name: 'v1alpha1', served: true, storage: false, schema: { openAPIV3Schema: { type: 'object' } } },
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' } } } },
        },
      ],
    },
  });

describe('discovery', () => {
  it('DISC-01: aggregated documents repeat the clause, have an ETag, and answer 304', async () => {
    const first = await api.get('/apis', { headers: AGGREGATED });
    expect(first.headers['content-type']).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(first.headers).toMatchObject({ vary: 'Accept', 'cache-control': 'public' });
    expect(first.headers['etag']).toMatch(/^".+"$/);
    const again = await api.get('/apis', { headers: { ...AGGREGATED, 'if-none-match': first.headers['etag'] ?? '' } });
    expect(again.status).toBe(304);
    const core = await groups('/api');
    expect(core).toHaveLength(1);
    expect(core[0]?.metadata.name).toBeUndefined();
    const nopeer = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer';
    expect((await api.get('/api', { headers: { accept: nopeer } })).body.kind).toBe('APIGroupDiscoveryList');
  });

  it('DISC-02: classic documents without the clause', async () => {
    expect((await api.get('/api')).body).toMatchObject({ kind: 'APIVersions', versions: ['v1'] });
    expect((await api.get('/apis')).body.kind).toBe('APIGroupList');
    expect((await api.get('/apis/apps')).body).toMatchObject({
      kind: 'APIGroup',
      name: 'apps',
      preferredVersion: { groupVersion: 'apps/v1' },
    });
    const { body } = await api.get('/apis/apps/v1');
    expect(body).toMatchObject({ kind: 'APIResourceList', groupVersion: 'apps/v1' });
    expect((body as unknown as { resources: { name: string }[] }).resources.map(({ name }) => name)).toContain('deployments/scale');
    expect((await api.get('/apis/nope')).status).toBe(404);
  });

  it('DISC-03: entries with scope, verbs, short names and subresources', async () => {
    const [core] = await groups('/api');
    const namespaces = core?.versions[0]?.resources.find(({ resource }) => resource === 'namespaces');
    expect(namespaces).toMatchObject({
      scope: 'Cluster',
      shortNames: ['ns'],
      singularResource: 'namespace',
      responseKind: { group: '', version: 'v1', kind: 'Namespace' },
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    });
    expect(core?.versions[0]?.freshness).toBe('Current');
    const deployments = (await groups('/apis'))
      .find(({ metadata }) => metadata.name === 'apps')
      ?.versions[0]?.resources.find(({ resource }) => resource === 'deployments');
    expect(deployments?.subresources?.map(({ subresource, responseKind }) => `${subresource} ${responseKind.kind}`).toSorted()).toEqual([
      'scale Scale',
      'status Deployment',
    ]);
  });

  it('DISC-04: groups in priority order, custom ones last, versions by stability', async () => {
    await installWidgets();
    const list = await groups('/apis');
    const names = list.map(({ metadata }) => metadata.name ?? '');
    const known = [
      'apps',
      'events.k8s.io',
      'authentication.k8s.io',
      'autoscaling',
      'batch',
      'networking.k8s.io',
      'rbac.authorization.k8s.io',
      'apiextensions.k8s.io',
      'coordination.k8s.io',
      'example.com',
    ];
    expect(names.filter((name) => known.includes(name))).toEqual(known);
    expect(list.find(({ metadata }) => metadata.name === 'autoscaling')?.versions.map(({ version }) => version)).toEqual(['v2', 'v1']);
    expect(list.find(({ metadata }) => metadata.name === 'example.com')?.versions.map(({ version }) => version)).toEqual([
      'v1',
      'v1alpha1',
    ]);
    expect(['foo10', 'v1beta1', 'v2', 'v1', 'foo1', 'v11alpha2', 'v3beta1', 'v12alpha1'].toSorted(compareVersions)).toEqual([
      'v2',
      'v1',
      'v3beta1',
      'v1beta1',
      'v12alpha1',
      'v11alpha2',
      'foo1',
      'foo10',
    ]);
  });

  it('DISC-06: a client that asks for v2beta1 only gets the classic documents', async () => {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json';
    expect((await api.get('/apis', { headers: { accept } })).body.kind).toBe('APIGroupList');
  });

  it('KIND-01: every kind is there', async () => {
    const kinds = (await Promise.all(['/api', '/apis'].map(groups)))
      .flat()
      .flatMap(({ metadata, versions }) =>
        versions.flatMap(({ version, resources }) =>
          resources.map(({ responseKind }) => `${metadata.name ?? ''}/${version} ${responseKind.kind}`),
        ),
      );
    const wanted: Record<string, string> = {
      '/v1':
        'Namespace Secret ConfigMap ServiceAccount Service Endpoints Event Pod PersistentVolume PersistentVolumeClaim LimitRange ResourceQuota Node PodTemplate ReplicationController',
      'apps/v1': 'Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision',
      'batch/v1': 'Job CronJob',
      'networking.k8s.io/v1': 'Ingress IngressClass NetworkPolicy',
      'policy/v1': 'PodDisruptionBudget',
      'rbac.authorization.k8s.io/v1': 'Role ClusterRole RoleBinding ClusterRoleBinding',
      'storage.k8s.io/v1': 'StorageClass CSIDriver CSINode VolumeAttachment',
      'scheduling.k8s.io/v1': 'PriorityClass',
      'coordination.k8s.io/v1': 'Lease',
      'discovery.k8s.io/v1': 'EndpointSlice',
      'events.k8s.io/v1': 'Event',
      'autoscaling/v2': 'HorizontalPodAutoscaler',
      'autoscaling/v1': 'HorizontalPodAutoscaler',
      'admissionregistration.k8s.io/v1':
        'MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding',
      'apiextensions.k8s.io/v1': 'CustomResourceDefinition',
      'authentication.k8s.io/v1': 'SelfSubjectReview',
      'authorization.k8s.io/v1': 'SelfSubjectAccessReview SubjectAccessReview LocalSubjectAccessReview SelfSubjectRulesReview',
      'certificates.k8s.io/v1': 'CertificateSigningRequest',
    };
    const missing = Object.entries(wanted).flatMap(([version, names]) =>
      names.split(' ').filter((kind) => !kinds.includes(`${version} ${kind}`)),
    );
    expect(missing).toEqual([]);
  });

  it('KIND-01: autoscaling/v1 and v2 are one object', async () => {
    const spec = {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' },
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 70,
    };
    const path = 'namespaces/default/horizontalpodautoscalers';
    await api.post(`/apis/autoscaling/v1/${path}`, { metadata: { name: 'h' }, spec });
    expect((await api.get(`/apis/autoscaling/v2/${path}/h`)).body['spec']).toMatchObject({
      maxReplicas: 3,
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } }],
    });
    expect((await api.get(`/apis/autoscaling/v1/${path}/h`)).body['spec']).toMatchObject({ targetCPUUtilizationPercentage: 70 });
  });

  it('DISC-05: a CRD appears at once and disappears when deleted', async () => {
    const before = (await api.get('/apis', { headers: AGGREGATED })).headers['etag'];
    await installWidgets();
    const served = await api.get('/apis', { headers: AGGREGATED });
    expect(served.headers['etag']).not.toBe(before);
    expect((await api.get('/apis/example.com/v1')).status).toBe(200);
    await api.del('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com');
    await api.settle();
    expect((await api.get('/apis', { headers: AGGREGATED })).headers['etag']).toBe(before);
    expect((await api.get('/apis/example.com/v1')).status).toBe(404);
  });
});

describe('OpenAPI', () => {
  interface Index {
    paths: Record<string, { serverRelativeURL: string }>;
  }
  const index = async (): Promise<Index> => (await api.get('/openapi/v3')).body as unknown as Index;

  it('OAPI-01, OAPI-02 and OAPI-04: the index names documents by hash; a wrong hash redirects; v2 does not exist', async () => {
    const { paths } = await index();
    const url = paths['apis/apps/v1']?.serverRelativeURL ?? '';
    expect(url).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]+$/);
    const document = await api.get(url);
    expect(document).toMatchObject({ status: 200, headers: { 'cache-control': 'public, immutable' } });
    const moved = await api.get('/openapi/v3/apis/apps/v1?hash=OLD');
    expect(moved).toMatchObject({ status: 301, headers: { location: url } });
    expect((await api.get('/openapi/v2')).status).toBe(404);
  });

  it('OAPI-02 and OAPI-03: every kind has a patch operation with its kind, fieldValidation and the patch types', async () => {
    const { body } = await api.get('/openapi/v3/api/v1');
    interface Operation {
      'x-kubernetes-group-version-kind': unknown;
      parameters?: { name: string; in: string }[];
      requestBody: { content: Record<string, unknown> };
    }
    const item = (body as unknown as { paths: Record<string, { parameters?: { name: string }[]; patch: Operation }> }).paths[
      '/api/v1/namespaces/{namespace}/secrets/{name}'
    ];
    expect(item?.patch['x-kubernetes-group-version-kind']).toEqual({ group: '', version: 'v1', kind: 'Secret' });
    expect([...(item?.patch.parameters ?? []), ...(item?.parameters ?? [])].map(({ name }) => name)).toContain('fieldValidation');
    expect(Object.keys(item?.patch.requestBody.content ?? {})).toContain('application/strategic-merge-patch+json');
  });

  it('OAPI-01: the hash of a custom group changes with its schema, others stay', async () => {
    await installWidgets();
    const before = (await index()).paths;
    expect(before['apis/example.com/v1']).toBeDefined();
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com';
    await api.patch(path, 'json', [
      { op: 'add', path: '/spec/versions/1/schema/openAPIV3Schema/properties/more', value: { type: 'string' } },
    ]);
    const after = (await index()).paths;
    expect(after['apis/example.com/v1']).not.toEqual(before['apis/example.com/v1']);
    expect(after['api/v1']).toEqual(before['api/v1']);
  });
});

describe('version and health', () => {
  it('VER-01 and HLTH-01: readable without authentication', async () => {
    const version = await api.raw({ url: '/version' }, { remote: true });
    expect(version.body).toMatchObject({ value: { major: '1', gitVersion: expect.stringMatching(/^v1\.\d+\.\d+$/) as unknown } });
    for (const path of ['/livez', '/readyz', '/healthz', '/readyz/ping']) {
      const answer = await api.get(path);
      expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'ok' });
    }
    expect((await api.get('/readyz?verbose')).body).toContain('[+]ping ok');
    expect((await api.get('/readyz/nope')).status).toBe(404);
  });
});
