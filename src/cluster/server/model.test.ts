import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { testCluster, type TestCluster } from './testing.ts';

const PATH = '/api/v1/namespaces/default/secrets';

/** One step of a client that knows nothing of the others. */
type Step =
  | { readonly kind: 'put'; readonly name: string; readonly label: string; readonly value: string }
  | { readonly kind: 'delete'; readonly name: string };

const name = fc.constantFrom('a', 'b', 'c');
const label = fc.constantFrom('x', 'y');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), name, label, value: fc.constantFrom('1', '2') }),
  fc.record({ kind: fc.constant('delete' as const), name }),
);

async function run(api: TestCluster, { kind, name: target, ...rest }: Step): Promise<void> {
  if (kind === 'delete') {
    await api.del(`${PATH}/${target}`);
    return;
  }
  const { label: tier, value } = rest as { label: string; value: string };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata: { name: target, labels: { tier } }, stringData: { value } };
  await api.patch(`${PATH}/${target}?fieldManager=m`, 'apply', object);
}

/** What a client knows that only lists once and then watches. */
async function known(api: TestCluster, query: string): Promise<{ take: () => Promise<Map<string, unknown>>; stop: () => void }> {
  const list = await api.get(`${PATH}?${query}`);
  const state = new Map<string, unknown>(list.body.items.map((item) => [item.metadata.name ?? '', item['data']]));
  const watch = await api.watch(`${PATH}?${query}&resourceVersion=${list.body.metadata.resourceVersion ?? ''}`);
  let last = Number(list.body.metadata.resourceVersion);
  return {
    stop: () => watch.stop(),
    take: async () => {
      for (const { type, object } of await watch.take()) {
        expect(Number(object.metadata.resourceVersion)).toBeGreaterThan(last);
        last = Number(object.metadata.resourceVersion);
        const key = object.metadata.name ?? '';
        expect(type).toBe(type === 'DELETED' ? 'DELETED' : state.has(key) ? 'MODIFIED' : 'ADDED');
        if (type === 'DELETED') expect(state.delete(key)).toBe(true);
        else state.set(key, object['data']);
      }
      return state;
    },
  };
}

async function listed(api: TestCluster, query: string): Promise<Map<string, unknown>> {
  const { body } = await api.get(`${PATH}?${query}`);
  return new Map(body.items.map((item) => [item.metadata.name ?? '', item['data']]));
}

describe('whatever clients do', () => {
  it('LIST-08 and LIST-09: list and watch know what a list knows, with and without a selector', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.array(step, { minLength: 1, maxLength: 25 }), async (before, after) => {
        const api = await testCluster();
        for (const each of before) await run(api, each);
        const queries = ['', 'labelSelector=tier=x', 'labelSelector=tier!=x', 'fieldSelector=metadata.name=a'];
        const clients = await Promise.all(queries.map((query) => known(api, query)));
        // Some of them at once, some one after the other.
        await Promise.all(after.slice(0, 5).map((each) => run(api, each)));
        for (const each of after.slice(5)) await run(api, each);
        for (const [i, client] of clients.entries()) {
          expect(await client.take()).toEqual(await listed(api, queries[i] ?? ''));
          client.stop();
        }
        await api.close();
      }),
      { numRuns: 40 },
    );
  });

  it('LIST-03 and LIST-04: an exact list, and pages of it, show the state of that moment', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 15 }), async (steps) => {
        const api = await testCluster();
        const states: { revision: number; state: Map<string, unknown> }[] = [];
        for (const each of steps) {
          await run(api, each);
          states.push({ revision: api.cluster.store.revision, state: await listed(api, '') });
        }
        for (const { revision, state } of states) {
          const exact = `resourceVersion=${revision}&resourceVersionMatch=Exact`;
          expect(await listed(api, exact)).toEqual(state);
          const paged = new Map<string, unknown>();
          let token: string | undefined;
          do {
            const { body } = await api.get(`${PATH}?limit=1&${token === undefined ? exact : `continue=${token}`}`);
            for (const item of body.items) paged.set(item.metadata.name ?? '', item['data']);
            token = (body.metadata as { continue?: string }).continue;
          } while (token !== undefined);
          expect(paged).toEqual(state);
        }
        await api.close();
      }),
      { numRuns: 25 },
    );
  });
});
