import { apiErrors, type KubeObject } from '../../kube/objects/index.ts';
import {
  applyObject,
  asPatchError,
  apiVersionIn,
  createObject,
  deletedStatus,
  deleteObject,
  deleteObjects,
  fieldSelector,
  futureRevision,
  labelSelector,
  listObjects,
  openWatch,
  parseRevision,
  patchObject,
  PATCH_TYPES,
  readCurrent,
  replaceObject,
  reportDuplicates,
  toVersion,
  type PatchType,
  type Selector,
  type WriteContext,
} from '../registry/index.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { hasBody, mediaType, readBody, unsupported } from './body.ts';
import { checkWriteOptions, deleteOptionsOf, managerOf, watchOptions } from './options.ts';
import { isTrue } from './requestInfo.ts';
import { reviewFor } from './reviews.ts';
import { readScale, writeScale } from './scale.ts';

type Run = (call: Call) => Promise<Answer> | Answer;

const VERBS: Readonly<Record<string, Run>> = { get, list, watch, create, update, patch, delete: remove, deletecollection };

/** Runs the verb of a resource request. @throws ApiError */
export async function runVerb(call: Call): Promise<Answer> {
  const run = VERBS[call.info.verb];
  if (run === undefined || !isAllowed(call)) throw apiErrors.methodNotAllowed(call.resource, call.info.verb);
  const { deprecation } = call.version;
  if (deprecation !== undefined) call.warn(deprecation);
  return run(call);
}

/** Verbs that make sense for the endpoint. */
function isAllowed({ info, resource }: Call): boolean {
  if (resource.rules.virtual === true) return info.verb === 'create' && info.name === '';
  if (info.subresource === 'token') return info.verb === 'create';
  if (info.subresource !== '') return ['get', 'update', 'patch'].includes(info.verb);
  if (info.verb === 'create') return info.name === '';
  if (info.verb === 'deletecollection') return resource.rules.noDeleteCollection !== true;
  return true;
}

function get(call: Call): Answer {
  const { env, info, resource, version } = call;
  const current = readCurrent(env, { resource, version, namespace: info.namespace }, info.name);
  if (current === undefined) throw apiErrors.notFound(resource, info.name);
  if (info.subresource === 'scale') return readScale(call, current.object);
  return { kind: 'object', status: 200, object: current.object, resource, version };
}

interface Selection {
  readonly selects: Selector;
  readonly hasSelector: boolean;
  readonly namespace?: string;
}

function selection({ request, info, resource, version }: Call): Selection {
  const labels = request.query.get('labelSelector') ?? '';
  const fields = request.query.get('fieldSelector') ?? '';
  const byLabel = labelSelector(labels);
  const byField = fieldSelector(resource, version, fields);
  const isNamed = info.name !== '' && fields === '';
  return {
    selects: (stored) => {
      if (isNamed && stored.metadata.name !== info.name) return false;
      // Fields are those of the version that was asked for.
      return byLabel(stored) && (fields === '' || byField(toVersion(resource, version, stored)));
    },
    hasSelector: labels !== '' || fields !== '' || isNamed,
    ...(resource.namespaced && info.namespace !== '' ? { namespace: info.namespace } : {}),
  };
}

function list(call: Call): Answer {
  const { env, request, resource, version } = call;
  const { query } = request;
  if (query.has('sendInitialEvents')) {
    throw apiErrors.invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      { reason: 'FieldValueForbidden', field: 'sendInitialEvents', message: 'Forbidden: sendInitialEvents is forbidden for list' },
    ]);
  }
  const result = listObjects(env.store, {
    resource: resource.storeName,
    ...selection(call),
    limit: integer(query, 'limit'),
    continueToken: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    match: query.get('resourceVersionMatch') ?? '',
  });
  return { kind: 'list', list: result, resource, version };
}

/** @throws ApiError 400 */
function integer(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return 0;
  if (!/^-?\d+$/.test(text)) throw apiErrors.badRequest(`${name}: expected an integer`);
  return Number(text);
}

function watch(call: Call): Answer {
  const { env, request, resource, version } = call;
  const { store, world } = env;
  const { query } = request;
  const { initialEvents } = watchOptions(query);
  const wanted = parseRevision('ListOptions', query.get('resourceVersion') ?? '');
  if (initialEvents && wanted > store.revision) throw futureRevision(wanted, store.revision);
  const stream = openWatch(
    { store, clock: world.clock, random: world.random },
    {
      resource: resource.storeName,
      apiVersion: apiVersionIn(resource, version),
      kind: resource.kind,
      ...selection(call),
      // Who wants neither a state nor a start point sees what comes from now on.
      resourceVersion: wanted === 0 && !initialEvents ? store.revision : wanted,
      bookmarks: isTrue(query.get('allowWatchBookmarks')),
      initialEvents,
      timeoutMs: integer(query, 'timeoutSeconds') * 1000,
      signal: request.signal,
    },
  );
  call.opened(stream, resource.storeName);
  return { kind: 'watch', frames: stream.frames, resource, version };
}

function contextOf(call: Call, options: string): WriteContext {
  const { info, user, resource, version, request, warn, annotate } = call;
  const { dryRun, fieldValidation } = checkWriteOptions(request.query, options);
  return {
    resource,
    version,
    user,
    namespace: info.namespace,
    name: info.name,
    subresource: info.subresource,
    dryRun,
    manager: managerOf(request),
    fieldValidation,
    warn,
    annotate,
  };
}

async function create(call: Call): Promise<Answer> {
  const { env, request, resource, version } = call;
  if (Object.values(PATCH_TYPES).some((type) => type === mediaType(request)))
    throw unsupported(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']);
  const { value, duplicates } = await readBody(request);
  const { subresource, namespace, name } = call.info;
  if (subresource === 'token') {
    return { kind: 'object', status: 201, object: await call.tokens.request({ namespace, name }, value), resource, version };
  }
  const review = await reviewFor(call, value);
  if (review !== undefined) return { kind: 'object', status: 201, object: review, resource, version };
  const context = contextOf(call, 'CreateOptions');
  reportDuplicates(context, duplicates);
  const object = await createObject(env, context, value);
  return { kind: 'object', status: 201, object, resource, version };
}

async function update(call: Call): Promise<Answer> {
  const { env, request, info, resource, version } = call;
  if (info.name === '') throw apiErrors.methodNotAllowed(resource, 'update');
  const context = contextOf(call, 'UpdateOptions');
  const { value, duplicates } = await readBody(request);
  reportDuplicates(context, duplicates);
  if (info.subresource === 'scale') return writeScale(call, context, () => value);
  const { object, created } = await replaceObject(env, context, value, () => call.alsoNeeds('create'));
  return { kind: 'object', status: created ? 201 : 200, object, resource, version };
}

async function patch(call: Call): Promise<Answer> {
  const { env, request, info, resource, version } = call;
  if (info.name === '') throw apiErrors.methodNotAllowed(resource, 'patch');
  const type = patchTypeOf(call);
  const force = request.query.get('force');
  checkWriteOptions(request.query, 'PatchOptions', { isPatch: true, isApply: type === 'apply' });
  const context = contextOf(call, 'PatchOptions');
  const { value: body, duplicates } = await readBody(request);
  reportInPatch(context, type, duplicates);
  if (info.subresource === 'scale') return writeScale(call, context, { type, patch: body });
  const written =
    type === 'apply'
      ? await applyObject(env, context, body, isTrue(force), () => call.alsoNeeds('create'))
      : await patchObject(env, context, type, body);
  return { kind: 'object', status: written.created ? 201 : 200, object: written.object, resource, version };
}

/** @throws ApiError 400 for apply, 422 for other patches, in strict mode */
function reportInPatch(context: WriteContext, type: PatchType, duplicates: readonly string[]): void {
  try {
    reportDuplicates(context, duplicates);
  } catch (error) {
    throw type === 'apply' ? error : asPatchError(context, error);
  }
}

/** @throws ApiError 415 */
function patchTypeOf({ request, resource }: Call): PatchType {
  const type = mediaType(request);
  const accepted = Object.entries(PATCH_TYPES).filter(([name]) => !resource.custom || name !== 'strategic');
  const found = accepted.find(([, media]) => media === type);
  if (found === undefined) throw unsupported(accepted.map(([, media]) => media));
  return found[0] as PatchType;
}

async function remove(call: Call): Promise<Answer> {
  const { env, info, resource, version, request } = call;
  const body = hasBody(request) ? (await readBody(request)).value : undefined;
  const { options, dryRun } = deleteOptionsOf(request.query, body);
  const context = { ...contextOf(call, 'DeleteOptions'), name: info.name, dryRun };
  const { gone, object } = await deleteObject(env, context, options);
  if (gone && resource.rules.returnsDeleted !== true) return { kind: 'status', status: deletedStatus(context, object) };
  const status = !gone && options.orphanDependents === false ? 202 : 200;
  return { kind: 'object', status, object, resource, version };
}

async function deletecollection(call: Call): Promise<Answer> {
  const { env, request, resource, version } = call;
  const body = hasBody(request) ? (await readBody(request)).value : undefined;
  const { options, dryRun } = deleteOptionsOf(request.query, body);
  const found = list(call);
  if (found.kind !== 'list') throw apiErrors.internal('a list was expected');
  const base = contextOf(call, 'DeleteOptions');
  const contextFor = (object: KubeObject): WriteContext => ({
    ...base,
    dryRun,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
  });
  const items = await deleteObjects(env, contextFor, found.list.items, options);
  return { kind: 'list', list: { resourceVersion: String(env.store.revision), items }, resource, version };
}
