import type { UserInfo } from '../../kube/client/index.ts';
import { cloneJson, isConflict, isNotFound, type KubeObject } from '../../kube/objects/index.ts';
import type { StoreKey } from '../store/index.ts';
import { deleteObject, type DeleteOptions } from './delete.ts';
import type { Environment, Resource, WriteContext } from './types.ts';
import { writeChange } from './update.ts';

const SYSTEM: UserInfo = { username: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] };

/** The context of a write that the server itself makes, in the storage version. */
export function systemContext(
  resource: Resource,
  namespace: string,
  name: string,
  options: { manager?: string; subresource?: string } = {},
): WriteContext {
  const version = resource.versions.find((each) => each.name === resource.storageVersion) ??
    resource.versions[0] ?? { name: resource.storageVersion, status: false };
  return {
    resource,
    version,
    user: SYSTEM,
    namespace,
    name,
    subresource: options.subresource ?? '',
    dryRun: false,
    manager: options.manager ?? 'kube-controller-manager',
    fieldValidation: 'Ignore',
    warn: () => {},
  };
}

/** Deletes a stored object as the server itself. False when it is gone or has another uid already. */
export async function systemDelete(env: Environment, key: StoreKey, options: DeleteOptions): Promise<boolean> {
  const resource = env.catalog.byStoreName(key.resource);
  if (resource === undefined) return false;
  try {
    await deleteObject(env, systemContext(resource, key.namespace, key.name), options);
    return true;
  } catch (error) {
    if (isNotFound(error) || isConflict(error)) return false;
    throw error;
  }
}

/**
 * Changes a stored object as the server itself. `change` edits a copy and answers whether to write it. Nothing
 * happens when the object is gone.
 */
export async function systemUpdate(
  env: Environment,
  key: StoreKey,
  options: { readonly manager?: string; readonly subresource?: string },
  change: (object: KubeObject) => boolean,
): Promise<void> {
  const resource = env.catalog.byStoreName(key.resource);
  const stored = env.store.get(key);
  if (resource === undefined || stored === undefined || !change(cloneJson(stored))) return;
  try {
    await writeChange(env, systemContext(resource, key.namespace, key.name, options), {
      make: (live) => {
        const next = cloneJson(live as KubeObject);
        change(next);
        return next;
      },
      tracked: false,
      mayCreate: () => false,
      retries: true,
      isPut: false,
    });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
