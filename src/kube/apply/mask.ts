import { MASK } from '../../base/sensitive/index.ts';
import { messageOf } from '../../base/errors/index.ts';
import { ApiError, cloneJson, isJsonObject, type KubeObject } from '../objects/index.ts';

/** Reasons whose texts an API server makes of names, users and verbs only. */
const PLAIN_REASONS = new Set(['NotFound', 'Forbidden', 'Unauthorized', 'AlreadyExists', 'MethodNotAllowed', 'NotAcceptable', 'Expired']);

const isSecret = (object: Pick<KubeObject, 'apiVersion' | 'kind'>): boolean => object.apiVersion === 'v1' && object.kind === 'Secret';

/**
 * The text of an error about an object. About Secrets nothing that the server may have quoted from the object
 * is repeated: an invalid Secret is told by its fields, and any value of it that still occurs is masked
 * (flux/SSA-15, DEC-12).
 */
export function maskedMessage(error: unknown, object: KubeObject): string {
  if (!isSecret(object)) return messageOf(error);
  const reason = error instanceof ApiError ? (error.status.reason ?? '') : '';
  if (PLAIN_REASONS.has(reason)) return maskValues(messageOf(error), object);
  const causes = error instanceof ApiError ? (error.status.details?.causes ?? []) : [];
  const fields = causes.flatMap((cause) => (cause.field === undefined || cause.field === '' ? [] : [`${cause.field}: ${MASK}`]));
  if (fields.length > 0) return maskValues([...new Set(fields)].join(', '), object);
  return error instanceof ApiError && reason !== 'Invalid' && reason !== 'BadRequest' && reason !== ''
    ? maskValues(messageOf(error), object)
    : `the API server refused the Secret; its answer is not repeated, as it may quote a value`;
}

const SHORTEST_MASKED = 3;

function maskValues(text: string, object: KubeObject): string {
  const values = ['data', 'stringData'].flatMap((field) => {
    const map = object[field];
    return isJsonObject(map) ? Object.values(map).filter((value) => typeof value === 'string') : [];
  });
  const spellings = values.flatMap((value) => [value, Buffer.from(value, 'base64').toString('utf8')]);
  return spellings
    .filter((value) => value.length >= SHORTEST_MASKED)
    .toSorted((a, b) => b.length - a.length)
    .reduce((masked, value) => masked.replaceAll(value, MASK), text);
}

/**
 * Copies of the two sides of a difference that are safe to show. Values of a Secret become `***` where both
 * sides agree, `*** (before)` and `*** (after)` where they differ (flux/SSA-15). Other kinds come back as they are.
 */
export function maskedPair(before: KubeObject | undefined, after: KubeObject): { before: KubeObject | undefined; after: KubeObject } {
  if (!isSecret(after)) return { before, after };
  const [first, second] = [before === undefined ? undefined : cloneJson(before), cloneJson(after)];
  for (const field of ['data', 'stringData']) maskField(first, second, field);
  // kubectl keeps a whole copy of the Secret in an annotation.
  for (const copy of [first, second]) {
    const annotations = copy?.metadata.annotations;
    if (annotations !== undefined && Object.hasOwn(annotations, LAST_APPLIED)) annotations[LAST_APPLIED] = MASK;
  }
  return { before: first, after: second };
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

function maskField(before: KubeObject | undefined, after: KubeObject, field: string): void {
  const [old, next] = [before?.[field], after[field]];
  const [oldValues, nextValues] = [isJsonObject(old) ? old : {}, isJsonObject(next) ? next : {}];
  const masked = (side: 'before' | 'after', key: string): string => {
    const isBoth = Object.hasOwn(oldValues, key) && Object.hasOwn(nextValues, key);
    return isBoth && oldValues[key] !== nextValues[key] ? `${MASK} (${side})` : MASK;
  };
  const maskAll = (values: object, side: 'before' | 'after'): Record<string, string> =>
    Object.fromEntries(Object.keys(values).map((key) => [key, masked(side, key)]));
  const [oldMasked, nextMasked] = [maskAll(oldValues, 'before'), maskAll(nextValues, 'after')];
  if (before !== undefined && isJsonObject(old)) before[field] = oldMasked;
  if (isJsonObject(next)) after[field] = nextMasked;
}
