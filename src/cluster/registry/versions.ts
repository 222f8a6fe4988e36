import { apiVersionOf, type KubeObject } from '../../kube/objects/index.ts';
import { convertBuiltin } from './conversions.ts';
import { completeStored } from './schemas.ts';
import type { Resource, Version } from './types.ts';

/** The apiVersion of objects of this version. */
export function apiVersionIn(resource: Resource, version: { readonly name: string }): string {
  return apiVersionOf({ group: resource.group, version: version.name });
}

/** A stored object as this version shows it. Frozen objects stay as they are when nothing differs. */
export function toVersion(resource: Resource, version: Version, stored: KubeObject): KubeObject {
  const apiVersion = apiVersionIn(resource, version);
  if (!resource.custom) return stored.apiVersion === apiVersion ? stored : convertBuiltin(stored, apiVersion);
  const complete = completeStored(resource, version, stored);
  return complete.apiVersion === apiVersion ? complete : { ...complete, apiVersion };
}

/** An object of any version in the version that is stored. */
export function toStorage(resource: Resource, object: KubeObject): KubeObject {
  const storeGroup = resource.storeName === 'events' ? '' : resource.group;
  const apiVersion = apiVersionOf({ group: storeGroup, version: resource.storageVersion });
  if (object.apiVersion === apiVersion) return object;
  return resource.custom ? { ...object, apiVersion } : convertBuiltin(object, apiVersion);
}
