import { isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { producesOf, referencesOf, type Reference } from '../../kube/references/index.ts';
import type { FleetBuild, FleetObject } from './types.ts';

/** Something in a build that does no harm to the build and very likely harms what it is for. */
export interface Finding {
  readonly check: 'dangling-reference' | 'missing-key' | 'unmatched-patch';
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/** What is known of a Secret or ConfigMap: its keys, or undefined when only a store knows them. */
type Keys = ReadonlySet<string> | undefined;

/** ConfigMaps that every namespace gets from the cluster. */
const ALWAYS_THERE = new Set(['kube-root-ca.crt', 'openshift-service-ca.crt']);
/** What a generator appends to a name. */
const HASHED = /^(.+)-[a-z0-9]{10}$/;

/**
 * Looks through a build for workloads that name a Secret or ConfigMap which neither the build nor the controller of an
 * object in it makes, for keys that the named object has not, and for patches and replacements that select nothing.
 * Optional references are no findings. Values are not part of a finding.
 */
export function checkBuild(build: FleetBuild): Finding[] {
  const made = madeBy(build.objects);
  const hashed = hashedNames(made);
  return [
    ...build.warnings
      .filter(({ unmatched }) => unmatched === true)
      .map(({ message, file, line }): Finding => ({ check: 'unmatched-patch', message, ...positionOf({ file, line }) })),
    ...build.objects.flatMap((item) => referencesOf(item.object).flatMap((reference) => check(item, reference, made, hashed))),
  ];
}

function madeBy(objects: readonly FleetObject[]): ReadonlyMap<string, Keys> {
  const made = new Map<string, Keys>();
  for (const { object } of objects) {
    for (const { kind, namespace, name, keys } of producesOf(object)) {
      made.set(keyOf(kind, namespace, name), keys === undefined ? undefined : new Set(keys));
    }
    const { name = '', namespace = '' } = object.metadata;
    if (object.apiVersion === 'v1') made.set(keyOf(object.kind, namespace, name), keysIn(object));
  }
  return made;
}

function keysIn(object: KubeObject): Keys {
  const isToken = object['type'] === 'kubernetes.io/service-account-token';
  if (isToken) return undefined; // the cluster fills it
  const fields = [object['data'], object['stringData'], object['binaryData']];
  return new Set(fields.flatMap((field) => (isJsonObject(field) ? Object.keys(field) : [])));
}

/** The names without hash that generated objects would have, and the names they have. */
function hashedNames(made: ReadonlyMap<string, Keys>): ReadonlyMap<string, string> {
  return new Map(
    [...made.keys()].flatMap((key) => {
      const plain = HASHED.exec(key)?.[1];
      return plain === undefined ? [] : [[plain, key.slice(key.lastIndexOf('/') + 1)] as const];
    }),
  );
}

function check(
  { object, file, line }: FleetObject,
  reference: Reference,
  made: ReadonlyMap<string, Keys>,
  hashed: ReadonlyMap<string, string>,
): Finding[] {
  const { kind, namespace, name, keys = [], optional, path } = reference;
  if (optional || (kind === 'ConfigMap' && ALWAYS_THERE.has(name))) return [];
  const key = keyOf(kind, namespace, name);
  const who = `${object.kind} '${object.metadata.name ?? ''}'`;
  const where = positionOf({ file, line });
  if (!made.has(key)) {
    const generated = hashed.get(key);
    const more = generated === undefined ? '' : ` (the generated one is called '${generated}': kustomize does not know this field)`;
    return [
      { check: 'dangling-reference', message: `${who} names the ${kind} '${name}' at ${path}, which nothing here makes${more}`, ...where },
    ];
  }
  const known = made.get(key);
  return keys
    .filter((wanted) => known?.has(wanted) === false)
    .map((wanted) => ({
      check: 'missing-key',
      message: `${who} reads the key '${wanted}' of the ${kind} '${name}' at ${path}, which has no such key`,
      ...where,
    }));
}

/** Without a namespace an object lands in the default one. */
function keyOf(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace === '' ? 'default' : namespace}/${name}`;
}

function positionOf({ file, line }: { readonly file: string | undefined; readonly line: number | undefined }): {
  readonly file?: string;
  readonly line?: number;
} {
  return { ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
}
