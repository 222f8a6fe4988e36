import { afterEach, describe, expect, it } from 'vitest';

import { virtualWorld } from '../../base/world/index.ts';
import type { ApiRequest, ApiResponse, UserInfo } from '../../kube/client/index.ts';
import { createLimiter, DEFAULT_LIMITS } from './limits.ts';
import { testCluster, type TestCluster } from './testing.ts';

const bob: UserInfo = { username: 'bob', groups: [] };
const root: UserInfo = { username: 'root', groups: ['system:masters'] };
const OK: ApiResponse = { status: 200, headers: {}, body: { kind: 'none' } };
const request = (query = ''): ApiRequest => ({
  method: 'GET',
  path: '/',
  query: new URLSearchParams(query),
  headers: {},
  signal: new AbortController().signal,
});

let api: TestCluster | undefined;
afterEach(() => api?.close());

describe('limits', () => {
  it('LIM-01: reads and writes are counted apart; watches and administrators are let through', async () => {
    const world = virtualWorld({ seed: 1 });
    const limiter = createLimiter(world.clock, { ...DEFAULT_LIMITS, maxReads: 2, maxWrites: 1 });
    const finish: (() => void)[] = [];
    const start = (verb: string, user = bob): Promise<number> =>
      limiter
        .run(request(), { verb, user }, () => new Promise((resolve) => finish.push(() => resolve(OK))))
        .then(
          ({ status }) => status,
          (error: { status: { code: number } }) => error.status.code,
        );
    const first = [start('get'), start('list'), start('create')];
    expect(await start('get')).toBe(429);
    expect(await start('patch')).toBe(429);
    const through = [start('watch'), start('watch'), start('get', root)];
    for (const each of finish) each();
    expect(await Promise.all([...first, ...through])).toEqual([200, 200, 200, 200, 200, 200]);
    const later = start('get');
    finish.at(-1)?.();
    expect(await later).toBe(200);
  });

  it('LIM-01: 429 tells when to come again', async () => {
    api = await testCluster({ limits: { maxReads: 0 } });
    const answer = await api.get('/api/v1/secrets', { user: bob });
    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).toMatchObject({ reason: 'TooManyRequests', details: { retryAfterSeconds: 1 } });
    expect((await api.get('/api/v1/secrets')).status).toBe(200);
  });

  it.each([
    ['a read', 'get', '', 60_000],
    ['a write', 'create', '', 34_000],
    ['the client’s own limit', 'get', 'timeout=5s', 5_000],
    ['never longer than the server’s', 'get', 'timeout=5m', 60_000],
  ])('LIM-01: how long a request may take: %s', async (_title, verb, query, ms) => {
    const world = virtualWorld({ seed: 1 });
    let outcome: unknown;
    createLimiter(world.clock, DEFAULT_LIMITS)
      .run(request(query), { verb, user: bob }, () => new Promise(() => {}))
      .catch((error: { status: unknown }) => {
        outcome = error.status;
      });
    await world.run(ms - 1);
    expect(outcome).toBeUndefined();
    await world.run(1);
    expect(outcome).toMatchObject({ code: 504, reason: 'Timeout' });
  });

  it('LIM-01: a limit that is no duration', async () => {
    api = await testCluster();
    expect((await api.get('/api/v1/secrets?timeout=soon')).body.message).toBe('invalid timeout specified in the request URL');
  });
});
