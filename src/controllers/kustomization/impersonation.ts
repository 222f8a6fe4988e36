import type { Cluster } from '../../kube/client/index.ts';
import { StepFailure } from './failure.ts';
import type { Pass } from './pass.ts';

/** The user as which objects are applied, pruned and checked; undefined for the controller itself (flux/KS-13). */
export function userOf(pass: Pick<Pass, 'spec' | 'namespace' | 'controls'>): string | undefined {
  const account = serviceAccountOf(pass);
  return account === undefined ? undefined : `system:serviceaccount:${pass.namespace}:${account}`;
}

function serviceAccountOf({ spec, controls }: Pick<Pass, 'spec' | 'controls'>): string | undefined {
  const account = spec.serviceAccountName ?? controls.flags.defaultServiceAccount;
  return account === '' ? undefined : account;
}

/**
 * The cluster that objects go to, as the user who applies them.
 *
 * @throws StepFailure ReconciliationFailed for `spec.kubeConfig`, which is not supported yet
 */
export function targetCluster(pass: Pass): Cluster {
  if (pass.spec.kubeConfig !== undefined) {
    const message = 'spec.kubeConfig is not supported yet: objects can be applied to this cluster only';
    throw new StepFailure('ReconciliationFailed', message, { announcement: `failed to build kube client: ${message}` });
  }
  const user = userOf(pass);
  return user === undefined ? pass.controls.cluster : pass.controls.cluster.as(user);
}

/** False when the service account to impersonate no longer exists, so that nothing can be done in its name. */
export async function canImpersonate(pass: Pass): Promise<boolean> {
  const name = serviceAccountOf(pass);
  if (name === undefined) return true;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: pass.namespace, name };
  return (await pass.controls.cluster.find(account, { signal: pass.signal })) !== undefined;
}
