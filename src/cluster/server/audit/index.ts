/**
 * The record of who did what (AUD-01, AUD-02; apiserver:pkg/audit).
 *
 * @module
 */
import { messageOf } from '../../../base/errors/index.ts';
import type { Log } from '../../../base/log/index.ts';
import type { World } from '../../../base/world/index.ts';
import type { ApiRequest, ApiResponse, UserInfo } from '../../../kube/client/index.ts';
import { isJsonObject } from '../../../kube/objects/index.ts';
import type { Decision } from '../../registry/index.ts';
import { readBody } from '../body.ts';
import type { RequestInfo } from '../requestInfo.ts';
import { DEFAULT_POLICY, verdictFor, type Verdict } from './policy.ts';
import type { AuditEvent, AuditOptions, AuditStage } from './types.ts';

export { parseAuditPolicy } from './policy.ts';
export { auditFile } from './sink.ts';
export type { AuditEvent, AuditLevel, AuditOptions, AuditPolicy, AuditRule, AuditSink } from './types.ts';

/** What became known of a request on its way. */
export interface Trace {
  readonly id: string;
  info?: RequestInfo;
  caller?: UserInfo;
  /** Differs from the caller when somebody is impersonated. */
  user?: UserInfo;
  decision?: Decision;
  /** What steps of the request noted. */
  readonly annotations: Map<string, string>;
  /** The server failed, not the request. */
  failed?: boolean;
}

const ID_HEADER = 'audit-id';
const MAX_ID = 64;
/** The server listens on the loopback interface only. */
const SOURCE = '127.0.0.1';

/**
 * Starts traces of requests. A trace's id is the client's when it sent one; else a UUID whose last part counts, which
 * costs nothing and draws nothing from the world's random numbers.
 */
function traceStarter(world: World): (request: ApiRequest) => Trace {
  const prefix = world.random.uuid().slice(0, -12);
  let count = 0;
  return ({ headers }) => {
    const given = (headers[ID_HEADER] ?? '').replaceAll(/[^!-~]/g, '').slice(0, MAX_ID);
    return { id: given === '' ? `${prefix}${(++count).toString(16).padStart(12, '0')}` : given, annotations: new Map() };
  };
}

/** Records requests. */
export interface Auditor {
  /** A request came. */
  readonly start: (request: ApiRequest) => Trace;
  /** The caller is known. */
  received(request: ApiRequest, trace: Trace): void;
  /** Records the answer, of a watch also its end, and tells the id. */
  answered(request: ApiRequest, trace: Trace, response: ApiResponse): Promise<ApiResponse>;
}

export function createAuditor(world: World, log: Log, options: AuditOptions | undefined): Auditor {
  const start = traceStarter(world);
  const tell = (_request: ApiRequest, { id }: Trace, response: ApiResponse): ApiResponse => ({
    ...response,
    headers: { ...response.headers, [ID_HEADER]: id },
  });
  if (options === undefined) {
    return { start, received: () => {}, answered: (request, trace, response) => Promise.resolve(tell(request, trace, response)) };
  }
  const { sink, policy = DEFAULT_POLICY } = options;
  const started = new WeakMap<Trace, number>();
  const startOf = (trace: Trace): number => {
    const known = started.get(trace);
    if (known !== undefined) return known;
    started.set(trace, world.clock.now());
    return world.clock.now();
  };
  const write = (request: ApiRequest, trace: Trace, stage: AuditStage, content: object, verdict: Verdict): void => {
    if (verdict.level === 'None' || verdict.omitStages.includes(stage)) return;
    const times = { requestReceivedTimestamp: micro(startOf(trace)), stageTimestamp: micro(world.clock.now()) };
    const event = { ...headOf(request, trace, stage, verdict), ...content, ...times, ...annotationsOf(trace) };
    try {
      sink.write(event);
    } catch (error) {
      // The request has happened: that its record could not be kept must not change the answer.
      log.error('audit record not written', { auditID: trace.id, error: messageOf(error) });
    }
  };
  const verdict = ({ caller, info }: Trace): Verdict =>
    info === undefined ? { level: 'Metadata', omitStages: [], omitManagedFields: false } : verdictFor(policy, caller ?? NOBODY, info);
  return {
    start,
    received: (request, trace) => {
      startOf(trace);
      write(request, trace, 'RequestReceived', {}, verdict(trace));
    },
    answered: async (request, trace, response) => {
      const judged = verdict(trace);
      const told = tell(request, trace, response);
      if (judged.level === 'None') return told;
      const content = await contentOf(request, response, trace.info, judged);
      if (response.body.kind === 'stream') {
        write(request, trace, 'ResponseStarted', content, judged);
        const ended = (): void => write(request, trace, 'ResponseComplete', content, judged);
        return { ...told, body: { kind: 'stream', frames: followed(response.body.frames, ended) } };
      }
      const isStranger = trace.caller === undefined;
      write(request, trace, trace.failed === true ? 'Panic' : isStranger ? 'ResponseStarted' : 'ResponseComplete', content, judged);
      return told;
    },
  };
}

const NOBODY: UserInfo = { username: '', groups: [] };

async function* followed(frames: AsyncIterable<unknown>, ended: () => void): AsyncGenerator<unknown> {
  try {
    yield* frames;
  } finally {
    ended();
  }
}

function headOf(request: ApiRequest, { id, info, caller, user }: Trace, stage: AuditStage, { level }: Verdict): AuditEvent {
  const query = request.query.toString();
  const path = request.path.split('/').map(encodeURIComponent).join('/');
  const agent = request.headers['user-agent'];
  return {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level,
    auditID: id,
    stage,
    requestURI: query === '' ? path : `${path}?${query}`,
    verb: info?.verb ?? request.method.toLowerCase(),
    user: shown(caller ?? NOBODY),
    ...(user === undefined || user === caller ? {} : { impersonatedUser: shown(user) }),
    sourceIPs: [SOURCE],
    ...(agent === undefined ? {} : { userAgent: agent }),
    ...(info?.isResource === true ? { objectRef: referenceOf(info) } : {}),
  };
}

function shown({ username, uid, groups, extra }: UserInfo): object {
  return { username, ...(uid === undefined ? {} : { uid }), groups, ...(extra === undefined ? {} : { extra }) };
}

function referenceOf({ resource, namespace, name, group, version, subresource }: RequestInfo): Record<string, string> {
  return given({ resource, namespace, name, apiGroup: group, apiVersion: version, subresource });
}

function given(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).filter((field): field is [string, string] => typeof field[1] === 'string' && field[1] !== ''),
  );
}

/** What the path doesn't tell of the object: the name that it got, and the uid and version that were sent. */
function named(reference: unknown, answer: unknown, sent: unknown): object {
  if (!isJsonObject(reference)) return {};
  const metadataOf = (value: unknown): Readonly<Record<string, unknown>> =>
    isJsonObject(value) && isJsonObject(value['metadata']) ? value['metadata'] : {};
  const { uid, resourceVersion } = metadataOf(sent);
  return { objectRef: { ...given({ name: metadataOf(answer)['name'] }), ...given({ uid, resourceVersion }), ...reference } };
}

/** What the level allows of request and answer. The reference gets what only the objects tell. */
async function contentOf(request: ApiRequest, response: ApiResponse, info: RequestInfo | undefined, verdict: Verdict): Promise<object> {
  const { level, omitManagedFields } = verdict;
  const reference = info?.isResource === true ? referenceOf(info) : undefined;
  const answer = response.body.kind === 'json' ? response.body.value : undefined;
  const isStatus = isJsonObject(answer) && answer['kind'] === 'Status';
  const status = isStatus ? pick(answer, ['status', 'message', 'reason', 'details']) : {};
  const responseStatus = { metadata: {}, ...status, code: response.status };
  if (level === 'Metadata') return { ...named(reference, answer, undefined), responseStatus };
  const trim = omitManagedFields ? withoutManagedFields : (value: unknown): unknown => value;
  const sent = await readBody(request).catch(() => ({ value: undefined }));
  return {
    ...named(reference, answer, sent.value),
    responseStatus,
    ...(sent.value === undefined ? {} : { requestObject: trim(sent.value) }),
    ...(level === 'RequestResponse' && answer !== undefined ? { responseObject: trim(answer) } : {}),
  };
}

function pick(object: Readonly<Record<string, unknown>>, fields: readonly string[]): object {
  return Object.fromEntries(fields.filter((field) => object[field] !== undefined).map((field) => [field, object[field]]));
}

function withoutManagedFields(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  if (Array.isArray(value['items'])) return { ...value, items: value['items'].map(withoutManagedFields) };
  if (!isJsonObject(value['metadata'])) return value;
  const { managedFields: _, ...metadata } = value['metadata'];
  return { ...value, metadata };
}

function annotationsOf({ decision, annotations }: Trace): object {
  if (decision === undefined) return {};
  return {
    annotations: {
      'authorization.k8s.io/decision': decision.allowed ? 'allow' : 'forbid',
      'authorization.k8s.io/reason': decision.reason ?? '',
      ...Object.fromEntries(annotations),
    },
  };
}

/** RFC 3339 with microseconds. */
function micro(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000Z`;
}
