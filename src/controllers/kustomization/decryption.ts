import { isAbort, messageOf, SottoError } from '../../base/errors/index.ts';
import { sopsDecryptor, type Decryptor } from '../../build/fleet/index.ts';
import { isJsonObject, isNotFound, type KubeObject } from '../../kube/objects/index.ts';
import { keySecretCredentials, type Credentials } from '../../secrets/keys/index.ts';
import { StepFailure } from './failure.ts';
import type { Pass } from './pass.ts';

/** Suffix of the entries of the global Secret that count. */
const AGE_KEYS = '.agekey';

/** Refuses identities that need a gate. @throws StepFailure FeatureGateDisabled */
export function checkGates(pass: Pass): void {
  if (pass.spec.decryption?.serviceAccountName === undefined || pass.controls.flags.gates.objectLevelWorkloadIdentity) return;
  throw new StepFailure(
    'FeatureGateDisabled',
    'to use spec.decryption.serviceAccountName for decryption authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
    { next: 'never' },
  );
}

/**
 * The decryptor that holds the keys of `spec.decryption`, or of the global age Secret (flux/DEC-08). Undefined when
 * decryption is not configured.
 *
 * @throws StepFailure BuildFailed when the key Secret is missing or a key in it cannot be used
 */
export async function openDecryptor(pass: Pass): Promise<Decryptor | undefined> {
  const { decryption } = pass.spec;
  if (decryption === undefined) return undefined;
  if (decryption.provider !== 'sops') throw new StepFailure('BuildFailed', `decryption provider '${decryption.provider}' is not supported`);
  if (decryption.serviceAccountName !== undefined) {
    throw new StepFailure('BuildFailed', 'spec.decryption.serviceAccountName is not supported yet');
  }
  const { world, entropy, dataKeys } = pass.controls;
  return sopsDecryptor(await readCredentials(pass), { world, entropy, dataKeys, signal: pass.signal });
}

/** Never the controller's own surroundings: without a key Secret there are no keys at all. */
async function readCredentials(pass: Pass): Promise<Credentials> {
  const { flags } = pass.controls;
  const own = pass.spec.decryption?.secretRef?.name;
  if (own !== undefined) return importKeys(await readKeySecret(pass, pass.namespace, own), pass.namespace, own, () => true);
  if (flags.sopsAgeSecret === undefined) return {};
  const secret = await readKeySecret(pass, flags.runtimeNamespace, flags.sopsAgeSecret);
  return importKeys(secret, flags.runtimeNamespace, flags.sopsAgeSecret, (key) => key.endsWith(AGE_KEYS));
}

async function readKeySecret(pass: Pass, namespace: string, name: string): Promise<KubeObject> {
  try {
    return await pass.controls.cluster.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, { signal: pass.signal });
  } catch (error) {
    if (isAbort(error)) throw error;
    const message = isNotFound(error) ? messageOf(error) : `cannot get sops decryption Secret '${namespace}/${name}': ${messageOf(error)}`;
    throw new StepFailure('BuildFailed', message, { cause: error });
  }
}

/** The credentials in a key Secret, of the keys that count (flux/DEC-02). */
function importKeys(secret: KubeObject, namespace: string, name: string, counts: (key: string) => boolean): Credentials {
  const data = isJsonObject(secret['data']) ? secret['data'] : {};
  const entries = Object.entries(data).filter(([key]) => counts(key));
  try {
    return keySecretCredentials(entries.map(([key, value]) => [key, Buffer.from(typeof value === 'string' ? value : '', 'base64')]));
  } catch (error) {
    // Only what our own parsers say is repeated: they never quote a key.
    const [key, why] = error instanceof SottoError ? [error.at?.file ?? '', error.message] : ['', 'it cannot be read'];
    throw new StepFailure('BuildFailed', `failed to import '${key}' data from sops decryption Secret '${namespace}/${name}': ${why}`);
  }
}
