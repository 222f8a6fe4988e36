import { isAbort, messageOf, SottoError } from '../../base/errors/index.ts';
import { sopsDecryptor, type Decryptor } from '../../build/fleet/index.ts';
import { isJsonObject, isNotFound, type KubeObject } from '../../kube/objects/index.ts';
import { parseAgeIdentities, type AgeIdentity } from '../../secrets/keys/index.ts';
import { StepFailure } from './failure.ts';
import type { Pass } from './pass.ts';

/** Keys of a decryption Secret that name another kind of master key; a suffix or a whole name (flux/DEC-02). */
const REFUSED_KEYS: readonly { readonly matches: (key: string) => boolean; readonly what: string }[] = [
  { matches: (key) => key.endsWith('.asc'), what: 'OpenPGP keys' },
  { matches: (key) => key === 'sops.vault-token', what: 'Vault tokens' },
  { matches: (key) => key === 'sops.aws-kms', what: 'AWS KMS credentials' },
  { matches: (key) => key === 'sops.azure-kv', what: 'Azure Key Vault credentials' },
  { matches: (key) => key === 'sops.gcp-kms', what: 'GCP KMS credentials' },
];

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
  const { world, entropy } = pass.controls;
  return sopsDecryptor({ age: { identities: await readIdentities(pass) } }, { world, entropy, signal: pass.signal });
}

async function readIdentities(pass: Pass): Promise<AgeIdentity[]> {
  const { flags } = pass.controls;
  const own = pass.spec.decryption?.secretRef?.name;
  if (own !== undefined) return importKeys(await readKeySecret(pass, pass.namespace, own), pass.namespace, own, true);
  if (flags.sopsAgeSecret === undefined) return [];
  const secret = await readKeySecret(pass, flags.runtimeNamespace, flags.sopsAgeSecret);
  return importKeys(secret, flags.runtimeNamespace, flags.sopsAgeSecret, false);
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

/** @param isStrict whether keys of other kinds are refused; the global Secret is read for age keys only */
function importKeys(secret: KubeObject, namespace: string, name: string, isStrict: boolean): AgeIdentity[] {
  const data = isJsonObject(secret['data']) ? secret['data'] : {};
  const fail = (key: string, why: string): StepFailure =>
    new StepFailure('BuildFailed', `failed to import '${key}' data from sops decryption Secret '${namespace}/${name}': ${why}`);
  const identities: AgeIdentity[] = [];
  for (const [key, value] of Object.entries(data)) {
    const refused = REFUSED_KEYS.find((kind) => kind.matches(key));
    if (refused !== undefined && isStrict) throw fail(key, `${refused.what} are not supported yet, use a key that ends in .agekey`);
    if (!key.endsWith('.agekey')) continue;
    try {
      const text = Buffer.from(typeof value === 'string' ? value : '', 'base64').toString('utf8');
      identities.push(...parseAgeIdentities(text, key));
    } catch (error) {
      // Only what our own parser says is repeated: it never quotes an identity.
      throw fail(key, error instanceof SottoError ? messageOf(error) : 'it is not a list of age identities');
    }
  }
  return identities;
}
