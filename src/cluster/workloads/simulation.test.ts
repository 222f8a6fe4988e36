import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { statusOf } from '../../kube/health/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { testCluster, type TestCluster } from '../server/testing.ts';
import { parseSchedule } from './cron.ts';

let api: TestCluster;
beforeEach(async () => {
  api = await testCluster({ simulateWorkloads: true });
});
afterEach(() => api.close());

type Template = Record<string, unknown>;
const container = { name: 'c', image: 'i:1' };
const templateOf = (spec: Template = {}): Template => ({ metadata: { labels: { app: 'x' } }, spec: { containers: [container], ...spec } });
const selector = { matchLabels: { app: 'x' } };

const apps = '/apis/apps/v1/namespaces/default';
const core = '/api/v1/namespaces/default';
const batch = '/apis/batch/v1/namespaces/default';

const make = async (path: string, spec: unknown, name = 'x'): Promise<void> => {
  const made = await api.post(path, { metadata: { name }, spec });
  expect(made.status, made.body.message).toBe(201);
  await api.settle(10);
};
const read = async (path: string): Promise<KubeObject> => (await api.get(path)).body;
const items = async (path: string): Promise<KubeObject[]> => (await api.get(path)).body.items;
const health = async (path: string): Promise<string> => statusOf(await read(path), { now: api.world.clock.now() }).status;
const firstPod = async (): Promise<KubeObject> => {
  const [pod] = await items(`${core}/pods`);
  if (pod === undefined) throw new Error('no pod');
  return pod;
};
const secret = (data: Record<string, string>, name = 's'): Promise<unknown> =>
  api.post(`${core}/secrets`, { metadata: { name }, stringData: data }).then(() => api.settle(10));

describe('SIM-01: workloads with Pods', () => {
  it('a Deployment gets a ReplicaSet and Pods that it owns, and is current', async () => {
    await make(`${apps}/deployments`, { replicas: 3, selector, template: templateOf() });
    const [set] = await items(`${apps}/replicasets`);
    expect(set?.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'x', controller: true }]);
    const pods = await items(`${core}/pods`);
    expect(pods.map(({ status }) => (status as { phase: string }).phase)).toEqual(['Running', 'Running', 'Running']);
    expect(pods[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'ReplicaSet', name: set?.metadata.name }]);
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
    expect(await health(`${apps}/replicasets/${set?.metadata.name ?? ''}`)).toBe('Current');
    expect(await health(`${core}/pods/${pods[0]?.metadata.name ?? ''}`)).toBe('Current');
    const { revision } = api.cluster.store;
    await api.settle(3_600_000);
    expect(api.cluster.store.revision).toBe(revision);
  });

  it('a new template rolls over to a new ReplicaSet, never below what may be missing', async () => {
    await make(`${apps}/deployments`, { replicas: 4, selector, template: templateOf() });
    const watch = await api.watch(`${apps}/deployments`);
    await watch.take();
    await api.patch(`${apps}/deployments/x`, 'strategic', { spec: { template: { spec: { containers: [{ name: 'c', image: 'i:2' }] } } } });
    await api.settle(10_000);
    const seen = (await watch.take()).map(({ object }) => object);
    expect(seen.map((object) => statusOf(object).status)).toContain('InProgress');
    expect(
      Math.min(...seen.map(({ status }) => (status as unknown as { availableReplicas: number }).availableReplicas)),
    ).toBeGreaterThanOrEqual(3);
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
    const sets = await items(`${apps}/replicasets`);
    expect(sets.map(({ spec }) => (spec as { replicas: number }).replicas).toSorted((a, b) => a - b)).toEqual([0, 4]);
    expect(new Set(sets.map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision']))).toEqual(new Set(['1', '2']));
    const images = (await items(`${core}/pods`)).map(({ spec }) => (spec as { containers: { image: string }[] }).containers[0]?.image);
    expect(images).toEqual(['i:2', 'i:2', 'i:2', 'i:2']);
  });

  it('scaling and deletion remove the Pods', async () => {
    await make(`${apps}/deployments`, { replicas: 3, selector, template: templateOf() });
    await api.patch(`${apps}/deployments/x`, 'merge', { spec: { replicas: 1 } });
    await api.settle(5_000);
    expect(await items(`${core}/pods`)).toHaveLength(1);
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
    await api.del(`${apps}/deployments/x`);
    await api.settle(10_000);
    expect(await items(`${core}/pods`)).toEqual([]);
    expect(await items(`${apps}/replicasets`)).toEqual([]);
  });

  it('a rollout that hangs fails after its deadline, and recovers', async () => {
    const spec = { containers: [{ ...container, envFrom: [{ secretRef: { name: 's' } }] }] };
    await make(`${apps}/deployments`, { progressDeadlineSeconds: 60, selector, template: templateOf(spec) });
    expect(await health(`${apps}/deployments/x`)).toBe('InProgress');
    await api.settle(70_000);
    expect(await health(`${apps}/deployments/x`)).toBe('Failed');
    await secret({ a: 'b' });
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
  });

  it('a StatefulSet starts in order, with claims, and updates from the last to the first', async () => {
    const volumeClaimTemplates = [
      { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    ];
    await make(`${apps}/statefulsets`, { replicas: 2, serviceName: 's', selector, template: templateOf(), volumeClaimTemplates });
    expect((await items(`${core}/pods`)).map(({ metadata }) => metadata.name)).toEqual(['x-0', 'x-1']);
    expect((await items(`${core}/persistentvolumeclaims`)).map(({ status }) => (status as { phase: string }).phase)).toEqual([
      'Bound',
      'Bound',
    ]);
    expect(await health(`${apps}/statefulsets/x`)).toBe('Current');
    await api.patch(`${apps}/statefulsets/x`, 'strategic', { spec: { template: { spec: { containers: [{ name: 'c', image: 'i:2' }] } } } });
    await api.settle(10);
    expect(await health(`${apps}/statefulsets/x`)).toBe('InProgress');
    await api.settle(20_000);
    expect(await health(`${apps}/statefulsets/x`)).toBe('Current');
    const { status } = await read(`${apps}/statefulsets/x`);
    expect(status).toMatchObject({ replicas: 2, readyReplicas: 2, updatedReplicas: 2 });
  });

  it('a DaemonSet has one Pod on the one node', async () => {
    await make(`${apps}/daemonsets`, { selector, template: templateOf() });
    expect((await firstPod())['spec']).toMatchObject({ nodeName: 'sotto-node' });
    expect(await health(`${apps}/daemonsets/x`)).toBe('Current');
    expect(await items('/api/v1/nodes')).toHaveLength(1);
  });

  it('a Job runs its completions and is complete; a suspended one waits', async () => {
    const template = { spec: { restartPolicy: 'Never', containers: [container] } };
    await make(`${batch}/jobs`, { completions: 3, parallelism: 2, template });
    expect((await read(`${batch}/jobs/x`))['status']).toMatchObject({
      succeeded: 3,
      conditions: [{ type: 'SuccessCriteriaMet' }, { type: 'Complete' }],
    });
    expect(await health(`${batch}/jobs/x`)).toBe('Current');
    await make(`${batch}/jobs`, { suspend: true, template }, 'y');
    expect((await read(`${batch}/jobs/y`))['status']).toMatchObject({ conditions: [{ type: 'Suspended', status: 'True' }] });
    await api.patch(`${batch}/jobs/y`, 'merge', { spec: { suspend: false } });
    await api.settle(10);
    expect(await health(`${batch}/jobs/y`)).toBe('Current');
    expect((await read(`${batch}/jobs/y`))['status']).toMatchObject({ succeeded: 1 });
  });

  it('a CronJob makes a Job at each time of its schedule and keeps the last three', async () => {
    const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } } };
    await make(`${batch}/cronjobs`, { schedule: '*/10 * * * *', jobTemplate });
    await api.settle(3_600_000 + 5_000);
    const jobs = await items(`${batch}/jobs`);
    expect(jobs).toHaveLength(3);
    expect(jobs[0]?.metadata.ownerReferences).toMatchObject([{ kind: 'CronJob', name: 'x' }]);
    expect((await read(`${batch}/cronjobs/x`))['status']).toMatchObject({ lastScheduleTime: '2026-01-01T01:00:00Z' });
  });

  it('a claim is bound to a new volume, which goes with it', async () => {
    await make(`${core}/persistentvolumeclaims`, { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } });
    const claim = await read(`${core}/persistentvolumeclaims/x`);
    const volumeName = (claim['spec'] as { volumeName: string }).volumeName;
    expect(await health(`${core}/persistentvolumeclaims/x`)).toBe('Current');
    expect((await read(`/api/v1/persistentvolumes/${volumeName}`))['status']).toMatchObject({ phase: 'Bound' });
    await api.del(`${core}/persistentvolumeclaims/x`);
    await api.settle(10);
    expect(await items('/api/v1/persistentvolumes')).toEqual([]);
  });

  it('a Service has its ready Pods as endpoints, and a load balancer an address', async () => {
    await make(`${core}/services`, { type: 'LoadBalancer', selector: { app: 'x' }, ports: [{ port: 80, targetPort: 'web' }] });
    expect((await read(`${core}/services/x`))['status']).toMatchObject({ loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } });
    const ports = [{ name: 'web', containerPort: 8080 }];
    await make(`${apps}/deployments`, { replicas: 2, selector, template: templateOf({ containers: [{ ...container, ports }] }) });
    const [subset] = (await read(`${core}/endpoints/x`))['subsets'] as { addresses: unknown[]; ports: unknown[] }[];
    expect(subset?.addresses).toHaveLength(2);
    expect(subset?.ports).toMatchObject([{ port: 8080 }]);
    const [slice] = await items('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=x');
    expect(slice?.['endpoints']).toHaveLength(2);
    await api.del(`${core}/services/x`);
    await api.settle(10);
    expect((await api.get(`${core}/endpoints/x`)).status).toBe(404);
  });

  it('two runs of a seed make the same objects', async () => {
    const run = async (): Promise<string> => {
      const cluster = await testCluster({ simulateWorkloads: true, seed: 7 });
      await cluster.post(`${apps}/deployments`, { metadata: { name: 'x' }, spec: { replicas: 3, selector, template: templateOf() } });
      await cluster.settle(100);
      const pods = JSON.stringify((await cluster.get(`${core}/pods`)).body.items);
      await cluster.close();
      return pods;
    };
    expect(await run()).toBe(await run());
  });
});

describe('SIM-02: what is missing keeps a Pod from starting', () => {
  const withEnv = (ref: unknown): Template => ({ containers: [{ ...container, env: [{ name: 'E', valueFrom: ref }] }] });
  const cases: [string, Template, string, string][] = [
    ['a Secret in env', withEnv({ secretKeyRef: { name: 's', key: 'k' } }), 'CreateContainerConfigError', 'secret "s" not found'],
    [
      'a Secret in envFrom',
      { containers: [{ ...container, envFrom: [{ secretRef: { name: 's' } }] }] },
      'CreateContainerConfigError',
      'secret "s" not found',
    ],
    [
      'a Secret volume',
      { volumes: [{ name: 'v', secret: { secretName: 's' } }] },
      'ContainerCreating',
      'MountVolume.SetUp failed for volume "v" : secret "s" not found',
    ],
    [
      'a key of a volume',
      { volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 's', items: [{ key: 'k', path: 'p' }] } }] } }] },
      'ContainerCreating',
      'secret "s" not found',
    ],
    ['a pull secret', { imagePullSecrets: [{ name: 's' }] }, 'ErrImagePull', 'image pull secret "s" was not found'],
  ];
  it.each(cases)('%s', async (_, spec, reason, message) => {
    await make(`${apps}/deployments`, { selector, template: templateOf(spec) });
    const pod = await firstPod();
    expect(pod['status']).toMatchObject({ phase: 'Pending', containerStatuses: [{ ready: false, state: { waiting: { reason } } }] });
    const events = await items(`${core}/events`);
    expect(events.map(({ message: text }) => text as string).join('\n')).toContain(message);
    if (reason === 'ContainerCreating') expect(events[0]?.['reason']).toBe('FailedMount');
    expect(await health(`${apps}/deployments/x`)).toBe('InProgress');
    await secret({ k: 'v' });
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
  });

  it('a key that a Secret lacks', async () => {
    await secret({ other: 'v' });
    await make(`${apps}/deployments`, { selector, template: templateOf(withEnv({ secretKeyRef: { name: 's', key: 'k' } })) });
    expect((await firstPod())['status']).toMatchObject({
      containerStatuses: [{ state: { waiting: { message: "couldn't find key k in Secret default/s" } } }],
    });
    await api.patch(`${core}/secrets/s`, 'merge', { stringData: { k: 'v' } });
    await api.settle(10);
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
  });

  it('a SecretProviderClass of the CSI driver, and a claim', async () => {
    const csi = { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'p' } };
    await make(`${apps}/deployments`, { selector, template: templateOf({ volumes: [{ name: 'v', csi }] }) });
    const [event] = await items(`${core}/events`);
    expect(event).toMatchObject({ reason: 'FailedMount' });
    expect(event?.['message']).toContain('failed to get secretproviderclass default/p');
    const group = 'secrets-store.csi.x-k8s.io';
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
    await api.post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
      metadata: { name: `secretproviderclasses.${group}` },
      spec: {
        group,
        scope: 'Namespaced',
        names: { plural: 'secretproviderclasses', kind: 'SecretProviderClass' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    });
    await api.settle(10);
    expect(await health(`${apps}/deployments/x`)).toBe('InProgress');
    const providerClass = { apiVersion: `${group}/v1`, kind: 'SecretProviderClass', metadata: { name: 'p' } };
    expect((await api.post(`/apis/${group}/v1/namespaces/default/secretproviderclasses`, providerClass)).status).toBe(201);
    await api.settle(10);
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
    await make(`${core}/pods`, { containers: [container], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] }, 'bare');
    expect((await read(`${core}/pods/bare`))['status']).toMatchObject({
      phase: 'Pending',
      conditions: [{ type: 'PodScheduled', reason: 'Unschedulable' }],
    });
    await make(`${core}/persistentvolumeclaims`, { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }, 'c');
    expect(await health(`${core}/pods/bare`)).toBe('Current');
  });

  it('what is optional may be missing', async () => {
    const spec = withEnv({ secretKeyRef: { name: 's', key: 'k', optional: true } });
    const volumes = [{ name: 'v', secret: { secretName: 's', optional: true } }];
    await make(`${apps}/deployments`, { selector, template: templateOf({ ...spec, volumes }) });
    expect(await health(`${apps}/deployments/x`)).toBe('Current');
  });
});

describe('schedules', () => {
  const at = (text: string): number => Date.parse(text);
  it.each([
    ['0 9 * * mon-fri', 'UTC', '2026-01-02T09:00:00Z', '2026-01-05T09:00:00Z'],
    ['*/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:15:00Z'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00:00Z'],
    ['0 0 13 * 5', 'UTC', '2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'],
    ['30 8 * * *', 'Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-01T06:30:00Z'],
  ])('%s in %s after %s', (text, zone, after, next) => {
    expect(parseSchedule(text, zone).next(at(after))).toBe(at(next));
  });
  it('what is no schedule is refused', () => {
    expect(() => parseSchedule('61 * * * *')).toThrow('schedule');
    expect(() => parseSchedule('* * * *')).toThrow('schedule');
    expect(parseSchedule('0 0 30 2 *').next(0)).toBeUndefined();
  });
});
