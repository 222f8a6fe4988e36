import { readFile } from 'node:fs/promises';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { sottoCrds, type KubeObject } from '../../kube/objects/index.ts';
import { parseAgeIdentities } from '../../secrets/keys/index.ts';
import { FLUX_KINDS } from './follow.ts';

export const FLUX_NAMESPACE = 'flux-system';
const KEY_SECRET = 'sops-age';
const FIELD_MANAGER = 'sotto-up';

export interface Seed {
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  /** Content of the age key file. */
  readonly ageKeys: string | undefined;
}

/**
 * Reads the key file and checks that it holds identities, so that a typing mistake is found before a cluster starts.
 *
 * @throws SottoError AGE_KEY_FILE_UNREADABLE and what parsing the identities throws
 */
export async function readAgeKeys(path: string | undefined, world: World): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const text = await world
    .outside(() => readFile(path, 'utf8'))
    .catch((cause: unknown) => {
      throw new SottoError('AGE_KEY_FILE_UNREADABLE', `cannot read the age key file ${path} (${codeOf(cause)})`, {
        hint: 'make one with `sotto age-keygen -o FILE`',
        cause,
      });
    });
  if (parseAgeIdentities(text, path).length === 0) {
    throw new SottoError('AGE_KEY_FILE_EMPTY', `${path} holds no age identity`, {
      hint: 'it should have a line that starts with AGE-SECRET-KEY-1',
    });
  }
  return text;
}

/** Installs our CRDs; those that are there already are brought up to date. */
export async function installCrds(cluster: Cluster): Promise<void> {
  for (const crd of sottoCrds()) await cluster.apply(crd, { fieldManager: FIELD_MANAGER, force: true });
}

/** Namespace, key Secret, GitRepository and Kustomization `flux-system`: what `flux bootstrap` leaves behind. */
export async function seedFleet(cluster: Cluster, seed: Seed): Promise<void> {
  const metadata = { name: FLUX_NAMESPACE, namespace: FLUX_NAMESPACE };
  const objects: KubeObject[] = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: FLUX_NAMESPACE } },
    ...(seed.ageKeys === undefined ? [] : [keySecret(seed.ageKeys)]),
    {
      ...FLUX_KINDS.gitRepository,
      metadata,
      spec: { url: seed.url, ref: { branch: seed.branch }, interval: '1m' },
    },
    {
      ...FLUX_KINDS.kustomization,
      metadata,
      spec: {
        interval: '10m',
        path: seed.path,
        prune: true,
        sourceRef: { kind: 'GitRepository', name: FLUX_NAMESPACE },
        ...(seed.ageKeys === undefined ? {} : { decryption: { provider: 'sops', secretRef: { name: KEY_SECRET } } }),
      },
    },
  ];
  for (const object of objects) await cluster.apply(object, { fieldManager: FIELD_MANAGER, force: true });
}

function keySecret(ageKeys: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: KEY_SECRET, namespace: FLUX_NAMESPACE },
    type: 'Opaque',
    data: { 'age.agekey': Buffer.from(ageKeys).toString('base64') },
  };
}
