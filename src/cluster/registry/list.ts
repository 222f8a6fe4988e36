import { apiErrors, type KubeObject } from '../../kube/objects/index.ts';
import { keyOf, type Store } from '../store/index.ts';
import type { Selector } from './selectors.ts';

export interface ListRequest {
  /** Name in the store. */
  readonly resource: string;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  readonly selects: Selector;
  /** Whether `selects` can leave anything out. */
  readonly hasSelector: boolean;
  readonly limit: number;
  readonly continueToken: string;
  readonly resourceVersion: string;
  readonly match: string;
}

export interface ListResult {
  readonly resourceVersion: string;
  readonly items: readonly KubeObject[];
  readonly continue?: string;
  readonly remaining?: number;
}

interface Token {
  /** -1: the latest state. */
  readonly rv: number;
  /** The last key that was answered. */
  readonly start: string;
}

/** The text of a continue token: opaque to clients. */
function encodeContinue(token: Token): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', ...token })).toString('base64url');
}

/** @throws ApiError 400 */
function decodeContinue(text: string): Token {
  const broken = apiErrors.badRequest('continue key is not valid');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    throw broken;
  }
  const { v, rv, start } = (parsed ?? {}) as { v?: unknown; rv?: unknown; start?: unknown };
  if (v !== 'meta.k8s.io/v1' || typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || typeof start !== 'string') throw broken;
  return { rv, start };
}

/** @throws ApiError 400, 422 for values that are not revisions */
export function parseRevision(kind: string, text: string): number {
  if (text === '' || text === '0') return 0;
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw apiErrors.invalid({ group: 'meta.k8s.io', kind }, '', [
      { reason: 'FieldValueInvalid', field: 'resourceVersion', message: `Invalid value: ${JSON.stringify(text)}: must be a number` },
    ]);
  }
  return Number(text);
}

/** The 504 answer for a revision that hasn't happened yet. */
export function futureRevision(wanted: number, current: number): Error {
  return apiErrors.timeout(`Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/**
 * Answers a list with the semantics of resourceVersion, limit and continue (LIST-03, LIST-04).
 *
 * @throws ApiError 400, 410, 422, 504
 */
export function listObjects(store: Store, request: ListRequest): ListResult {
  const { continueToken, resourceVersion, match } = request;
  checkOptions(request);
  if (continueToken !== '') return continued(store, request, decodeContinue(continueToken));
  const wanted = parseRevision('ListOptions', resourceVersion);
  if (wanted > store.revision) throw futureRevision(wanted, store.revision);
  const isExact = wanted > 0 && match === 'Exact' && wanted < store.revision;
  const objects = isExact ? store.listAt(request.resource, wanted, request.namespace) : store.list(request.resource, request.namespace);
  return page(request, objects, isExact ? wanted : store.revision);
}

function continued(store: Store, request: ListRequest, token: Token): ListResult {
  const { resource, namespace } = request;
  const at = token.rv < 0 ? store.revision : token.rv;
  if (at > store.revision) throw futureRevision(at, store.revision);
  let objects: readonly KubeObject[];
  try {
    objects = at === store.revision ? store.list(resource, namespace) : store.listAt(resource, at, namespace);
  } catch {
    throw expiredToken(token);
  }
  const rest = objects.filter((object) => storeKey(object) > token.start);
  return page(request, rest, at);
}

function page(request: ListRequest, objects: readonly KubeObject[], revision: number): ListResult {
  const { limit, selects, hasSelector } = request;
  const resourceVersion = String(revision);
  const selected = hasSelector ? objects.filter(selects) : objects;
  if (limit <= 0 || selected.length <= limit) return { resourceVersion, items: selected };
  const items = selected.slice(0, limit);
  const last = items.at(-1);
  return {
    resourceVersion,
    items,
    continue: encodeContinue({ rv: revision, start: last === undefined ? '' : storeKey(last) }),
    ...(hasSelector ? {} : { remaining: selected.length - limit }),
  };
}

function storeKey(object: KubeObject): string {
  return keyOf(object.metadata.namespace ?? '', object.metadata.name ?? '');
}

function expiredToken(token: Token): Error {
  const error = apiErrors.expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  error.status.metadata.continue = encodeContinue({ rv: -1, start: token.start });
  return error;
}

function checkOptions({ continueToken, resourceVersion, match }: ListRequest): void {
  if (continueToken !== '' && resourceVersion !== '' && resourceVersion !== '0') {
    throw apiErrors.badRequest('specifying resource version is not allowed when using continue');
  }
  if (match === '') return;
  const forbidden = matchProblem(continueToken, resourceVersion, match);
  if (forbidden === undefined) return;
  throw apiErrors.invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [{ field: 'resourceVersionMatch', ...forbidden }]);
}

function matchProblem(continueToken: string, resourceVersion: string, match: string): { reason: string; message: string } | undefined {
  const forbidden = (detail: string): { reason: string; message: string } => ({
    reason: 'FieldValueForbidden',
    message: `Forbidden: ${detail}`,
  });
  if (continueToken !== '') return forbidden('resourceVersionMatch is forbidden when continue is provided');
  if (resourceVersion === '') return forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    return {
      reason: 'FieldValueNotSupported',
      message: `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    };
  }
  if (match === 'Exact' && resourceVersion === '0') return forbidden('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
  return undefined;
}
