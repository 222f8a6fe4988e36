import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpsRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { createStore, fileJournal } from '../store/index.ts';
import { createCluster, serve, type EmbeddedCluster, type ServedCluster } from './index.ts';
import { MAX_BODY_BYTES } from './body.ts';

const world = systemWorld();
const entropy = systemEntropy;
const PATH = '/api/v1/namespaces/default/configmaps';

let cluster: EmbeddedCluster;
let served: ServedCluster;
let token: string;
beforeAll(async () => {
  cluster = await createCluster({ world, entropy });
  served = await serve(cluster, { port: 0, world, entropy });
  token = /token: (\S+)/.exec(served.kubeconfig.reveal())?.[1] ?? '';
});
afterAll(async () => {
  await served.close();
  await cluster.close();
});

interface Options {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly cert?: string;
  readonly key?: string;
  readonly chunked?: boolean;
}

function send(path: string, options: Options = {}): Promise<IncomingMessage> {
  const { method = 'GET', headers = {}, body, cert, key, chunked = false } = options;
  return new Promise((resolve, reject) => {
    const authorization: Record<string, string> =
      cert === undefined && headers['authorization'] === undefined ? { authorization: `Bearer ${token}` } : {};
    const request = httpsRequest(
      served.url + path,
      {
        method,
        headers: { ...authorization, ...headers },
        ca: served.certificateAuthority,
        agent: false,
        ...(cert === undefined ? {} : { cert, key }),
      },
      resolve,
    );
    request.on('error', reject);
    if (body !== undefined && chunked) request.write(body);
    request.end(chunked ? undefined : body);
  });
}
async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
const textOf = async (response: IncomingMessage): Promise<string> => (await bytesOf(response)).toString();
const json = async (path: string, options?: Options): Promise<Record<string, unknown>> =>
  JSON.parse(await textOf(await send(path, options))) as Record<string, unknown>;

describe('TLS and credentials', () => {
  it('TLS-01 and TLS-02: a kubeconfig with the CA; the certificate is good for its names', async () => {
    expect(served.kubeconfig.reveal()).toContain('certificate-authority-data: ');
    expect(String(served.kubeconfig)).toBe('***');
    expect(await json('/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', body: '{}' })).toMatchObject({
      status: { userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] } },
    });
  });

  it('AUTHN-01: a client certificate of our CA names user and groups', async () => {
    const { certificate: cert, key } = await served.issueClient('jane', ['team-a', 'team-b']);
    expect(await json('/apis/authentication.k8s.io/v1/selfsubjectreviews', { method: 'POST', body: '{}', cert, key })).toMatchObject({
      status: { userInfo: { username: 'jane', groups: ['team-a', 'team-b', 'system:authenticated'] } },
    });
  });

  it('AUTHN-03: a certificate of another CA, and a bad token, are 401', async () => {
    const other = await createCluster({ world, entropy });
    const elsewhere = await serve(other, { port: 0, world, entropy });
    const { certificate: cert, key } = await elsewhere.issueClient('admin', ['system:masters']);
    expect(await json('/api/v1/namespaces', { cert, key })).toMatchObject({ code: 401, reason: 'Unauthorized' });
    expect(await json('/api/v1/namespaces', { headers: { authorization: 'Bearer no' } })).toMatchObject({ code: 401 });
    await elsewhere.close();
    await other.close();
  });
});

describe('encodings', () => {
  it('apiserver/ENC-01: JSON without a type, and YAML', async () => {
    expect(await json(PATH, { method: 'POST', body: '{"metadata":{"name":"j"}}' })).toMatchObject({ kind: 'ConfigMap' });
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: yy}\ndata:\n  a: "1"\n';
    expect(await json(PATH, { method: 'POST', body: yaml, headers: { 'content-type': 'application/yaml' } })).toMatchObject({
      data: { a: '1' },
    });
    const apply = await send(`${PATH}/yy?fieldManager=x&force=true`, {
      method: 'PATCH',
      body: yaml.replace('"1"', '"2"'),
      headers: { 'content-type': 'application/apply-patch+yaml' },
    });
    expect(JSON.parse(await textOf(apply))).toMatchObject({ data: { a: '2' } });
  });

  it('apiserver/ENC-02: a protobuf body', async () => {
    const bytes = Buffer.concat([
      Buffer.from('k8s\0'),
      // Unknown { typeMeta { v1, ConfigMap }, raw { metadata { name: p }, data { a: b } } }
      Buffer.from([0x0a, 15, 0x0a, 2, ...Buffer.from('v1'), 0x12, 9, ...Buffer.from('ConfigMap')]),
      Buffer.from([0x12, 13, 0x0a, 3, 0x0a, 1, ...Buffer.from('p'), 0x12, 6, 0x0a, 1, ...Buffer.from('a'), 0x12, 1, ...Buffer.from('b')]),
    ]);
    const headers = {
      'content-type': 'application/vnd.kubernetes.protobuf',
      accept: 'application/vnd.kubernetes.protobuf,application/json',
    };
    const response = await send(PATH, { method: 'POST', body: bytes, headers });
    expect(response.headers['content-type']).toBe('application/json');
    expect(JSON.parse(await textOf(response))).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'p' }, data: { a: 'b' } });
  });

  it('apiserver/ENC-04, apiserver/ENC-03 and apiserver/ENC-06: unknown types are 415 and 406 with the list of what is accepted', async () => {
    const type = await json(PATH, { method: 'POST', body: 'x', headers: { 'content-type': 'application/cbor' } });
    expect(type).toMatchObject({ code: 415, reason: 'UnsupportedMediaType' });
    expect(type['message']).toContain('the body of the request was in an unknown format - accepted media types include: application/json');
    expect(await json(PATH, { headers: { accept: 'application/cbor' } })).toMatchObject({
      code: 406,
      reason: 'NotAcceptable',
      message: 'only the following media types are accepted: application/json',
    });
    expect(await json(PATH, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).toMatchObject({ code: 406 });
    expect((await send(`${PATH}/j`, { method: 'PATCH', body: '{}' })).statusCode).toBe(415);
  });

  it.each([
    ['broken JSON', '{"a": sesame', 'application/json'],
    ['broken YAML', 'a: [sesame', 'application/yaml'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'application/json'],
    ['bytes that are no protobuf', Buffer.from('k8s\0sesame'), 'application/vnd.kubernetes.protobuf'],
  ])('%s is 400, and not quoted', async (_what, body, type) => {
    const response = await send(PATH, { method: 'POST', body, headers: { 'content-type': type } });
    const text = await textOf(response);
    expect(response.statusCode).toBe(400);
    expect(text).not.toContain('sesame');
  });

  it('REST-08: keys that stand twice warn, or are refused in strict mode; the last one counts', async () => {
    const body = '{"metadata":{"name":"twice"},"data":{"a":"1","b":"[{,\\"a\\":","a":"2"}}';
    const warned = await send(PATH, { method: 'POST', body });
    expect(warned.headers['warning']).toBe('299 - "duplicate field \\"data.a\\""');
    expect(JSON.parse(await textOf(warned))).toMatchObject({ data: { a: '2' } });
    const strict = await json(`${PATH}?fieldValidation=Strict`, { method: 'POST', body });
    expect(strict).toMatchObject({
      code: 400,
      message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: duplicate field "data.a"',
    });
    const patch = { method: 'PATCH', body: '{"data":{"a":"1","a":"2"}}', headers: { 'content-type': 'application/merge-patch+json' } };
    expect(await json(`${PATH}/twice?fieldValidation=Strict`, patch)).toMatchObject({
      code: 422,
      details: { causes: [{ field: 'patch' }] },
    });
    const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\ndata:\n  a: "1"\n  a: "2"\n';
    const apply = { method: 'PATCH', body: yaml, headers: { 'content-type': 'application/apply-patch+yaml' } };
    expect(await json(`${PATH}/twice?fieldManager=x&force=true&fieldValidation=Strict`, apply)).toMatchObject({ code: 400 });
    expect(await json(`${PATH}/twice?fieldManager=x&force=true`, apply)).toMatchObject({ data: { a: '2' } });
    const asJson = { ...apply, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"twice"},"data":{"a":"1","a":"3"}}' };
    expect(await json(`${PATH}/twice?fieldManager=x&force=true&fieldValidation=Strict`, asJson)).toMatchObject({
      code: 400,
      message: expect.stringContaining('duplicate field "data.a"') as string,
    });
    expect(await json(`${PATH}/twice?fieldManager=x&force=true`, asJson)).toMatchObject({ data: { a: '3' } });
    const flow = { ...apply, body: '{apiVersion: v1, kind: ConfigMap, metadata: {name: twice}, data: {a: "4"}}' };
    expect(await json(`${PATH}/twice?fieldManager=x&force=true`, flow)).toMatchObject({ data: { a: '4' } });
  });

  it('apiserver/ENC-05: large answers are compressed for clients that want it, watches never', async () => {
    await json(PATH, { method: 'POST', body: JSON.stringify({ metadata: { name: 'large' }, data: { a: 'x'.repeat(200_000) } }) });
    const plain = await bytesOf(await send(`${PATH}/large`));
    const response = await send(`${PATH}/large`, { headers: { 'accept-encoding': 'gzip' } });
    expect(response.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
    expect(gunzipSync(await bytesOf(response))).toEqual(plain);
    expect((await send(`${PATH}/j`, { headers: { 'accept-encoding': 'gzip' } })).headers['content-encoding']).toBeUndefined();
    const watch = await send(`${PATH}?watch=true`, { headers: { 'accept-encoding': 'gzip' } });
    expect(watch.headers['content-encoding']).toBeUndefined();
    watch.destroy();
  });

  it('apiserver/ENC-07: indented when asked for, and for people', async () => {
    expect(await textOf(await send(`${PATH}/j?pretty=true`))).toContain('\n  "kind"');
    expect(await textOf(await send(`${PATH}/j`, { headers: { 'user-agent': 'curl/8.0' } }))).toContain('\n  "kind"');
    expect(await textOf(await send(`${PATH}/j`))).not.toContain('\n  ');
  });

  it('LIM-01: bodies beyond 3 MiB are 413, with and without a length', async () => {
    const body = Buffer.alloc(MAX_BODY_BYTES + 1, ' ');
    for (const chunked of [false, true]) {
      const response = await send(PATH, { method: 'POST', body, chunked });
      expect(response.statusCode).toBe(413);
      expect(await textOf(response)).toContain('Request entity too large: limit is 3145728');
    }
  });

  it('bigints and paths with escapes survive the way', async () => {
    const lease = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    const made = await textOf(
      await send(lease, {
        method: 'POST',
        body: '{"metadata":{"name":"l","annotations":{"a":"b"}},"spec":{"leaseDurationSeconds":9007199254740993}}',
      }),
    );
    expect(made).toContain('9007199254740993');
    const role = '/apis/rbac.authorization.k8s.io/v1/clusterroles';
    await json(role, { method: 'POST', body: '{"metadata":{"name":"system:a b"}}' });
    expect(await json(`${role}/system:a%20b`)).toMatchObject({ metadata: { name: 'system:a b' } });
    expect((await send(`${role}/%ff`)).statusCode).toBe(400);
  });
});

describe('watches over the wire', () => {
  it('LIST-07: headers at once, one JSON object a line, and the server forgets a client that goes', async () => {
    const response = await send(`${PATH}?watch=true&resourceVersion=0&fieldSelector=metadata.name=wired`);
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/json');
    const lines = response[Symbol.asyncIterator]();
    void json(PATH, { method: 'POST', body: '{"metadata":{"name":"wired"}}' });
    const { value } = (await lines.next()) as { value: Buffer };
    expect(value.toString()).toMatch(/^\{"type":"ADDED","object":\{.*\}\}\n$/);
    response.destroy();
    const until = Date.now() + 5_000;
    while (cluster.dropWatches() > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(Date.now()).toBeLessThan(until);
  });

  it('EMB-01: closing ends watches and connections', async () => {
    const own = await createCluster({ world, entropy });
    const other = await serve(own, { port: 0, world, entropy });
    const mine = /token: (\S+)/.exec(other.kubeconfig.reveal())?.[1] ?? '';
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpsRequest(
        `${other.url}${PATH}?watch=true`,
        { headers: { authorization: `Bearer ${mine}` }, ca: other.certificateAuthority },
        resolve,
      );
      request.on('error', reject);
      request.end();
    });
    response.on('error', () => undefined);
    const ended = new Promise((resolve) => response.on('close', resolve));
    response.resume();
    await other.close();
    await own.close();
    await ended;
  });
});

describe('starting', () => {
  it('a port that is taken is named', async () => {
    await expect(serve(cluster, { port: served.port, world, entropy })).rejects.toMatchObject({
      code: 'CLUSTER_PORT_TAKEN',
      message: expect.stringContaining(String(served.port)) as unknown,
    });
  });

  it('STORE-01: the data folder keeps CA, certificates and token, private; a kubeconfig outlives a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'serve-'));
    const texts: string[] = [];
    for (let i = 0; i < 2; i++) {
      const own = await createCluster({ world, entropy, databasePath: join(folder, 'cluster.db') });
      const other = await serve(own, { port: 0, world, entropy, dataDir: folder });
      texts.push(other.kubeconfig.reveal().replace(other.url, 'URL'));
      await other.close();
      await own.close();
    }
    expect(texts[1]).toBe(texts[0]);
    const files = readdirSync(join(folder, 'pki'));
    expect(files.toSorted()).toEqual(['admin.token', 'ca.crt', 'ca.key', 'server.crt', 'server.key']);
    for (const file of files) expect(statSync(join(folder, 'pki', file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'pki')).mode & 0o777).toBe(0o700);
    rmSync(folder, { recursive: true });
  });

  it('STORE-01: kill -9 loses no write that was answered', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'killed-'));
    const databasePath = join(folder, 'cluster.db');
    const program = `
      import { systemEntropy as entropy, systemWorld } from ${JSON.stringify(new URL('../../base/world/index.ts', import.meta.url).href)};
      import { createCluster, serve } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      const world = systemWorld();
      const cluster = await createCluster({ world, entropy, databasePath: ${JSON.stringify(databasePath)} });
      const served = await serve(cluster, { port: 0, world, entropy });
      process.stdout.write(JSON.stringify({ url: served.url, ca: served.certificateAuthority, kubeconfig: served.kubeconfig.reveal() }) + '\\n');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [first] = (await once(child.stdout, 'data')) as [Buffer];
    const { url, ca, kubeconfig } = JSON.parse(first.toString()) as { url: string; ca: string; kubeconfig: string };
    const agent = new Agent({ ca, keepAlive: true, maxSockets: 4 });
    const authorization = `Bearer ${/token: (\S+)/.exec(kubeconfig)?.[1] ?? ''}`;
    const post = (name: string): Promise<{ metadata: { name: string; uid: string; resourceVersion: string } }> =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(url + PATH, { method: 'POST', agent, headers: { authorization } }, (response) => {
          textOf(response).then((text) => resolve(JSON.parse(text) as Awaited<ReturnType<typeof post>>), reject);
        });
        request.on('error', reject);
        request.end(JSON.stringify({ metadata: { name } }));
      });
    const answered: Awaited<ReturnType<typeof post>>[] = [];
    const writer = async (id: number): Promise<void> => {
      for (let i = 0; ; i++) {
        answered.push(await post(`w${id}-${i}`));
        if (answered.length > 200) child.kill('SIGKILL');
      }
    };
    await Promise.allSettled([1, 2, 3, 4].map(writer));
    agent.destroy();
    const store = createStore({ clock: world.clock, journal: fileJournal(databasePath) });
    expect(answered.length).toBeGreaterThan(200);
    for (const { metadata } of answered) {
      const stored = store.get({ resource: 'configmaps', namespace: 'default', name: metadata.name });
      expect(stored?.metadata).toMatchObject({ uid: metadata.uid, resourceVersion: metadata.resourceVersion });
    }
    await store.close();
    rmSync(folder, { recursive: true });
  });
});
