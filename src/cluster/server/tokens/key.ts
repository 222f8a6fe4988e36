import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { SottoError } from '../../../base/errors/index.ts';
import { makePrivateDirectory, writePrivateFile } from '../../../base/files/index.ts';
import type { World } from '../../../base/world/index.ts';

/** Signs and checks tokens of service accounts. */
export interface SigningKey {
  /** Names the key in a token's header, and in the published key set. */
  readonly id: string;
  readonly private: KeyObject;
  readonly public: KeyObject;
}

export const ALGORITHM = 'ES256';

/**
 * The cluster's signing key: a fresh one, or the one kept in a file (PKCS#8, 0600), so that tokens outlive a restart.
 *
 * @throws SottoError CLUSTER_CERTIFICATES_UNREADABLE when the kept file holds no key
 */
export async function loadSigningKey(world: World, path: string | undefined): Promise<SigningKey> {
  if (path === undefined) return keyOf(freshKey());
  return world.outside(async () => {
    const kept = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw unreadable(path, error);
    });
    if (kept !== undefined) return keyOf(parseKey(path, kept));
    const fresh = freshKey();
    await makePrivateDirectory(dirname(path));
    await writePrivateFile(path, fresh.export({ type: 'pkcs8', format: 'pem' }));
    return keyOf(fresh);
  });
}

function freshKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function parseKey(path: string, pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The library's message may quote the file.
    throw unreadable(path, undefined);
  }
}

function unreadable(path: string, cause: unknown): SottoError {
  return new SottoError('CLUSTER_CERTIFICATES_UNREADABLE', `the signing key ${path} cannot be read`, {
    hint: 'restore the file, or remove it to get a new key; all tokens of service accounts end then',
    cause,
  });
}

function keyOf(key: KeyObject): SigningKey {
  const publicKey = createPublicKey(key);
  const id = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  return { id, private: key, public: publicKey };
}
