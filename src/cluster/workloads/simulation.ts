import { createHash } from 'node:crypto';

import { messageOf } from '../../base/errors/index.ts';
import { cloneJson, deepEqual, isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { createObject, systemContext, systemDelete, systemUpdate, timestamp, type LoopContext, type StoreKey } from '../registry/index.ts';

export type Fields = Record<string, unknown>;

/** The field as a map; empty when it is none. */
export const fields = (value: unknown): Fields => (isJsonObject(value) ? value : {});
export const list = (value: unknown): Fields[] => (Array.isArray(value) ? value.map(fields) : []);
export const specOf = (object: KubeObject): Fields => fields(object['spec']);
export const statusOf = (object: KubeObject): Fields => fields(object['status']);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const integer = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

export const PODS = 'pods';
/** The one node. */
export const NODE = 'sotto-node';

/** What a controller of workloads sees of the cluster, and its ways to change it. */
export interface Simulation {
  readonly now: () => number;
  readonly timestamp: () => string;
  get(resource: string, namespace: string, name: string): KubeObject | undefined;
  list(resource: string, namespace?: string): readonly KubeObject[];
  /** Objects of a resource that `owner` controls. */
  owned(resource: string, owner: KubeObject): KubeObject[];
  create(resource: string, object: KubeObject): Promise<KubeObject | undefined>;
  /** Edits in place and writes when something changed. */
  update(resource: string, object: KubeObject, edit: (object: KubeObject) => void): Promise<void>;
  writeStatus(resource: string, object: KubeObject, status: Fields): Promise<void>;
  remove(resource: string, object: KubeObject): Promise<void>;
  /** What the scheduler does through `pods/binding`, which no update of a Pod may do. */
  bind(pod: KubeObject): void;
  /** Looks at an object again after a while. */
  later(resource: string, object: KubeObject, ms: number): void;
}

/** The simulation's hands. `later` is the loop's. */
export function simulation({ env, log }: LoopContext, later: (key: StoreKey, ms: number) => void): Simulation {
  const manager = 'kube-controller-manager';
  const keyOf = (resource: string, { metadata }: KubeObject): StoreKey => ({
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
  });
  const update = (resource: string, object: KubeObject, subresource: string, edit: (object: KubeObject) => void): Promise<void> =>
    systemUpdate(env, keyOf(resource, object), { manager, subresource }, (copy) => {
      if (copy.metadata.uid !== object.metadata.uid) return false;
      const before = cloneJson(copy);
      edit(copy);
      return !deepEqual(before, copy);
    });
  return {
    now: () => env.world.clock.now(),
    timestamp: () => timestamp(env),
    get: (resource, namespace, name) => env.store.get({ resource, namespace, name }),
    list: (resource, namespace) => env.store.list(resource, namespace),
    owned: (resource, owner) =>
      env.store
        .list(resource, owner.metadata.namespace ?? '')
        .filter(({ metadata }) =>
          metadata.ownerReferences?.some(({ uid, controller }) => uid === owner.metadata.uid && controller === true),
        ),
    create: async (storeName, object) => {
      const resource = env.catalog.byStoreName(storeName);
      const { namespace = '', name = '' } = object.metadata;
      if (resource === undefined || (name !== '' && env.store.get({ resource: storeName, namespace, name }) !== undefined))
        return undefined;
      try {
        return await createObject(env, systemContext(resource, namespace, name, { manager }), object);
      } catch (error) {
        // As real controllers do, it is tried again when something changes: a namespace that goes, a template that is refused.
        log.debug('workload simulation', { resource: storeName, namespace, name, error: messageOf(error) });
        return undefined;
      }
    },
    update: (resource, object, edit) => update(resource, object, '', edit),
    writeStatus: (resource, object, status) =>
      deepEqual(statusOf(object), status)
        ? Promise.resolve()
        : update(resource, object, 'status', (copy) => void (copy['status'] = status)),
    remove: async (resource, object) => {
      const uid = object.metadata.uid ?? '';
      if (object.metadata.deletionTimestamp !== undefined) return;
      await systemDelete(env, keyOf(resource, object), { preconditions: { uid }, orphanDependents: false });
    },
    bind: (pod) => {
      const key = keyOf(PODS, pod);
      const stored = env.store.get(key);
      if (stored === undefined || stored.metadata.uid !== pod.metadata.uid) return;
      const bound = cloneJson(stored);
      bound['spec'] = { ...specOf(bound), nodeName: NODE };
      env.store.put(key, bound, stored);
    },
    later: (resource, object, ms) => later(keyOf(resource, object), ms),
  };
}

/** Letters and digits that look like the hashes of Kubernetes, of the JSON text of a value. */
export function shortHash(value: unknown): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const bytes = createHash('sha256').update(JSON.stringify(value)).digest();
  return [...bytes.subarray(0, 10)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/** The reference of a controller's child. */
export function controlledBy(owner: KubeObject): NonNullable<KubeObject['metadata']['ownerReferences']> {
  const { apiVersion, kind, metadata } = owner;
  return [{ apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true }];
}

/** A Pod made of a template; `labels` come on top of the template's. */
export function podFrom(
  owner: KubeObject,
  name: { name: string } | { generateName: string },
  labels: Record<string, string> = {},
): KubeObject {
  const { metadata, spec } = fields(specOf(owner)['template']);
  const given = fields(metadata);
  // Scheduled from the start, which is a write less, unless the scheduler has to look for claims.
  const needsClaims = list(fields(spec)['volumes']).some((volume) => volume['persistentVolumeClaim'] !== undefined);
  return cloneJson({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...name,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...(fields(given['labels']) as Record<string, string>), ...labels },
      ...(given['annotations'] === undefined ? {} : { annotations: fields(given['annotations']) as Record<string, string> }),
      ...(given['finalizers'] === undefined ? {} : { finalizers: given['finalizers'] as string[] }),
      ownerReferences: controlledBy(owner),
    },
    spec: { ...fields(spec), ...(needsClaims ? {} : { nodeName: NODE }) },
  });
}

export const phaseOf = (pod: KubeObject): unknown => statusOf(pod)['phase'];
export const isGoing = ({ metadata }: KubeObject): boolean => metadata.deletionTimestamp !== undefined;
export const isActive = (pod: KubeObject): boolean => !isGoing(pod) && phaseOf(pod) !== 'Succeeded' && phaseOf(pod) !== 'Failed';
export const isReady = (pod: KubeObject): boolean =>
  !isGoing(pod) && list(statusOf(pod)['conditions']).some(({ type, status }) => type === 'Ready' && status === 'True');
