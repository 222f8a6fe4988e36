/** The embedded API under load over TLS, server and client in processes of their own; beside it a server that does nothing. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { lazy, type Group } from './benchmark.ts';
import { load, type LoadOptions, type LoadResult } from './load.ts';
import { median, root, sotto, startUntil, stop } from './process.ts';

type Server = Pick<LoadOptions, 'origin' | 'headers'>;

const CONNECTIONS = 16;
const WARM_UP_SECONDS = 2;
const SECONDS = 5;
const GETS = 1000;
const APPLIED = 1000;
const MANY = 5000;
const LISTS = 11;

export const api: Group = (scope) => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-bench-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  const start = async (args: readonly string[], ready: RegExp): Promise<RegExpExecArray> => {
    const { child, match } = await startUntil(args, ready, root);
    scope.defer(() => stop(child));
    return match;
  };
  const embedded = async (dataDir: string): Promise<Server> =>
    serverOf(await start([sotto, 'cluster', '--data-dir', dataDir], /cluster ready at \S+\nkubeconfig (\S+)\n/));
  const kept = lazy(() => embedded(join(folder, 'state')));
  const inMemory = lazy(() => embedded(':memory:'));
  const floor = lazy(async () => {
    const [, origin = ''] = await start([fileURLToPath(new URL('floor.ts', import.meta.url))], /floor ready at (\S+)\n/);
    return { name: 'floor', value: (await underLoad({ origin }, createSecret)).perSecond };
  });
  const gets = lazy(async () => {
    await fill(await kept(), 'gets', GETS);
    return underLoad(await kept(), (n) => ({ method: 'GET', path: secretPath('gets', nameOf(n % GETS)) }));
  });
  return [
    {
      name: 'creates a second, :memory:',
      unit: '/s',
      target: { ratio: 0.5 },
      measure: async () => ({ value: (await underLoad(await inMemory(), createSecret)).perSecond, reference: await floor() }),
    },
    {
      name: 'creates a second, file-backed',
      unit: '/s',
      target: { ratio: 0.5 },
      measure: async () => ({ value: (await underLoad(await kept(), createSecret)).perSecond, reference: await floor() }),
    },
    {
      name: 'server-side applies a second, file-backed',
      unit: '/s',
      measure: async () => ({ value: (await underLoad(await kept(), applySecret)).perSecond, reference: await floor() }),
    },
    { name: 'GETs a second', unit: '/s', measure: async () => ({ value: (await gets()).perSecond, reference: await floor() }) },
    { name: 'GET, 99th percentile on 16 connections', unit: 'ms', measure: async () => ({ value: (await gets()).p99 }) },
    {
      name: 'list of 5,000 Secrets',
      unit: 'ms',
      measure: async () => {
        await fill(await kept(), 'many', MANY);
        return { value: await timeList(await kept()) };
      },
    },
  ];
};

/** Where a kubeconfig of ours points, and its token. */
function serverOf([, kubeconfig = '']: RegExpExecArray): Server {
  const text = readFileSync(kubeconfig, 'utf8');
  const field = (name: string): string => new RegExp(`${name}: (\\S+)`).exec(text)?.[1] ?? '';
  return { origin: field('server'), headers: { authorization: `Bearer ${field('token')}` } };
}

/** The load that every server gets, after some seconds in which it warms up. */
async function underLoad(server: Server, request: LoadOptions['request']): Promise<LoadResult> {
  let sent = 0;
  const options: Omit<LoadOptions, 'until'> = { ...server, connections: CONNECTIONS, request: () => request(sent++) };
  await load({ ...options, until: { seconds: WARM_UP_SECONDS } });
  return load({ ...options, until: { seconds: SECONDS } });
}

/** Creates `count` Secrets in a namespace of their own. */
async function fill(server: Server, namespace: string, count: number): Promise<void> {
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  await load({ ...server, connections: 1, until: { requests: 1 }, request: () => ({ method: 'POST', path: '/api/v1/namespaces', body }) });
  await load({ ...server, connections: CONNECTIONS, until: { requests: count }, request: (n) => createIn(namespace, n) });
}

/** Median of whole lists, read one after the other. */
async function timeList(server: Server): Promise<number> {
  const times: number[] = [];
  const request = () => ({ method: 'GET' as const, path: secretPath('many') });
  for (let run = 0; run <= LISTS; run++) {
    const { p99 } = await load({ ...server, connections: 1, until: { requests: 1 }, request });
    if (run > 0) times.push(p99);
  }
  return median(times);
}

const createSecret: LoadOptions['request'] = (n) => createIn('default', n);

const createIn = (namespace: string, n: number): ReturnType<LoadOptions['request']> => ({
  method: 'POST',
  path: secretPath(namespace),
  body: secretText(nameOf(n), n),
});

/** Every apply changes a value, also when the object is there already. */
const applySecret: LoadOptions['request'] = (n) => ({
  method: 'PATCH',
  path: `${secretPath('default', `applied-${n % APPLIED}`)}?fieldManager=bench&force=true`,
  contentType: 'application/apply-patch+yaml',
  body: secretText(`applied-${n % APPLIED}`, n),
});

const nameOf = (n: number): string => `secret-${n}`;

function secretPath(namespace: string, name?: string): string {
  return `/api/v1/namespaces/${namespace}/secrets${name === undefined ? '' : `/${name}`}`;
}

function secretText(name: string, n: number): string {
  const data = { USER: 'c2hvcA==', PASSWORD: Buffer.from(`made-up-${n}`).toString('base64') };
  return JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: 'Opaque', data });
}
