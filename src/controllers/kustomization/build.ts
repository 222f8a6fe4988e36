import { formatPosition, isAbort, SottoError } from '../../base/errors/index.ts';
import type { Tree } from '../../base/files/index.ts';
import { buildFleet, type VariableSource } from '../../build/fleet/index.ts';
import { hasMark, normaliseObject, withOwnerLabels, type Owner } from '../../kube/apply/index.ts';
import { formatRef, refOf, type KubeObject } from '../../kube/objects/index.ts';
import { StepFailure } from './failure.ts';
import { FIELD_MANAGER, GROUP } from './model.ts';
import { openDecryptor } from './decryption.ts';
import type { Pass } from './pass.ts';

/** Whose objects the Kustomization's are. */
export function ownerOf(pass: Pick<Pass, 'namespace' | 'name'>): Owner {
  return { fieldManager: FIELD_MANAGER, group: GROUP, namespace: pass.namespace, name: pass.name };
}

/**
 * Builds the Kustomization: keys, overlay, decryption, substitution (flux/KS-01). The objects come back normalised
 * and with the owner's labels.
 *
 * @throws StepFailure BuildFailed
 */
export async function buildObjects(pass: Pass, tree: Tree): Promise<KubeObject[]> {
  const { controls, spec, namespace, name, signal } = pass;
  try {
    const decryptor = await openDecryptor(pass);
    const built = await buildFleet({
      tree,
      spec,
      owner: { namespace, name },
      variables: variablesOf(pass),
      strictSubstitution: controls.flags.gates.strictPostBuildSubstitutions,
      signal,
      ...(decryptor === undefined ? {} : { decryptor }),
    });
    controls.onBuild?.({ namespace, name }, built);
    for (const warning of built.warnings) pass.log.info(warning.message, { file: warning.file, line: warning.line });
    return built.objects.map(({ object }) => withOwnerLabels(normaliseObject(object), ownerOf(pass)));
  } catch (error) {
    if (isAbort(error)) throw error;
    if (controls.faults.pruneAfterFailedBuild === true) return [];
    if (error instanceof StepFailure) throw error;
    // A message that is not ours may quote the document it is about.
    const message = error instanceof SottoError ? placed(error) : 'kustomize build failed: internal error';
    throw new StepFailure('BuildFailed', message, { cause: error });
  }
}

/** The message begins as upstream's does, so the position comes last. */
function placed(error: SottoError): string {
  const where = formatPosition(error.at);
  return where === '' ? error.message : `${error.message} (${where})`;
}

/** Reads each object of `substituteFrom` once for the whole build (BY-18). */
function variablesOf(pass: Pass): VariableSource {
  const read = new Map<string, Promise<KubeObject | undefined>>();
  return ({ kind, name }) => {
    const key = `${kind}/${name}`;
    const found =
      read.get(key) ?? pass.controls.cluster.find({ apiVersion: 'v1', kind, namespace: pass.namespace, name }, { signal: pass.signal });
    read.set(key, found);
    return found;
  };
}

/**
 * Stops before anything is applied when a Secret is still encrypted (flux/DEC-07).
 *
 * @throws StepFailure ReconciliationFailed
 */
export function refuseEncryptedSecrets(objects: readonly KubeObject[]): void {
  const encrypted = objects.find(
    (object) =>
      object.apiVersion === 'v1' &&
      object.kind === 'Secret' &&
      Object.hasOwn(object, 'sops') &&
      !hasMark(object, `${GROUP}/decrypt`, 'disabled'),
  );
  if (encrypted === undefined) return;
  throw new StepFailure(
    'ReconciliationFailed',
    `${formatRef(refOf(encrypted))} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
  );
}
