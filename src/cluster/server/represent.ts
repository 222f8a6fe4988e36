import type { ApiResponse } from '../../kube/client/index.ts';
import type { KubeObject, Status } from '../../kube/objects/index.ts';
import { apiVersionIn, toVersion, type Frame, type ListResult, type Resource, type Version } from '../registry/index.ts';
import type { Answer } from './answer.ts';
import type { Wanted } from './negotiate.ts';
import { tableOf, type RowObject } from './columns/table.ts';

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };

/** What represents an answer needs to know of the request. */
export interface Look {
  readonly wanted: Wanted;
  /** `includeObject` of table requests. */
  readonly rowObject: RowObject;
  /** Milliseconds since the epoch, for ages. */
  readonly now: () => number;
}

/** Shows an answer as object, table or metadata only. */
export function represent(answer: Answer, look: Look): ApiResponse {
  switch (answer.kind) {
    case 'object':
      return json(answer.status, representObject(answer.resource, answer.version, answer.object, look));
    case 'list':
      return json(200, representList(answer.resource, answer.version, answer.list, look));
    case 'watch':
      return { status: 200, headers: JSON_HEADERS, body: { kind: 'stream', frames: representFrames(answer, look) } };
    case 'status':
      return statusResponse(answer.status);
    default:
      return documentResponse(answer);
  }
}

function json(status: number, value: unknown): ApiResponse {
  return { status, headers: JSON_HEADERS, body: { kind: 'json', value } };
}

function documentResponse({ status = 200, body, headers = {} }: Extract<Answer, { kind: 'document' }>): ApiResponse {
  if (body === undefined) return { status, headers, body: { kind: 'none' } };
  if (typeof body === 'string')
    return {
      status,
      headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
      body: { kind: 'bytes', bytes: new TextEncoder().encode(body) },
    };
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: { kind: 'json', value: body } };
}

/** A Status as an answer, with the headers that belong to it. */
export function statusResponse(status: Status): ApiResponse {
  const code = status.code ?? 200;
  const retry = status.details?.retryAfterSeconds;
  const headers = {
    ...JSON_HEADERS,
    ...(retry === undefined || ![429, 503].includes(code) ? {} : { 'retry-after': String(retry) }),
    ...(code === 403 ? { 'x-content-type-options': 'nosniff' } : {}),
  };
  return { status: code, headers, body: { kind: 'json', value: status } };
}

function representObject(resource: Resource, version: Version, object: KubeObject, look: Look): unknown {
  const { form } = look.wanted;
  if (form === 'table') return tableOf(resource, version, [object], look, { resourceVersion: object.metadata.resourceVersion ?? '' });
  return form === 'partial' ? partial(object, look) : object;
}

function listMeta(list: ListResult): Record<string, unknown> {
  return {
    resourceVersion: list.resourceVersion,
    ...(list.continue === undefined ? {} : { continue: list.continue }),
    ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
  };
}

function representList(resource: Resource, version: Version, list: ListResult, look: Look): unknown {
  const metadata = listMeta(list);
  const items = list.items.map((object) => toVersion(resource, version, object));
  const { form } = look.wanted;
  if (form === 'table') return tableOf(resource, version, items, look, metadata);
  if (form === 'partial') {
    const partials = items.map((object) => partial(object, look));
    return { kind: 'PartialObjectMetadataList', apiVersion: metaVersion(look), metadata, items: partials };
  }
  const apiVersion = apiVersionIn(resource, version);
  return { kind: resource.listKind, apiVersion, metadata, items: resource.custom ? items : items.map(untyped) };
}

/** Items of built-in lists come without kind and apiVersion (LIST-02). */
function untyped({ apiVersion: _a, kind: _k, ...rest }: KubeObject): unknown {
  return rest;
}

function partial(object: KubeObject, look: Look): unknown {
  return { kind: 'PartialObjectMetadata', apiVersion: metaVersion(look), metadata: object.metadata };
}

async function* representFrames({ frames, resource, version }: Extract<Answer, { kind: 'watch' }>, look: Look): AsyncGenerator<unknown> {
  let isFirst = true;
  for await (const frame of frames) {
    yield { type: frame.type, object: frameObject(resource, version, frame, look, isFirst) };
    isFirst = false;
  }
}

function frameObject(resource: Resource, version: Version, { type, object }: Frame, look: Look, isFirst: boolean): unknown {
  if (type === 'ERROR') return object;
  if (type === 'BOOKMARK') return bookmark(object as KubeObject, look);
  const shown = toVersion(resource, version, object as KubeObject);
  if (look.wanted.form !== 'table') return representObject(resource, version, shown, look);
  const table = tableOf(resource, version, [shown], look, { resourceVersion: shown.metadata.resourceVersion ?? '' });
  return isFirst ? table : { ...table, columnDefinitions: null };
}

function bookmark(object: KubeObject, look: Look): unknown {
  const { form } = look.wanted;
  if (form === 'table') return { kind: 'Table', apiVersion: metaVersion(look), metadata: object.metadata, columnDefinitions: [], rows: [] };
  return form === 'partial' ? partial(object, look) : object;
}

function metaVersion({ wanted }: Look): string {
  return `meta.k8s.io/${wanted.version ?? 'v1'}`;
}
