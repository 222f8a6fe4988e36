import { isJsonObject } from '../objects/index.ts';

/** A value found in an object, and where: `spec.volumes[0].secret`. */
export interface Found {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Everything that a pattern finds: field names joined by `.`, `[]` behind a field for every item of its list. An
 * empty pattern finds the value itself.
 */
export function find(root: unknown, pattern: string): Found[] {
  if (pattern === '') return [{ path: '', value: root }];
  return pattern.split('.').reduce<Found[]>((found, step) => found.flatMap((place) => enter(place, step)), [{ path: '', value: root }]);
}

function enter({ path, value }: Found, step: string): Found[] {
  const isList = step.endsWith('[]');
  const field = isList ? step.slice(0, -2) : step;
  if (!isJsonObject(value) || !Object.hasOwn(value, field)) return [];
  const at = path === '' ? field : `${path}.${field}`;
  const child: unknown = value[field];
  if (!isList) return [{ path: at, value: child }];
  return Array.isArray(child) ? child.map((item, index) => ({ path: `${at}[${index}]`, value: item as unknown })) : [];
}

/** Objects anywhere inside whose field name ends in `SecretRef` or `secretRef` and that name something. */
export function findSecretRefs(root: Found): Found[] {
  const { path, value } = root;
  if (Array.isArray(value)) return value.flatMap((item, index) => findSecretRefs({ path: `${path}[${index}]`, value: item as unknown }));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([field, child]) => {
    const at = `${path}.${field}`;
    const isRef = /[sS]ecretRef$/.test(field) && isJsonObject(child) && typeof child['name'] === 'string';
    return isRef ? [{ path: at, value: child }] : findSecretRefs({ path: at, value: child });
  });
}

/** The text that a pattern finds first; undefined for an empty one. */
export function textAt(root: unknown, pattern: string): string | undefined {
  const value = find(root, pattern)[0]?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** All texts that a pattern finds; for a pattern ending in `{}`, the keys of the map. */
export function textsAt(root: unknown, pattern: string): string[] {
  if (!pattern.endsWith('{}')) return find(root, pattern).flatMap(({ value }) => (typeof value === 'string' ? [value] : []));
  return find(root, pattern.slice(0, -2)).flatMap(({ value }) => (isJsonObject(value) ? Object.keys(value) : []));
}
