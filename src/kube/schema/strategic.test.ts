import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ApiError, isJsonObject, type Json, type JsonObject } from '../objects/index.ts';
import { schemaOf, strategicMerge } from './index.ts';

interface Fixture {
  readonly base: JsonObject;
  readonly cases: readonly { readonly patch: JsonObject; readonly object?: JsonObject; readonly error?: string }[];
}

const { base, cases } = JSON.parse(readFileSync(new URL('fixtures/strategic-merge.json', import.meta.url), 'utf8')) as Fixture;
const deployment = schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' }) ?? {};
const service = schemaOf({ group: '', version: 'v1', kind: 'Service' }) ?? {};

/** Structs that Go prints even when they are empty, and directives that kubectl leaves in new items (they are never stored). */
function comparable(value: Json): Json {
  const structs = new Set(['resources', 'status', 'metadata', 'strategy', 'securityContext', 'template', 'selector', 'spec']);
  if (Array.isArray(value)) return value.filter((item) => !isJsonObject(item) || item['$patch'] === undefined).map(comparable);
  if (!isJsonObject(value)) return value;
  const isEmpty = (item: Json): boolean => isJsonObject(item) && Object.keys(item).length === 0;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, item]) => item !== null && !(structs.has(key) && isEmpty(item)))
      .map(([key, item]) => [key, comparable(item)]),
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

describe('strategicMerge', () => {
  it.each(cases.filter((each) => each.object !== undefined))('PATCH-04: as kubectl merges $patch', ({ patch, object }) => {
    expect(comparable(strategicMerge(deployment, base, patch))).toEqual(comparable(object ?? null));
  });

  it.each(cases.filter((each) => each.error !== undefined))('PATCH-06: refuses $patch', ({ patch, error }) => {
    const { status } = thrown(() => strategicMerge(deployment, base, patch));
    expect(status.code).toBe(error?.includes('retainKeys') === true ? 422 : 500);
    if (status.code === 500) expect(status.reason).toBeUndefined();
  });

  it('PATCH-04: order of lists is what kubectl makes of it', () => {
    const ordered = cases.filter(({ patch }) => JSON.stringify(patch).includes('$setElementOrder/'));
    expect(ordered.length).toBeGreaterThan(4);
  });

  it('PATCH-04: a Service may have one port for two protocols; a patch goes to the first', () => {
    const current = {
      spec: {
        ports: [
          { port: 53, protocol: 'UDP', name: 'a' },
          { port: 53, protocol: 'TCP', name: 'b' },
        ],
      },
    };
    expect(strategicMerge(service, current, { spec: { ports: [{ port: 53, nodePort: 1 }, { port: 80 }] } })).toEqual({
      spec: { ports: [{ port: 53, protocol: 'UDP', name: 'a', nodePort: 1 }, { port: 53, protocol: 'TCP', name: 'b' }, { port: 80 }] },
    });
  });

  it('PATCH-04: a patch that is no object is a 400', () => {
    expect(thrown(() => strategicMerge(service, {}, [])).status.code).toBe(400);
  });

  it('PATCH-04: where types differ the patch wins', () => {
    expect(strategicMerge(service, { spec: { selector: 'text' } }, { spec: { selector: { a: 'b' } } })).toEqual({
      spec: { selector: { a: 'b' } },
    });
  });

  it('PATCH-04: the current object is not changed', () => {
    const text = JSON.stringify(base);
    for (const { patch, object } of cases) if (object !== undefined) strategicMerge(deployment, base, patch);
    expect(JSON.stringify(base)).toBe(text);
  });

  it('PATCH-04: keys never reach a prototype', () => {
    const secret = schemaOf({ group: '', version: 'v1', kind: 'Secret' }) ?? {};
    const merged = strategicMerge(secret, { data: {} }, { data: JSON.parse('{"__proto__":"x"}') as Json }) as { data: object };
    expect(Object.entries(merged.data)).toEqual([['__proto__', 'x']]);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('PATCH-04: long lists merge in linear time', () => {
    const ports = Array.from({ length: 20_000 }, (_, i) => ({ port: i + 1 }));
    const patch = { spec: { ports: ports.map((port) => ({ ...port, name: 'x' })), '$setElementOrder/ports': ports } };
    const merged = strategicMerge(service, { spec: { ports: ports.toReversed() } }, patch) as { spec: { ports: Json[] } };
    expect(merged.spec.ports[0]).toEqual({ port: 1, name: 'x' });
  });
});
