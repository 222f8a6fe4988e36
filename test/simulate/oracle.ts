/** What must be in the cluster for a commit: found by building it directly, without any controller. */
import { memoryTree } from '../../src/base/files/index.ts';
import { buildFleet, type KustomizationSpec } from '../../src/build/fleet/index.ts';
import type { KubeObject } from '../../src/kube/objects/index.ts';

/** Object key → the object as built; undefined for a Kustomization whose build fails: what it had stays. */
export interface Expectation {
  /** Kustomization name → its objects by key. */
  readonly apps: ReadonlyMap<string, ReadonlyMap<string, KubeObject> | undefined>;
}

export const ROOT_PATH = './clusters/sim';

export function objectKey(object: KubeObject): string {
  return `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}

/** Builds the root and every Kustomization in it. */
export async function expect(files: ReadonlyMap<string, string>): Promise<Expectation> {
  const tree = memoryTree(files);
  const build = async (name: string, spec: KustomizationSpec): Promise<Map<string, KubeObject> | undefined> => {
    try {
      const built = await buildFleet({ tree, spec, owner: { namespace: 'flux-system', name } });
      return new Map(built.objects.map(({ object }) => [objectKey(object), object]));
    } catch {
      return undefined; // a broken build is part of the scenario: nothing new is expected of it
    }
  };
  const root = (await build('flux-system', { path: ROOT_PATH })) ?? new Map<string, KubeObject>();
  const apps = new Map<string, Map<string, KubeObject> | undefined>([['flux-system', root]]);
  for (const object of root.values()) {
    apps.set(object.metadata.name ?? '', await build(object.metadata.name ?? '', object['spec'] as KustomizationSpec));
  }
  return { apps };
}

/** The keys of every object that a commit wants; those of broken builds are taken from `before`. */
export function wantedKeys(expectation: Expectation, before: Expectation | undefined): Set<string> {
  const keys = new Set<string>();
  for (const [name, objects] of expectation.apps) {
    for (const key of (objects ?? before?.apps.get(name) ?? new Map<string, KubeObject>()).keys()) keys.add(key);
  }
  return keys;
}

/** Why a live object is not what was built, or undefined. Only fields that the build sets are compared. */
export function difference(built: KubeObject, live: KubeObject): string | undefined {
  for (const field of ['data', 'stringData', 'spec']) {
    const want = field === 'stringData' ? encoded(built['stringData']) : built[field];
    const have = field === 'stringData' ? live['data'] : live[field];
    if (want !== undefined && !includes(want, have)) return field;
  }
  return undefined;
}

function encoded(stringData: unknown): unknown {
  if (stringData === undefined) return undefined;
  return Object.fromEntries(
    Object.entries(stringData as Record<string, string>).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
}

function includes(want: unknown, have: unknown): boolean {
  if (Array.isArray(want)) return Array.isArray(have) && want.length === have.length && want.every((item, i) => includes(item, have[i]));
  if (typeof want === 'object' && want !== null) {
    return (
      typeof have === 'object' &&
      have !== null &&
      Object.entries(want).every(([key, value]) => includes(value, (have as Record<string, unknown>)[key]))
    );
  }
  return want === have;
}
