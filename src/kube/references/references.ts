import { isJsonObject, parseApiVersion, type GroupKind, type KubeObject } from '../objects/index.ts';
import { CONSUMERS, type ConsumerRow } from './consumers.ts';
import { PRODUCERS, type ProducerRow } from './producers.ts';
import { find, findSecretRefs, textAt, textsAt, type Found } from './walk.ts';

/** One field of an object that names a Secret or a ConfigMap. */
export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  /** The keys that are read; absent when it may be any. */
  readonly keys?: readonly string[];
  /** The object says that it does without. */
  readonly optional: boolean;
  /** The field, such as `spec.template.spec.volumes[0].secret`. */
  readonly path: string;
}

/** A Secret that the controller of an object writes. */
export interface Product {
  readonly kind: 'Secret';
  readonly namespace: string;
  readonly name: string;
  /** The keys that the object names; absent when only the store knows. */
  readonly keys?: readonly string[];
}

/**
 * What an object consumes, in the order of the table. A name may occur several times, once for each field.
 * Kinds that are not in the table consume nothing.
 */
export function referencesOf(object: KubeObject): Reference[] {
  return (CONSUMERS.get(keyOf(object)) ?? []).flatMap((row) => placesOf(object, row).flatMap((place) => referenceAt(object, row, place)));
}

/** What the controller of an object writes. */
export function producesOf(object: KubeObject): Product[] {
  return (PRODUCERS.get(keyOf(object)) ?? []).flatMap((row) => productsOf(object, row));
}

/** All kinds that {@link referencesOf} knows. */
export function consumedKinds(): GroupKind[] {
  return [...CONSUMERS.keys()].map((key) => {
    const slash = key.lastIndexOf('/');
    return { group: slash < 0 ? '' : key.slice(0, slash), kind: key.slice(slash + 1) };
  });
}

function keyOf(object: KubeObject): string {
  const { group } = parseApiVersion(object.apiVersion);
  return group === '' ? object.kind : `${group}/${object.kind}`;
}

function placesOf(object: KubeObject, { at, deep }: ConsumerRow): Found[] {
  const found = find(object, at);
  return deep === true ? found.flatMap(findSecretRefs) : found;
}

function referenceAt(object: KubeObject, row: ConsumerRow, { path, value }: Found): Reference[] {
  const name = textAt(value, row.name ?? 'name');
  const kind = row.to === 'kind' ? (textAt(value, 'kind') ?? 'Secret') : row.to;
  if (name === undefined || (kind !== 'Secret' && kind !== 'ConfigMap')) return [];
  const keys = keysAt(value, row);
  return [
    {
      kind,
      namespace: textAt(value, 'namespace') ?? textAt(value, 'secretNamespace') ?? object.metadata.namespace ?? '',
      name,
      ...(keys === undefined ? {} : { keys }),
      optional: isJsonObject(value) && value['optional'] === true,
      path,
    },
  ];
}

/** The keys that the reference names itself; in references found by name of their field, `key` says it. */
function keysAt(value: unknown, row: ConsumerRow): readonly string[] | undefined {
  const named = textsAt(value, row.keys ?? (row.deep === true ? 'key' : ''));
  return named.length > 0 && row.name !== '' ? named : row.defaultKeys;
}

function productsOf(object: KubeObject, row: ProducerRow): Product[] {
  return find(object, row.at ?? '').flatMap(({ value }) => {
    const name = row.names.map((pattern) => textAt(value, pattern)).find((found) => found !== undefined);
    if (name === undefined) return [];
    const keys = [...new Set([...(row.keys ?? []).flatMap((pattern) => textsAt(value, pattern)), ...(row.fixedKeys ?? [])])];
    const namespace = row.namespace === undefined ? undefined : textAt(value, row.namespace);
    return [{ kind: 'Secret', namespace: namespace ?? object.metadata.namespace ?? '', name, ...(keys.length === 0 ? {} : { keys }) }];
  });
}
