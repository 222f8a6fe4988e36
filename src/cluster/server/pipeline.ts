import type { ApiRequest, ApiResponse, UserInfo } from '../../kube/client/index.ts';
import { messageOf } from '../../base/errors/index.ts';
import type { Log } from '../../base/log/index.ts';
import { ApiError, apiErrors } from '../../kube/objects/index.ts';
import type { Attributes, Environment, WatchStream } from '../registry/index.ts';
import type { Answer } from './answer.ts';
import type { Auditor, Trace } from './audit/index.ts';
import { viewAt } from './at.ts';
import { authenticate, type Authenticator } from './authenticate.ts';
import { refuse } from './authorize.ts';
import { answerDocument } from './documents.ts';
import { withExplanation } from './explain.ts';
import { impersonate } from './impersonate.ts';
import type { Limiter } from './limits.ts';
import { negotiate } from './negotiate.ts';
import { represent, statusResponse } from './represent.ts';
import { parseRequestInfo, type RequestInfo } from './requestInfo.ts';
import type { Tokens } from './tokens/index.ts';
import type { RowObject } from './columns/table.ts';
import { runVerb } from './verbs.ts';
import { warnings, type Warnings } from './warnings.ts';

export interface PipelineOptions {
  readonly env: Environment;
  readonly authenticators: readonly Authenticator[];
  readonly tokens: Tokens;
  readonly auditor: Auditor;
  readonly limiter: Limiter;
  readonly log: Log;
  readonly opened: (stream: WatchStream, storeName: string) => void;
}

/**
 * Answers one request: parse → authenticate → impersonate → limit → authorise → route → verb → commit → respond →
 * audit. Never throws: every failure is a Status.
 */
export async function handleRequest(options: PipelineOptions, request: ApiRequest): Promise<ApiResponse> {
  const trace = options.auditor.start(request);
  const warned = warnings();
  let response: ApiResponse;
  try {
    response = await answerRequest(options, request, trace, warned);
  } catch (error) {
    trace.failed = !(error instanceof ApiError);
    response = statusResponse(asApiError(options.log, request, error).status);
  }
  return options.auditor.answered(request, trace, explained(options.env, request, trace, warned.addTo(response)));
}

async function answerRequest(given: PipelineOptions, original: ApiRequest, trace: Trace, warned: Warnings): Promise<ApiResponse> {
  const { env, request } = viewAt(given.env, original);
  const options = { ...given, env };
  const { auditor, limiter } = options;
  const info = parseRequestInfo(request.method, request.path, request.query);
  trace.info = info;
  const caller = await authenticate(request, options.authenticators);
  trace.caller = caller;
  auditor.received(request, trace);
  const user = await impersonate(request.headers, caller, env.authorize);
  trace.user = user;
  const answer = async (): Promise<ApiResponse> => {
    await authorizeRequest(env, user, info, trace);
    const answered = await route(options, request, { user, info, trace, warned });
    await env.store.committed();
    return respond(env, request, answered);
  };
  return limiter.run(request, { verb: info.verb, user: caller }, answer);
}

/** Adds why the request was allowed or not, when the caller asks. */
function explained(env: Environment, request: ApiRequest, { user, info }: Trace, response: ApiResponse): ApiResponse {
  if (user === undefined || info === undefined) return response;
  return withExplanation(response, request, env.authorize, () => attributesOf(user, info));
}

async function authorizeRequest(env: Environment, user: UserInfo, info: RequestInfo, trace?: Trace): Promise<void> {
  const attributes = attributesOf(user, info);
  const decision = await env.authorize(attributes);
  if (trace !== undefined) trace.decision = decision;
  if (!decision.allowed) throw refuse(attributes, decision);
}

function attributesOf(user: UserInfo, info: RequestInfo): Attributes {
  const { verb, group, version, resource, subresource, namespace, name, path, isResource } = info;
  return { user, verb, group, version, resource, subresource, namespace, name, ...(isResource ? {} : { path }) };
}

interface Routed {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly trace: Trace;
  readonly warned: Warnings;
}

async function route(options: PipelineOptions, request: ApiRequest, { user, info, trace, warned }: Routed): Promise<Answer> {
  const { env } = options;
  if (!info.isResource) return (await options.tokens.document(info.path)) ?? answerDocument(env, request, info);
  const resource = env.catalog.find(info.group, info.resource);
  const version = resource?.versions.find(({ name }) => name === info.version);
  const isKnown = resource !== undefined && (info.subresource === '' || resource.subresources.includes(info.subresource));
  if (version === undefined || !isKnown) throw unknownPath();
  if (resource.namespaced && info.namespace === '' && !['list', 'watch'].includes(info.verb)) throw unknownPath();
  if (!resource.namespaced && info.namespace !== '' && info.resource !== 'namespaces') throw unknownPath();
  return runVerb({
    env,
    request,
    info,
    user,
    resource,
    version,
    tokens: options.tokens,
    authenticators: options.authenticators,
    warn: (message) => warned.add(message),
    annotate: (key, value) => void trace.annotations.set(key, value),
    opened: (stream, storeName) => options.opened(stream, storeName),
    alsoNeeds: (verb) => authorizeRequest(env, user, { ...info, verb }),
  });
}

function unknownPath(): ApiError {
  return apiErrors.of(404, 'NotFound', 'the server could not find the requested resource', {});
}

function respond(env: Environment, request: ApiRequest, answer: Answer): ApiResponse {
  const needsForm = answer.kind === 'object' || answer.kind === 'list' || answer.kind === 'watch';
  const include = request.query.get('includeObject') ?? '';
  if (!ROW_OBJECTS.has(include)) throw apiErrors.badRequest(`invalid includeObject value ${JSON.stringify(include)}`);
  return represent(answer, {
    wanted: needsForm ? negotiate(request.headers['accept']) : { form: 'object' },
    rowObject: (include === '' ? 'Metadata' : include) as RowObject,
    now: () => env.world.clock.now(),
  });
}

const ROW_OBJECTS = new Set(['', 'None', 'Metadata', 'Object']);

/** What is not an API error is ours: it is logged, and answered without details that may hold secrets. */
function asApiError(log: Log, request: ApiRequest, error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  log.error('request failed', { method: request.method, path: request.path, error: messageOf(error) });
  return apiErrors.internal('the server failed to answer; see its log');
}
