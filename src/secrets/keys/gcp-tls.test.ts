import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { testCertificate } from './certificates.fixture.ts';
import { context, DATA_KEY } from './keys.fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'sotto-gcp-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('SOPS-25: over gRPC with TLS the token goes along, and only to a server that is trusted', async () => {
  const trusted = await testCertificate();
  // gRPC reads this once, when it is first loaded
  process.env['GRPC_DEFAULT_SSL_ROOTS_FILE_PATH'] = join(folder, 'roots.pem');
  writeFileSync(join(folder, 'roots.pem'), trusted.certificate);
  const [{ startFakeGrpc }, { gcpKmsKey }] = await Promise.all([import('./gcp.fixture.ts'), import('./index.ts')]);
  const servers = await Promise.all([startFakeGrpc(trusted), startFakeGrpc(await testCertificate())]);
  const [server, stranger] = servers;
  const key = gcpKmsKey('projects/p/locations/l/keyRings/r/cryptoKeys/k');
  const wrapAt = (endpoint: string): Promise<string> =>
    key.wrap(DATA_KEY, { gcp: { endpoint, accessToken: new Sensitive('ya29.not-a-real-token') } }, context);
  await wrapAt(server.endpoint);
  expect(server.calls.map(({ authorization }) => authorization)).toEqual(['Bearer ya29.not-a-real-token']);
  await expect(wrapAt(stranger.endpoint)).rejects.toMatchObject({ code: 'KEY_SERVICE_UNREACHABLE', retry: true });
  expect(stranger.calls).toEqual([]);
  for (const one of servers) await one.close();
});
