import { isJsonObject, type KubeObject } from '../../../kube/objects/index.ts';
import { age } from './duration.ts';

/** A column and how its cell is made. `now` is in milliseconds. */
export interface Column {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 1: shown with `-o wide` only. */
  readonly priority?: number;
  cell(object: KubeObject, now: number): unknown;
}

export const NONE = '<none>';
export const UNSET = '<unset>';

/** The value at a path, or undefined. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let current: unknown = value;
  for (const step of path) {
    if (Array.isArray(current) && typeof step === 'number') current = current[step] as unknown;
    else current = isJsonObject(current) && Object.hasOwn(current, step) ? current[step] : undefined;
  }
  return current;
}

export function textAt(value: unknown, ...path: readonly (string | number)[]): string {
  const found = at(value, ...path);
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : '';
}

export function numberAt(value: unknown, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' ? found : 0;
}

export function listAt(value: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

export function sizeAt(value: unknown, ...path: readonly (string | number)[]): number {
  const found = at(value, ...path);
  return isJsonObject(found) ? Object.keys(found).length : 0;
}

/** Items joined by commas, or `<none>`. */
export function joined(items: readonly string[], empty: string = NONE): string {
  return items.length === 0 ? empty : items.join(',');
}

/** `a=b,c=d` of a map, or `<none>`. */
export function pairs(map: unknown): string {
  if (!isJsonObject(map)) return NONE;
  return joined(
    Object.keys(map)
      .toSorted()
      .map((key) => `${key}=${textAt(map, key)}`),
  );
}

/** A label selector in text form (metav1.FormatLabelSelector). */
export function selectorText(selector: unknown, empty: string = NONE): string {
  if (!isJsonObject(selector)) return empty;
  const labels = isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {};
  const expressions = listAt(selector, 'matchExpressions').map((expression) => {
    const [key, operator] = [textAt(expression, 'key'), textAt(expression, 'operator')];
    const values = listAt(expression, 'values').map(String).toSorted().join(',');
    switch (operator) {
      case 'In':
        return `${key} in (${values})`;
      case 'NotIn':
        return `${key} notin (${values})`;
      case 'Exists':
        return key;
      default:
        return `!${key}`;
    }
  });
  return joined([...Object.keys(labels).map((key) => `${key}=${textAt(labels, key)}`), ...expressions].toSorted(), empty);
}

export const name: Column = { name: 'Name', type: 'string', format: 'name', cell: (object) => object.metadata.name ?? '' };
export const ageColumn: Column = { name: 'Age', type: 'string', cell: ({ metadata }, now) => age(metadata.creationTimestamp, now) };
export const createdAt: Column = { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp ?? null };

/** A column whose cell is text. */
export function text(title: string, cell: (object: KubeObject, now: number) => unknown): Column {
  return { name: title, type: 'string', cell };
}

/** A column whose cell is an integer. */
export function integer(title: string, cell: (object: KubeObject) => number): Column {
  return { name: title, type: 'integer', cell };
}

/** The same columns, shown with `-o wide` only. */
export function wide(...columns: readonly Column[]): Column[] {
  return columns.map((column) => ({ ...column, priority: 1 }));
}

/** Containers, images and the selector of a workload. */
export function workloadColumns(containersPath: readonly string[], selector?: (object: KubeObject) => string): Column[] {
  const containers = (object: KubeObject): readonly unknown[] => listAt(object, ...containersPath);
  return wide(
    text('Containers', (object) =>
      containers(object)
        .map((each) => textAt(each, 'name'))
        .join(','),
    ),
    text('Images', (object) =>
      containers(object)
        .map((each) => textAt(each, 'image'))
        .join(','),
    ),
    ...(selector === undefined ? [] : [text('Selector', selector)]),
  );
}

export const TEMPLATE_CONTAINERS = ['spec', 'template', 'spec', 'containers'] as const;
