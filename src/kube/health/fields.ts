import { isJsonObject, type KubeObject } from '../objects/index.ts';

/** A condition of any object, as far as it is well formed. */
export interface LooseCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

/** The value at a path such as `status.replicas`; undefined where the way is blocked. */
export function fieldOf(object: KubeObject, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, step) => (isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined), object);
}

/** An integer field; `otherwise` when it is absent or no integer. */
export function integerOf(object: KubeObject, path: string, otherwise: number): number {
  const value = fieldOf(object, path);
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'number' && Number.isInteger(value) ? value : otherwise;
}

/** A text field; `otherwise` when it is absent or no text. */
export function textOf(object: KubeObject, path: string, otherwise = ''): string {
  const value = fieldOf(object, path);
  return typeof value === 'string' ? value : otherwise;
}

/** `status.conditions` in list order, whatever the kind stores in them besides. */
export function conditionsOf(object: KubeObject): LooseCondition[] {
  const conditions = fieldOf(object, 'status.conditions');
  if (!Array.isArray(conditions)) return [];
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  return conditions
    .filter(isJsonObject)
    .map(({ type, status, reason, message }) => ({ type: text(type), status: text(status), reason: text(reason), message: text(message) }));
}
