import { messageOf } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import {
  ApiError,
  apiErrors,
  applyJsonPatch,
  cloneJson,
  deepEqual,
  isJsonObject,
  type Json,
  type KubeObject,
} from '../../kube/objects/index.ts';
import { defaultFields, toStorage, toVersion, type AdmissionRequest, type Environment, type Version } from '../registry/index.ts';
import { callWebhook, type ClientConfig, type WebhookServices } from './caller.ts';
import { conditionsHold, matchedVersion, objectOrNull, requestOf, type MatchCondition, type Matching } from './matching.ts';

const GROUP = 'admissionregistration.k8s.io';
const MUTATING = `mutatingwebhookconfigurations.${GROUP}`;
const VALIDATING = `validatingwebhookconfigurations.${GROUP}`;

export type WebhookEnvironment = Pick<Environment, 'store'> & { readonly world: World; readonly services: WebhookServices };

interface Webhook extends Matching {
  readonly name: string;
  readonly clientConfig: ClientConfig;
  readonly matchConditions?: readonly MatchCondition[];
  readonly failurePolicy?: string;
  readonly timeoutSeconds?: number;
  readonly sideEffects?: string;
  readonly reinvocationPolicy?: string;
  readonly admissionReviewVersions?: readonly string[];
}

interface Answer {
  readonly allowed: boolean;
  readonly patch?: unknown;
}

/** Mutating webhooks, one after the other by configuration name (ADM-01). @throws ApiError what a webhook refuses with, 400, 500 */
export function mutatingWebhooks(env: WebhookEnvironment, request: AdmissionRequest): Promise<void> | undefined {
  const hooks = webhooksOf(env, MUTATING, request);
  return hooks.length === 0 ? undefined : mutate(env, request, hooks);
}

/** Validating webhooks, all at once; the first refusal counts. On DELETE the mutating ones too, which can only refuse. */
export function validatingWebhooks(env: WebhookEnvironment, request: AdmissionRequest): Promise<void> | undefined {
  const hooks = webhooksOf(env, VALIDATING, request);
  const before = request.operation === 'DELETE' ? mutatingWebhooks(env, request) : undefined;
  if (hooks.length === 0) return before;
  const all = async (): Promise<void> => {
    await before;
    const outcomes = await Promise.allSettled(hooks.map((hook) => ask(env, request, hook)));
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    if (refused !== undefined) throw refused.reason;
  };
  return all();
}

function webhooksOf(env: WebhookEnvironment, resource: string, { context }: AdmissionRequest): Webhook[] {
  // Nobody may lock everybody out of the configurations.
  if (context.resource.group === GROUP && [MUTATING, VALIDATING].includes(`${context.resource.plural}.${GROUP}`)) return [];
  return env.store.list(resource).flatMap((configuration) => (configuration['webhooks'] ?? []) as Webhook[]);
}

async function mutate(env: WebhookEnvironment, request: AdmissionRequest, hooks: readonly Webhook[]): Promise<void> {
  const left = new Map<Webhook, KubeObject | undefined>();
  for (const hook of hooks) {
    const wasAsked = await mutateBy(env, request, hook);
    if (wasAsked && hook.reinvocationPolicy === 'IfNeeded') left.set(hook, cloneJson(request.object));
  }
  for (const [hook, object] of left) {
    if (!deepEqual(object, request.object)) await mutateBy(env, request, hook);
  }
}

/** Asks one webhook and does what it says to the object, in place. False: it doesn't see this request. */
async function mutateBy(env: WebhookEnvironment, request: AdmissionRequest, hook: Webhook): Promise<boolean> {
  const { resource, version } = request.context;
  const asked = await ask(env, request, hook);
  if (asked === undefined) return false;
  if (asked.answer.patch === undefined || request.object === undefined) return true;
  try {
    const shown = inVersion(request, asked.version, request.object);
    const patched = applyJsonPatch(shown as unknown as Json, asked.answer.patch) as unknown as KubeObject;
    const back = asked.version.name === version.name ? patched : toVersion(resource, version, toStorage(resource, patched));
    replace(request.object, cloneJson(defaultFields(resource, version, back)));
  } catch (error) {
    if (hook.failurePolicy === 'Ignore') return true;
    throw apiErrors.internal(`failed calling webhook "${hook.name}": the patch cannot be applied: ${messageOf(error)}`);
  }
  return true;
}

function replace(target: KubeObject, source: KubeObject): void {
  for (const key of Object.keys(target)) if (!Object.hasOwn(source, key)) delete target[key];
  Object.assign(target, source);
}

function inVersion({ context }: AdmissionRequest, version: Version, object: KubeObject): KubeObject {
  const { resource } = context;
  return version.name === context.version.name ? object : toVersion(resource, version, toStorage(resource, object));
}

/** Calls a webhook that matches. Undefined: it doesn't, or failed and may be ignored. @throws ApiError */
async function ask(
  env: WebhookEnvironment,
  request: AdmissionRequest,
  hook: Webhook,
): Promise<{ answer: Answer; version: Version } | undefined> {
  const version = matchedVersion(env, request, hook);
  if (version === undefined) return undefined;
  const show = (object: KubeObject | undefined): unknown =>
    objectOrNull(object === undefined ? undefined : cloneJson(inVersion(request, version, object)));
  const uid = env.world.random.uuid();
  const objects = { object: show(request.object), oldObject: show(request.old) };
  const review = { ...requestOf(request, version, uid), ...objects };
  if (!isWanted(hook, review, objects)) return undefined;
  if (request.context.dryRun && hook.sideEffects !== 'None' && hook.sideEffects !== 'NoneOnDryRun') {
    throw apiErrors.badRequest(`admission webhook "${hook.name}" does not support dry run`);
  }
  let answer: Answer;
  try {
    const body = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: review };
    const response = await callWebhook(env, hook.clientConfig, body, (hook.timeoutSeconds ?? 10) * 1000);
    answer = readAnswer(request, hook, response, uid);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (hook.failurePolicy === 'Ignore') return undefined;
    throw apiErrors.internal(`failed calling webhook "${hook.name}": failed to call webhook: ${messageOf(error)}`);
  }
  return { answer, version };
}

function isWanted(hook: Webhook, request: unknown, objects: Readonly<Record<string, unknown>>): boolean {
  try {
    return conditionsHold(hook.matchConditions, { ...objects, request });
  } catch (error) {
    if (hook.failurePolicy === 'Ignore') return false;
    throw apiErrors.of(
      403,
      'Forbidden',
      `admission webhook "${hook.name}": a match condition cannot be evaluated: ${messageOf(error)}`,
      {},
    );
  }
}

/** @throws ApiError the refusal; Error when the answer is none */
function readAnswer({ context }: AdmissionRequest, hook: Webhook, review: unknown, uid: string): Answer {
  if (!isJsonObject(review) || review['kind'] !== 'AdmissionReview' || review['apiVersion'] !== 'admission.k8s.io/v1') {
    throw new Error('expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview');
  }
  const { response } = review;
  if (!isJsonObject(response)) throw new Error('webhook response is absent');
  if (response['uid'] !== uid) throw new Error('expected response.uid to be that of the request');
  if (Array.isArray(response['warnings']))
    for (const warning of response['warnings']) if (typeof warning === 'string') context.warn(warning);
  if (response['allowed'] !== true) throw refusal(hook.name, response['status']);
  const { patch, patchType } = response;
  if (patch === undefined || patch === '' || patch === null) return { allowed: true };
  if (patchType !== 'JSONPatch' || typeof patch !== 'string') throw new Error('webhook returned a patch of an unsupported type');
  return { allowed: true, patch: JSON.parse(Buffer.from(patch, 'base64').toString()) as unknown };
}

function refusal(name: string, given: unknown): ApiError {
  const status = isJsonObject(given) ? given : {};
  const text = (field: string): string => (typeof status[field] === 'string' ? status[field] : '');
  const [message, reason] = [text('message'), text('reason')];
  const why = message !== '' ? `: ${message}` : reason === '' ? ' without explanation' : `: ${reason}`;
  const code = typeof status['code'] === 'number' && status['code'] >= 400 ? status['code'] : 400;
  const error = apiErrors.of(code, reason, `admission webhook "${name}" denied the request${why}`, {});
  if (reason === '') delete error.status.reason;
  return error;
}
