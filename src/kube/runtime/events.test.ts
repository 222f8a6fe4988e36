import { describe, expect, it } from 'vitest';

import { noLog } from '../../base/log/index.ts';
import { virtualWorld, type Fetch } from '../../base/world/index.ts';
import { connect } from '../client/index.ts';
import { memoryServer } from '../client/memory.fixture.ts';
import { refOf, type KubeObject } from '../objects/index.ts';
import { eventRecorder } from './events.ts';

const EVENTS = { apiVersion: 'v1', kind: 'Event', plural: 'events', namespaced: true };
const OBJECT: KubeObject = {
  apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
  kind: 'Kustomization',
  metadata: {
    name: 'apps',
    namespace: 'flux-system',
    uid: 'u1',
    resourceVersion: '7',
    annotations: { 'event.toolkit.fluxcd.io/cluster': 'prod', other: 'no' },
  },
};
const REVISION = { 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:abc' };

function start(answers: (number | Error)[] = []) {
  const posts: { at: number; body: Record<string, unknown> }[] = [];
  const fetch: Fetch = async (url, init) => {
    posts.push({ at: (world.clock.now() - begin) / 1000, body: JSON.parse(init?.body as string) as Record<string, unknown> });
    expect(url).toBe('http://notification/');
    const answer = answers.shift() ?? 202;
    if (answer instanceof Error) throw answer;
    return new Response(null, { status: answer });
  };
  const world = virtualWorld({ seed: 1, fetch });
  const begin = world.clock.now();
  const server = memoryServer([EVENTS]);
  const cluster = connect(server.handle);
  const recorder = eventRecorder({ cluster, world, log: noLog, component: 'kustomize-controller', sinkUrl: 'http://notification/' });
  const stored = async () => (await cluster.list(EVENTS)).items;
  return { world, cluster, recorder, posts, stored };
}

describe('core events', () => {
  it('EVT-01, EVT-02: carry the metadata and the event annotations of the object', async () => {
    const { recorder, stored } = start();
    recorder.event(OBJECT, 'Normal', 'ReconciliationSucceeded', 'Reconciliation finished', REVISION);
    await recorder.flush();
    const [event] = await stored();
    expect(event).toMatchObject({
      metadata: { namespace: 'flux-system', annotations: { ...REVISION, 'event.toolkit.fluxcd.io/cluster': 'prod' } },
      involvedObject: {
        apiVersion: OBJECT.apiVersion,
        kind: 'Kustomization',
        namespace: 'flux-system',
        name: 'apps',
        uid: 'u1',
        resourceVersion: '7',
      },
      reason: 'ReconciliationSucceeded',
      message: 'Reconciliation finished',
      type: 'Normal',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'kustomize-controller' },
      reportingComponent: 'kustomize-controller',
    });
    expect(event?.metadata.annotations).not.toHaveProperty('other');
    expect(event?.metadata.name).toMatch(/^apps\.[0-9a-f]+$/);
  });

  it('EVT-01: a repeated event is counted', async () => {
    const { world, recorder, stored } = start();
    for (let i = 0; i < 3; i++) {
      recorder.event(OBJECT, 'Warning', 'BuildFailed', 'it broke');
      await world.run(60_000);
    }
    recorder.event(OBJECT, 'Warning', 'BuildFailed', 'it broke otherwise');
    await recorder.flush();
    const events = await stored();
    expect(events.map(({ message, count, firstTimestamp, lastTimestamp }) => [message, count, firstTimestamp, lastTimestamp])).toEqual([
      ['it broke', 3, '2026-01-01T00:00:00Z', '2026-01-01T00:02:00Z'],
      ['it broke otherwise', 1, '2026-01-01T00:03:00Z', '2026-01-01T00:03:00Z'],
    ]);
  });

  it('EVT-01: a counted event that has expired is written anew', async () => {
    const { cluster, recorder, stored } = start();
    recorder.event(OBJECT, 'Normal', 'R', 'm');
    await recorder.flush();
    for (const event of await stored()) await cluster.delete(refOf(event));
    recorder.event(OBJECT, 'Normal', 'R', 'm');
    await recorder.flush();
    expect((await stored()).map(({ count }) => count)).toEqual([1]);
  });

  it('EVT-01: many similar events become one', async () => {
    const { recorder, stored } = start();
    for (let i = 0; i < 25; i++) recorder.event(OBJECT, 'Normal', 'Progressing', `step ${i}`);
    await recorder.flush();
    const events = await stored();
    expect(events).toHaveLength(11);
    expect(events[10]).toMatchObject({ message: '(combined from similar events): step 24', count: 15 });
  });

  it('EVT-01: events of cluster-scoped objects live in the default namespace, and long names fit', async () => {
    const { recorder, stored } = start();
    recorder.event({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n'.repeat(253) } }, 'Normal', 'R', 'm');
    await recorder.flush();
    const [event] = await stored();
    expect(event?.metadata.namespace).toBe('default');
    expect(event?.metadata.name).toHaveLength(253);
    expect(event?.metadata.annotations).toBeUndefined();
  });
});

describe('the event sink', () => {
  it('EVT-01: gets Normal and Warning events, and no Trace', async () => {
    const { recorder, posts, stored } = start();
    recorder.event(OBJECT, 'Normal', 'A', 'good', REVISION);
    recorder.event(OBJECT, 'Warning', 'B', 'bad');
    recorder.event(OBJECT, 'Trace', 'C', 'detail');
    await recorder.flush();
    expect(posts.map(({ body }) => body)).toEqual([
      {
        involvedObject: {
          apiVersion: OBJECT.apiVersion,
          kind: 'Kustomization',
          namespace: 'flux-system',
          name: 'apps',
          uid: 'u1',
          resourceVersion: '7',
        },
        severity: 'info',
        timestamp: '2026-01-01T00:00:00Z',
        message: 'good',
        reason: 'A',
        metadata: { ...REVISION, 'event.toolkit.fluxcd.io/cluster': 'prod' },
        reportingController: 'kustomize-controller',
        reportingInstance: '',
      },
      expect.objectContaining({ severity: 'error', reason: 'B' }) as unknown,
    ]);
    expect((await stored()).map(({ reason, type }) => [reason, type])).toEqual([
      ['A', 'Normal'],
      ['B', 'Warning'],
      ['C', 'Normal'],
    ]);
  });

  it('EVT-01: leaves metadata out when there is none', async () => {
    const { recorder, posts } = start();
    recorder.event({ ...OBJECT, metadata: { name: 'x', namespace: 'n' } }, 'Normal', 'A', 'm');
    await recorder.flush();
    expect(posts[0]?.body).not.toHaveProperty('metadata');
  });

  const attempts: [name: string, answers: (number | Error)[], at: number[]][] = [
    ['tries again after 5xx and network errors', [500, new TypeError('down'), 202], [0, 1, 3]],
    ['gives up after four retries', [500, 500, 500, 500, 500, 202], [0, 1, 3, 7, 15]],
    ['takes 429 for a duplicate', [429, 202], [0]],
    ['does not retry a refusal', [400, 202], [0]],
  ];
  it.each(attempts)('EVT-01: %s', async (_name, answers, at) => {
    const { world, recorder, posts } = start(answers);
    recorder.event(OBJECT, 'Normal', 'A', 'm');
    await world.run(60_000);
    expect(posts.map((post) => post.at)).toEqual(at);
    await recorder.flush();
  });
});
