import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemWorld } from '../../base/world/index.ts';
import { testCertificates } from './certificates.fixture.ts';
import { gitProgramFetcher, serveRepository } from './index.ts';
import { temporaryDirectories, testRepository } from './repository.fixture.ts';

const world = systemWorld();
const temporary = temporaryDirectories();
const fetcher = gitProgramFetcher({ world });
let certificates: Awaited<ReturnType<typeof testCertificates>>;
let directory: string;
let commit: string;

beforeAll(async () => {
  certificates = await testCertificates();
  directory = join(temporary.make(), 'fleet');
  commit = testRepository(directory).commit({ a: 'b' });
});
afterAll(() => temporary.remove());

describe('https', () => {
  it('SRC-14/GIT-07: a server of a private authority is trusted when ca.crt says so, and not otherwise', async () => {
    const { authority, server } = certificates;
    const auth = { kind: 'basic', username: 'u', password: new Sensitive('p') } as const;
    const served = await serveRepository(directory, {
      world,
      auth,
      tls: { certificate: server.certificate, key: new Sensitive(server.key) },
    });
    try {
      const remote = { url: served.url, credentials: auth };
      const trusting = { ...remote, tls: { authorities: authority.certificate } };
      expect(await fetcher.fetch(trusting, { branch: 'main' }, {})).toMatchObject({ commit });
      await expect(fetcher.fetch(remote, { branch: 'main' }, {})).rejects.toMatchObject({ code: 'GIT_TLS' });
      const { authority: stranger } = await testCertificates();
      const misled = { ...remote, tls: { authorities: stranger.certificate } };
      await expect(fetcher.fetch(misled, { branch: 'main' }, {})).rejects.toMatchObject({ code: 'GIT_TLS' });
    } finally {
      await served.close();
    }
  });

  it('SRC-14: a client certificate is shown to the server', async () => {
    const { authority, server, client } = certificates;
    const served = await serveRepository(directory, {
      world,
      tls: { certificate: server.certificate, key: new Sensitive(server.key), clientAuthorities: authority.certificate },
    });
    try {
      const tls = { authorities: authority.certificate };
      const certificate = { chain: client.certificate, key: new Sensitive(client.key) };
      expect(await fetcher.fetch({ url: served.url, tls: { ...tls, certificate } }, { branch: 'main' }, {})).toMatchObject({ commit });
      await expect(fetcher.fetch({ url: served.url, tls }, { branch: 'main' }, {})).rejects.toThrow();
    } finally {
      await served.close();
    }
  });
});
