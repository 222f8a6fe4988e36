import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { makePrivateDirectory, writePrivateFile } from '../../base/files/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { Entropy, World } from '../../base/world/index.ts';
import type { Authenticator } from './authenticate.ts';
import { loadCertificates, type KeyPair } from './certificates.ts';
import { ADMIN, type EmbeddedCluster } from './cluster.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { listen } from './listen.ts';

const TOKEN_BYTES = 32;

export interface ServeOptions {
  /** 0: any free port. */
  readonly port: number;
  readonly world: World;
  readonly entropy: Entropy;
  /** Keeps the CA, the certificates and the token private in it, so that a kubeconfig outlives a restart. */
  readonly dataDir?: string;
}

/** A cluster that listens. */
export interface ServedCluster {
  readonly port: number;
  readonly url: string;
  /** PEM of the CA. */
  readonly certificateAuthority: string;
  /** For the administrator (user `admin`, group `system:masters`). */
  readonly kubeconfig: Sensitive<string>;
  /** A client certificate for anybody else. */
  issueClient(username: string, groups: readonly string[]): Promise<KeyPair>;
  /** Ends watches and connections. The cluster itself stays. */
  readonly close: () => Promise<void>;
}

/**
 * Serves a cluster over HTTPS on 127.0.0.1 for kubectl and other clients.
 *
 * @throws SottoError CLUSTER_PORT_TAKEN, CLUSTER_CERTIFICATES_UNREADABLE
 */
export async function serve(cluster: EmbeddedCluster, options: ServeOptions): Promise<ServedCluster> {
  const { world, entropy, port, dataDir } = options;
  const folder = dataDir === undefined ? undefined : join(dataDir, 'pki');
  const certificates = await loadCertificates({ world, entropy, ...(folder === undefined ? {} : { folder }) });
  const token = await loadToken(world, entropy, folder);
  const listener = await listen({ world, handle: cluster.handleRemote, certificates, port });
  cluster.addAuthenticator(staticToken(token));
  cluster.setRootCertificate(certificates.authority.certificate);
  const url = `https://127.0.0.1:${listener.port}`;
  cluster.setServerUrl(url);
  const authority = certificates.authority.certificate;
  return {
    port: listener.port,
    url,
    certificateAuthority: authority,
    kubeconfig: token.map((secret) => kubeconfigText({ url, authority, user: ADMIN.username, credential: { token: secret } })),
    issueClient: (username, groups) => certificates.issueClient(username, groups),
    close: async () => {
      cluster.endWatches();
      await listener.close();
    },
  };
}

async function loadToken(world: World, entropy: Entropy, folder: string | undefined): Promise<Sensitive<string>> {
  const fresh = (): string => Buffer.from(entropy.bytes(TOKEN_BYTES)).toString('base64url');
  if (folder === undefined) return new Sensitive(fresh());
  const path = join(folder, 'admin.token');
  return world.outside(async () => {
    const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    if (kept.trim() !== '') return new Sensitive(kept.trim());
    const token = fresh();
    await makePrivateDirectory(folder);
    await writePrivateFile(path, `${token}\n`);
    return new Sensitive(token);
  });
}

/** Knows one token, compared in constant time. */
function staticToken(token: Sensitive<string>): Authenticator {
  const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();
  const expected = token.map(digest);
  return (given) => (timingSafeEqual(digest(given), expected.reveal()) ? ADMIN : undefined);
}
