import { describe, expect, it } from 'vitest';

import { systemEntropy, virtualWorld, type VirtualWorld } from '../../base/world/index.ts';
import { createCluster, type Interception } from '../../cluster/server/index.ts';
import { connect, type ApiRequest, type Cluster } from '../client/index.ts';
import { apiErrors, type ApiError, type KubeObject } from '../objects/index.ts';
import { formatChanges } from './changes.ts';
import { driftMemory } from './memory.ts';
import { normaliseObject } from './normalise.ts';
import type { StagedApplyOptions } from './options.ts';
import { withOwnerLabels } from './policy.ts';
import { prune } from './prune.ts';
import { applyStaged, diff } from './staged.ts';
import type { HealthReader } from './wait.ts';

const OWNER = { fieldManager: 'kustomize-controller', group: 'kustomize.toolkit.fluxcd.io', namespace: 'flux-system', name: 'apps' };
const ANNOTATION = 'kustomize.toolkit.fluxcd.io';

/** Definitions are ready when established, everything else at once. */
const reader: HealthReader = (object) => {
  if (object.kind !== 'CustomResourceDefinition') return 'Current';
  const conditions = (object['status'] as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? [];
  return conditions.some((c) => c.type === 'Established' && c.status === 'True') ? 'Current' : 'InProgress';
};

interface Bench {
  readonly world: VirtualWorld;
  /** Calls on it let virtual time pass until they are answered. */
  readonly cluster: Cluster;
  /** For work that runs under `run`. */
  readonly raw: Cluster;
  /** Requests since the last look: `PATCH /api/v1/…` with ` dry` behind dry-runs; discovery is left out. */
  readonly requests: () => string[];
  readonly writes: () => string[];
  readonly apply: (objects: readonly KubeObject[], options?: Partial<StagedApplyOptions>) => Promise<string>;
  /** Runs work in virtual time. */
  readonly run: <T>(work: Promise<T>) => Promise<T>;
}

async function bench(intercept?: (request: ApiRequest) => Interception): Promise<Bench> {
  const world = virtualWorld({ seed: 1 });
  let seen: string[] = [];
  const server = await createCluster({
    world,
    entropy: systemEntropy,
    intercept: (request) => {
      const isDry = request.query.get('dryRun') === 'All';
      if (request.path.split('/').length > 4 || request.method !== 'GET')
        seen.push(`${request.method} ${request.path}${isDry ? ' dry' : ''}`);
      return intercept?.(request) ?? 'pass';
    },
  });
  const raw = connect(server.handle);
  const run = async <T>(work: Promise<T>): Promise<T> => {
    let isDone = false;
    const settled = work.finally(() => {
      isDone = true;
    });
    settled.catch(() => undefined);
    await world.run(3_600_000, () => isDone);
    return settled;
  };
  const requests = (): string[] => {
    const result = seen;
    seen = [];
    return result;
  };
  const cluster: Cluster = {
    ...raw,
    get: (...args) => run(raw.get(...args)),
    find: (...args) => run(raw.find(...args)),
    create: (...args) => run(raw.create(...args)),
    patch: (...args) => run(raw.patch(...args)),
    apply: (...args) => run(raw.apply(...args)),
    delete: (...args) => run(raw.delete(...args)),
  };
  return {
    world,
    cluster,
    raw,
    requests,
    writes: () => requests().filter((line) => !line.startsWith('GET') && !line.endsWith(' dry')),
    run,
    apply: async (objects, options = {}) => {
      const prepared = objects.map((object) => withOwnerLabels(normaliseObject(object), OWNER));
      return formatChanges((await run(applyStaged(raw, prepared, { owner: OWNER, world, reader, ...options }))).entries);
    },
  };
}

function configMap(name: string, data: Record<string, string>, metadata: object = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', ...metadata }, data };
}

const refTo = (name: string, kind = 'ConfigMap') => ({ apiVersion: 'v1', kind, namespace: 'default', name });
const dataOf = async (cluster: Cluster, name: string): Promise<unknown> => (await cluster.get(refTo(name)))['data'];
const mark = (key: string, value: string): object => ({ annotations: { [`${ANNOTATION}/${key}`]: value } });

const DEFINITION: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'widgets.example.dev' },
  spec: {
    group: 'example.dev',
    scope: 'Namespaced',
    names: { kind: 'Widget', listKind: 'WidgetList', plural: 'widgets', singular: 'widget' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } } },
        },
      },
    ],
  },
};
const WIDGET: KubeObject = { apiVersion: 'example.dev/v1', kind: 'Widget', metadata: { name: 'w', namespace: 'shop' }, spec: { size: 1 } };

describe('applying', () => {
  it('flux/SSA-05: creates, then leaves alone what has not changed, then writes what differs', async () => {
    const { apply, writes, cluster } = await bench();
    expect(await apply([configMap('a', { x: '1' }), configMap('b', { x: '1' })])).toBe(
      'ConfigMap/default/a created\nConfigMap/default/b created',
    );
    writes();
    const before = await cluster.get(refTo('a'));
    expect(await apply([configMap('a', { x: '1' }), configMap('b', { x: '2' })])).toBe(
      'ConfigMap/default/a unchanged\nConfigMap/default/b configured',
    );
    expect(writes()).toEqual(['PATCH /api/v1/namespaces/default/configmaps/b']);
    expect((await cluster.get(refTo('a'))).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  });

  it('flux/SSA-05: labels, annotations and content that drifted are put back, a foreign field stays', async () => {
    const { apply, cluster } = await bench();
    const wanted = [configMap('a', { x: '1' }, { labels: { team: 'red' } })];
    await apply(wanted);
    const change = { metadata: { labels: { team: 'blue' } }, data: { foreign: 'yes' } };
    await cluster.patch(refTo('a'), 'merge', change, { fieldManager: 'somebody' });
    expect(await apply(wanted)).toBe('ConfigMap/default/a configured');
    const live = await cluster.get(refTo('a'));
    expect([live.metadata.labels?.['team'], live['data']]).toEqual(['red', { x: '1', foreign: 'yes' }]);
  });

  it('flux/SSA-01, flux/SSA-02: the field manager is kustomize-controller and the owner is in the labels', async () => {
    const { apply, cluster } = await bench();
    await apply([configMap('a', { x: '1' })]);
    const { metadata } = await cluster.get(refTo('a'));
    expect(metadata.managedFields?.map((entry) => `${entry.manager} ${entry.operation}`)).toEqual(['kustomize-controller Apply']);
    expect(metadata.labels).toEqual({ [`${ANNOTATION}/name`]: 'apps', [`${ANNOTATION}/namespace`]: 'flux-system' });
  });

  it('flux/SSA-07: what kubectl added is taken over and removed', async () => {
    const { apply, cluster } = await bench();
    await apply([configMap('a', { x: '1' })]);
    await cluster.patch(refTo('a'), 'merge', { data: { extra: 'y' } }, { fieldManager: 'kubectl-edit' });
    await cluster.apply(configMap('a', { more: 'z' }), { fieldManager: 'kubectl', force: true });
    expect(await apply([configMap('a', { x: '1' })])).toBe('ConfigMap/default/a configured');
    const live = await cluster.get(refTo('a'));
    expect(live['data']).toEqual({ x: '1' });
    expect(live.metadata.managedFields?.map((entry) => entry.manager)).toEqual(['kustomize-controller']);
    expect(await apply([configMap('a', { x: '1' })])).toBe('ConfigMap/default/a unchanged');
  });

  it('flux/SSA-07: an object of another manager is adopted without losing it, unless it is overridden', async () => {
    const { apply, cluster } = await bench();
    await cluster.create(configMap('a', { x: '0', y: '0' }), { fieldManager: 'argocd' });
    await apply([configMap('a', { x: '1' })]);
    expect(await dataOf(cluster, 'a')).toEqual({ x: '1', y: '0' });
    await apply([configMap('a', { x: '1' })], { overrideManagers: ['argo'] });
    expect(await dataOf(cluster, 'a')).toEqual({ x: '1' });
  });

  it('flux/SSA-08: Merge keeps what kubectl added', async () => {
    const { apply, cluster } = await bench();
    const wanted = [configMap('a', { x: '1' }, mark('ssa', 'Merge'))];
    await apply(wanted);
    await cluster.patch(refTo('a'), 'merge', { data: { extra: 'y', x: '2' } }, { fieldManager: 'kubectl-edit' });
    await apply(wanted);
    expect(await dataOf(cluster, 'a')).toEqual({ x: '1', extra: 'y' });
  });

  it('flux/SSA-07: a take-over that somebody overtakes is computed anew, and keeps what they wrote', async () => {
    let overtake: (() => void) | undefined;
    const { apply, cluster, raw } = await bench((request) => {
      if (request.headers['content-type'] === 'application/json-patch+json') overtake?.();
      return 'pass';
    });
    await apply([configMap('a', { x: '1' })]);
    await cluster.patch(refTo('a'), 'merge', { data: { extra: 'y' } }, { fieldManager: 'kubectl-edit' });
    overtake = () => {
      overtake = undefined;
      void raw.patch(refTo('a'), 'merge', { data: { mine: 'z' } }, { fieldManager: 'other' });
    };
    expect(await apply([configMap('a', { x: '1' })])).toBe('ConfigMap/default/a configured');
    const live = await cluster.get(refTo('a'));
    expect(live['data']).toEqual({ x: '1', mine: 'z' });
    expect(live.metadata.managedFields?.map((entry) => entry.manager).toSorted()).toEqual(['kustomize-controller', 'other']);
  });

  const skipped: [string, object, object, string][] = [
    ['flux/SSA-08: IfNotPresent leaves an object that exists', mark('ssa', 'ifNotPresent'), {}, 'skipped'],
    ['flux/SSA-08: Ignore never touches', mark('ssa', 'Ignore'), {}, 'skipped'],
    ['flux/SSA-08: Ignore counts as a label too', { labels: { [`${ANNOTATION}/ssa`]: 'ignore' } }, {}, 'skipped'],
    ['flux/SSA-10: reconcile disabled in Git', mark('reconcile', 'Disabled'), {}, 'skipped'],
    ['flux/SSA-10: reconcile disabled in the cluster', {}, mark('reconcile', 'disabled'), 'skipped'],
    ['flux/SSA-08: Override is the default', mark('ssa', 'Override'), {}, 'configured'],
  ];

  it.each(skipped)('%s', async (_, wanted, live, action) => {
    const { apply, cluster } = await bench();
    await cluster.create(configMap('a', { x: '0' }, live));
    expect(await apply([configMap('a', { x: '1' }, wanted)])).toBe(`ConfigMap/default/a ${action}`);
    expect(await dataOf(cluster, 'a')).toEqual({ x: action === 'skipped' ? '0' : '1' });
  });

  it('flux/SSA-08: IfNotPresent creates what is missing, Ignore does not', async () => {
    const { apply, cluster } = await bench();
    const wanted = [configMap('a', {}, mark('ssa', 'IfNotPresent')), configMap('b', {}, mark('ssa', 'Ignore'))];
    expect(await apply(wanted)).toBe('ConfigMap/default/a created\nConfigMap/default/b skipped');
    expect(await cluster.find(refTo('b'))).toBeUndefined();
  });

  it('flux/SSA-03: definitions are ready before their objects are looked at', async () => {
    const { apply, writes } = await bench();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    expect(await apply([WIDGET, DEFINITION, namespace])).toBe(
      'CustomResourceDefinition/widgets.example.dev created\nNamespace/shop created\nWidget/shop/w created',
    );
    expect(writes()).toHaveLength(3);
  });

  it('flux/SSA-03: when one dry-run of a stage fails nothing of the stage is written, but earlier stages stay', async () => {
    const { apply, writes } = await bench();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    const bad = { ...configMap('z', {}), data: { x: 5 } };
    await expect(apply([configMap('a', {}), bad, namespace])).rejects.toThrow(/^ConfigMap\/default\/z dry-run failed/);
    expect(writes()).toEqual(['PATCH /api/v1/namespaces/shop']);
  });

  it('flux/SSA-16: dry-runs run four at a time, writes one after the other in the order of kinds', async () => {
    const { apply, raw, run, world } = await bench();
    const most = { dry: 0, wet: 0 };
    const running = { dry: 0, wet: 0 };
    const order: string[] = [];
    const counting: Cluster = {
      ...raw,
      apply: async (object, options) => {
        const kind = options.dryRun === true ? 'dry' : 'wet';
        if (kind === 'wet') order.push(object.metadata.name ?? '');
        running[kind] += 1;
        most[kind] = Math.max(most[kind], running[kind]);
        await Promise.resolve();
        const answer = await raw.apply(object, options);
        running[kind] -= 1;
        return answer;
      },
    };
    const names = ['f', 'b', 'a', 'e', 'd', 'c'];
    const objects = names.map((name) => withOwnerLabels(configMap(name, {}), OWNER));
    await run(applyStaged(counting, objects, { owner: OWNER, world, reader }));
    expect(most).toEqual({ dry: 4, wet: 1 });
    expect(order).toEqual(names.toSorted());
    expect(await apply(objects)).not.toContain('created');
  });

  it('flux/SSA-12: a namespace set on a cluster-scoped object is gone from what is reported', async () => {
    const { apply } = await bench();
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'reader', namespace: 'default' },
      rules: [],
    };
    expect(await apply([role])).toBe('ClusterRole/reader created');
    expect(await apply([role])).toBe('ClusterRole/reader unchanged');
  });

  it('flux/SSA-13: an ignored field may drift, others may not', async () => {
    const { apply, cluster } = await bench();
    const ignore = [{ paths: ['/data/replicas'], target: { kind: 'ConfigMap' } }];
    await apply([configMap('a', { replicas: '1', x: '1' })], { ignore });
    await cluster.patch(refTo('a'), 'merge', { data: { replicas: '9' } }, { fieldManager: 'scaler' });
    expect(await apply([configMap('a', { replicas: '1', x: '1' })], { ignore })).toBe('ConfigMap/default/a unchanged');
    expect(await apply([configMap('a', { replicas: '1', x: '2' })], { ignore })).toBe('ConfigMap/default/a configured');
    expect(await dataOf(cluster, 'a')).toEqual({ replicas: '9', x: '2' });
  });

  it('diff says what an apply would do, and does nothing', async () => {
    const { apply, raw, world, run, writes } = await bench();
    await apply([configMap('a', { x: '1' }), configMap('b', { x: '1' })]);
    writes();
    const wanted = [configMap('a', { x: '2' }), configMap('b', { x: '1' }), configMap('c', {})].map((o) => withOwnerLabels(o, OWNER));
    const plans = await run(diff(raw, wanted, { owner: OWNER, world, reader }));
    expect(plans.map((plan) => `${plan.ref.name} ${plan.action}`)).toEqual(['a configured', 'b unchanged', 'c created']);
    expect(writes()).toEqual([]);
  });
});

/** Answers with an error in the server's place. */
function refusal({ status }: ApiError): Interception {
  return { status: status.code ?? 500, headers: { 'content-type': 'application/json' }, body: { kind: 'json', value: status } };
}

describe('diff of a set that brings its own namespace and kind', () => {
  it('plans what cannot be asked about yet as created', async () => {
    const { raw, world, run, writes } = await bench();
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } };
    const inside = { ...configMap('a', {}), metadata: { name: 'a', namespace: 'shop' } };
    const plans = await run(diff(raw, [WIDGET, inside, DEFINITION, namespace], { owner: OWNER, world }));
    expect(plans.map((plan) => `${plan.ref.kind} ${plan.action}`)).toEqual([
      'CustomResourceDefinition created',
      'Namespace created',
      'ConfigMap created',
      'Widget created',
    ]);
    expect(writes()).toEqual([]);
    await expect(run(diff(raw, [inside], { owner: OWNER, world }))).rejects.toThrow('namespaces "shop" not found');
  });
});

describe('force', () => {
  const immutable = apiErrors.invalid({ group: '', kind: 'ConfigMap' }, 's', [
    { field: 'data', message: 'Forbidden: field is immutable when `immutable` is set' },
  ]);

  /** An API in which `s` cannot be changed once it has a value. */
  function withImmutable(answer: ApiError = immutable): Promise<Bench> {
    let value: unknown;
    return bench((request) => {
      if (!request.path.endsWith('/configmaps/s')) return 'pass';
      if (request.method === 'DELETE') value = undefined;
      if (request.method !== 'PATCH' || request.body?.kind !== 'json') return 'pass';
      const next = (request.body.value as { data: { value: string } }).data.value;
      if (value !== undefined && value !== next) return refusal(answer);
      if (request.query.get('dryRun') === null) value = next;
      return 'pass';
    });
  }

  it('flux/SSA-09: an immutable object is refused without force', async () => {
    const { apply, cluster } = await withImmutable();
    await apply([configMap('s', { value: 'one' })]);
    await expect(apply([configMap('s', { value: 'two' })])).rejects.toThrow(
      /^ConfigMap\/default\/s dry-run failed \(Invalid\): .*field is immutable/,
    );
    expect(await dataOf(cluster, 's')).toEqual({ value: 'one' });
  });

  const conflict = apiErrors.conflict({ group: '', plural: 'configmaps' }, 's', 'no');
  const forced: [string, object, Partial<StagedApplyOptions>, ApiError][] = [
    ['for all objects', {}, { force: true }, immutable],
    ['for a marked one', mark('force', 'Enabled'), {}, immutable],
    ['on a conflict', {}, { force: true }, conflict],
    ['on a message that says so', {}, { force: true }, apiErrors.plain('spec.selector: field is immutable')],
  ];

  it.each(forced)('flux/SSA-09: with force %s it is deleted and made anew', async (_, metadata, options, answer) => {
    const { apply, cluster } = await withImmutable(answer);
    await apply([configMap('s', { value: 'one' }, metadata)], options);
    const before = await cluster.get(refTo('s'));
    expect(await apply([configMap('s', { value: 'two' }, metadata)], options)).toBe('ConfigMap/default/s created');
    const after = await cluster.get(refTo('s'));
    expect(after.metadata.uid).not.toBe(before.metadata.uid);
    expect(after['data']).toEqual({ value: 'two' });
  });

  it('flux/SSA-09: other refusals do not delete', async () => {
    const { apply, cluster } = await withImmutable(apiErrors.forbidden({ group: '', plural: 'configmaps' }, 's', 'no'));
    await apply([configMap('s', { value: 'one' })]);
    await expect(apply([configMap('s', { value: 'two' })], { force: true })).rejects.toThrow('(Forbidden)');
    expect(await dataOf(cluster, 's')).toEqual({ value: 'one' });
  });

  it('flux/SSA-09: nothing is deleted while another dry-run of the stage fails', async () => {
    const { apply, cluster } = await withImmutable();
    await apply([configMap('s', { value: 'one' })]);
    const bad = { ...configMap('z', {}), data: { x: 5 } };
    await expect(apply([configMap('s', { value: 'two' }), bad], { force: true })).rejects.toThrow('ConfigMap/default/z');
    expect(await dataOf(cluster, 's')).toEqual({ value: 'one' });
  });
});

describe('errors', () => {
  it('flux/SSA-03: a kind that nothing serves, a namespace that is missing or was not given are told apart', async () => {
    const { apply } = await bench();
    await expect(apply([WIDGET])).rejects.toThrow('Widget/shop/w dry-run failed: no matches for kind "Widget" in version "example.dev/v1"');
    const elsewhere = { ...configMap('a', {}), metadata: { name: 'a', namespace: 'nowhere' } };
    await expect(apply([elsewhere])).rejects.toThrow('ConfigMap/nowhere/a not found: namespaces "nowhere" not found');
    const nowhere = { ...configMap('a', {}), metadata: { name: 'a' } };
    await expect(apply([nowhere])).rejects.toThrow('ConfigMap/a namespace not specified: ');
  });

  it('flux/SSA-15: a Secret that is refused does not show its values', async () => {
    const quoting = apiErrors.invalid({ group: '', kind: 'Secret' }, 's', [
      { field: 'data[password]', message: 'Invalid value: "hunter2"' },
    ]);
    const { apply } = await bench((request) =>
      request.method === 'PATCH' && request.path.includes('/secrets/') ? refusal(quoting) : 'pass',
    );
    const bad = { ...configMap('s', {}), kind: 'Secret', data: { password: 'aHVudGVyMg==' } };
    await expect(apply([bad])).rejects.toThrow(/^Secret\/default\/s dry-run failed \(Invalid\): data\[password\]: \*\*\*$/);
  });

  it('flux/SSA-14: a failed apply says what was done before it', async () => {
    const { apply } = await bench((request) =>
      request.method === 'PATCH' && request.path.endsWith('/b') && request.query.get('dryRun') === null ? 'drop' : 'pass',
    );
    await expect(apply([configMap('a', {}), configMap('b', {})])).rejects.toThrow(
      'ConfigMap/default/b apply failed: the connection to the cluster was lost\nConfigMap/default/a created',
    );
  });
});

describe('a pass without changes', () => {
  const many = Array.from({ length: 20 }, (_, i) => configMap(`m${i}`, { x: String(i) }));

  it('flux/SSA-05: reads many objects with one list, and with a memory sends no dry-run', async () => {
    const { apply, requests, world } = await bench();
    const memory = driftMemory(world.clock);
    await apply(many, { memory });
    requests();
    await apply(many, { memory });
    expect(requests().filter((line) => line.endsWith(' dry'))).toHaveLength(20);
    await apply(many, { memory });
    expect(requests()).toEqual(['GET /api/v1/namespaces/default/configmaps']);
  });

  it('flux/SSA-05: an account that may not list reads one by one', async () => {
    const forbidden = apiErrors.forbidden({ group: '', plural: 'configmaps' }, '', 'no');
    const { apply, requests } = await bench((request) =>
      request.method === 'GET' && request.path.endsWith('/configmaps') ? refusal(forbidden) : 'pass',
    );
    await apply(many);
    requests();
    expect(await apply(many)).not.toMatch(/created|configured/);
    expect(requests().filter((line) => line.startsWith('GET'))).toHaveLength(21);
  });

  const rememberedAgain: [string, (b: Bench) => Promise<unknown>, number][] = [
    ['a live object was written', ({ cluster }) => cluster.patch(refTo('m3'), 'merge', { data: { y: 'z' } }, { fieldManager: 'x' }), 1],
    [
      'a live object was made anew',
      async ({ cluster }) => {
        await cluster.delete(refTo('m3'));
        await cluster.create(configMap('m3', { x: '4' }, { labels: { a: 'b' } }));
      },
      1,
    ],
    ['an hour has passed', ({ world }) => world.run(3_700_000), 20],
  ];

  it.each(rememberedAgain)('flux/SSA-05: the memory is not trusted after %s', async (_, change, dryRuns) => {
    const b = await bench();
    const memory = driftMemory(b.world.clock);
    await b.apply(many, { memory });
    await b.apply(many, { memory });
    await change(b);
    b.requests();
    await b.apply(many, { memory });
    expect(b.requests().filter((line) => line.endsWith(' dry'))).toHaveLength(dryRuns);
    expect(await dataOf(b.cluster, 'm3')).toMatchObject({ x: '3' });
  });

  it('flux/SSA-05: the memory is not trusted for another desired object, user or definition', async () => {
    const b = await bench();
    const memory = driftMemory(b.world.clock);
    const dryRuns = async (objects: readonly KubeObject[], options: Partial<StagedApplyOptions> = {}): Promise<number> => {
      b.requests();
      await b.apply(objects, { memory, ...options });
      return b.requests().filter((line) => line.endsWith(' dry')).length;
    };
    const two = many.slice(0, 2);
    await dryRuns(two);
    expect(await dryRuns(two)).toBe(2);
    expect(await dryRuns(two)).toBe(0);
    expect(await dryRuns(two, { user: 'system:serviceaccount:a:b' })).toBe(2);
    expect(await dryRuns([configMap('m0', { x: '0', y: '1' }), two[1] as KubeObject])).toBe(2);
    await dryRuns(two);
    await dryRuns(two);
    await dryRuns([DEFINITION]);
    expect(await dryRuns(two)).toBe(2);
  });

  it('writeUnchanged, the planted bug, writes all the same', async () => {
    const { apply, writes } = await bench();
    await apply(many);
    writes();
    await apply(many, { writeUnchanged: true });
    expect(writes()).toHaveLength(20);
  });
});

describe('pruning', () => {
  const owned = { labels: { [`${ANNOTATION}/name`]: 'apps', [`${ANNOTATION}/namespace`]: 'flux-system' } };
  const pruneAll = async (b: Bench, ...names: string[]): Promise<string> =>
    formatChanges(
      (
        await b.run(
          prune(
            b.raw,
            names.map((name) => refTo(name)),
            { owner: OWNER },
          ),
        )
      ).entries,
    );

  it('flux/SSA-11: deletes what carries our labels, in reverse order, and passes over what is gone', async () => {
    const b = await bench();
    await b.apply([configMap('a', {}), configMap('b', {})]);
    expect(await pruneAll(b, 'a', 'gone', 'b')).toBe('ConfigMap/default/b deleted\nConfigMap/default/a deleted');
    expect(await b.cluster.find(refTo('a'))).toBeUndefined();
  });

  const kept: [string, object][] = [
    ['without our labels', {}],
    ['of another owner', { labels: { ...owned.labels, [`${ANNOTATION}/name`]: 'other' } }],
    ['marked prune: disabled', { ...owned, ...mark('prune', 'Disabled') }],
    ['marked reconcile: disabled', { ...owned, ...mark('reconcile', 'disabled') }],
    ['marked ssa: Ignore', { ...owned, ...mark('ssa', 'Ignore') }],
  ];

  it.each(kept)('flux/SSA-11: an object %s is left alone', async (_, metadata) => {
    const b = await bench();
    await b.cluster.create(configMap('a', {}, metadata));
    expect(await pruneAll(b, 'a')).toBe('ConfigMap/default/a skipped');
    expect(await b.cluster.find(refTo('a'))).toBeDefined();
  });

  it('flux/SSA-11: a failed deletion is reported after the others were done, and survives for the next try', async () => {
    const b = await bench((request) => (request.method === 'DELETE' && request.path.endsWith('/b') ? 'drop' : 'pass'));
    await b.apply([configMap('a', {}), configMap('b', {})]);
    const error = await pruneAll(b, 'a', 'b').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: 'delete failed, errors: ConfigMap/default/b delete failed: the connection to the cluster was lost',
      survivors: [refTo('b')],
    });
    expect(await b.cluster.find(refTo('a'))).toBeUndefined();
  });

  it('flux/SSA-11: a reference with a namespace does not mean a cluster-scoped object of that name', async () => {
    const b = await bench();
    const role = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'reader' };
    await b.apply([{ apiVersion: role.apiVersion, kind: role.kind, metadata: { name: role.name }, rules: [] }]);
    const refs = [{ ...role, namespace: 'default' }];
    expect((await b.run(prune(b.raw, refs, { owner: OWNER }))).entries).toEqual([]);
    expect(await b.cluster.find(role)).toBeDefined();
  });

  it('flux/SSA-11: objects of a kind that is no longer served are gone', async () => {
    const b = await bench();
    const refs = [{ apiVersion: 'example.dev/v1', kind: 'Widget', namespace: 'default', name: 'w' }];
    expect((await b.run(prune(b.raw, refs, { owner: OWNER }))).entries).toEqual([]);
  });
});
