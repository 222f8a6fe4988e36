import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemWorld } from '../../base/world/index.ts';
import { gitProgramFetcher, serveRepository, type RepositoryServer } from './index.ts';
import { temporaryDirectories, testRepository } from './repository.fixture.ts';
import { openSession } from './session.ts';

const world = systemWorld();
const temporary = temporaryDirectories();
let server: RepositoryServer;
let proxy: Server;
let address: string;
/** What the proxy was asked for, and with which credentials. */
const seen: { url: string; authorization: string | undefined; repository: string | undefined }[] = [];

beforeAll(async () => {
  const directory = join(temporary.make(), 'fleet');
  testRepository(directory).commit({ a: 'b' });
  server = await serveRepository(directory, {
    world,
    auth: { kind: 'basic', username: 'robot', password: new Sensitive('CANARY-repository') },
  });
  proxy = createServer(forward);
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
});
afterAll(async () => {
  proxy.close();
  await server.close();
  temporary.remove();
});

const EXPECTED = `Basic ${Buffer.from('user:CANARY-proxy').toString('base64')}`;

function forward(request: IncomingMessage, response: ServerResponse): void {
  const { 'proxy-authorization': authorization, ...headers } = request.headers;
  seen.push({ url: request.url ?? '', authorization, repository: headers.authorization });
  if (authorization !== EXPECTED) {
    response.writeHead(407, { 'proxy-authenticate': 'Basic realm="proxy"' }).end();
    return;
  }
  const onward = httpRequest(request.url ?? '', { method: request.method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  request.pipe(onward);
}

describe('a proxy', () => {
  const credentials = { kind: 'basic', username: 'robot', password: new Sensitive('CANARY-repository') } as const;

  it('SRC-13: is asked with its own user name and password, which the repository does not get, nor the other way round', async () => {
    const remote = { url: server.url, credentials, proxy: { address, username: 'user', password: new Sensitive('CANARY-proxy') } };
    const fetched = await gitProgramFetcher({ world }).fetch(remote, { branch: 'main' }, {});
    expect(fetched.revision).toMatch(/^main@sha1:/);
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen.map(({ authorization }) => authorization).filter((header) => header !== undefined))).toEqual(new Set([EXPECTED]));
    const repository = `Basic ${Buffer.from('robot:CANARY-repository').toString('base64')}`;
    expect(new Set(seen.map((one) => one.repository).filter((header) => header !== undefined))).toEqual(new Set([repository]));
  });

  it('SRC-13: refuses without credentials, and the message names neither secret', async () => {
    const remote = { url: server.url, credentials, proxy: { address, username: 'user', password: new Sensitive('CANARY-other') } };
    const failure = await gitProgramFetcher({ world })
      .listRefs(remote)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'GIT_AUTHENTICATION',
      message: `unable to list remote for '${server.url}': proxy authentication required`,
    });
    expect(String(failure)).not.toContain('CANARY');
  });

  it('SRC-13: of the environment is used only when it holds no credentials', async () => {
    const before = seen.length;
    const env = { PATH: process.env['PATH'], http_proxy: address };
    await expect(gitProgramFetcher({ world: { ...world, env } }).listRefs({ url: server.url, credentials })).rejects.toThrow();
    expect(seen.length).toBeGreaterThan(before);
    const withSecret = { PATH: process.env['PATH'], http_proxy: address.replace('//', '//user:CANARY-proxy@') };
    const direct = seen.length;
    expect(
      (await gitProgramFetcher({ world: { ...world, env: withSecret } }).listRefs({ url: server.url, credentials })).size,
    ).toBeGreaterThan(0);
    expect(seen.length).toBe(direct);
  });
});

describe('the URL that git gets', () => {
  it.each([
    ['https://user:CANARY@git.example/x.git', 'https://git.example/x.git'],
    ['ssh://git.example/x.git', 'ssh://git@git.example/x.git'],
    ['ssh://me:CANARY@git.example:2222/x.git', 'ssh://me@git.example:2222/x.git'],
  ])('GIT-01: %s becomes %s', async (url, expected) => {
    const session = await openSession({ url }, { world, timeoutMs: 1000 });
    await session.close();
    expect(session.url).toBe(expected);
  });
});
