import { messageOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { stringifyJson } from '../../kube/objects/index.ts';
import type { Environment } from '../registry/index.ts';

/** Answers an AdmissionReview; `path` is that of the service reference. */
export type WebhookHandler = (review: unknown, path: string, signal: AbortSignal) => unknown;

/** Where the services of webhooks really are: by `namespace/name`, a handler, or the URL of a port. */
export type WebhookServices = Readonly<Record<string, WebhookHandler | string>>;

export interface ClientConfig {
  readonly url?: string;
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number };
}

type Callers = Pick<Environment, 'store'> & { readonly world: World; readonly services: WebhookServices };

/**
 * Sends an AdmissionReview to a webhook and answers what it says. There is no cluster network: services without a
 * handler or a port can't be reached (ADM-02).
 *
 * @throws SottoError WEBHOOK_CALL
 */
export async function callWebhook(env: Callers, client: ClientConfig, review: unknown, timeoutMs: number): Promise<unknown> {
  const { clock } = env.world;
  const seconds = `${Math.round(timeoutMs / 1000)}s`;
  const url = withTimeout(urlOf(client), seconds);
  const aborter = new AbortController();
  const fail = (why: string, cause?: unknown): SottoError => new SottoError('WEBHOOK_CALL', `Post "${url}": ${why}`, { cause });
  let timer: { cancel(): void } | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(timeoutMs, () => {
      reject(fail('context deadline exceeded'));
      aborter.abort();
    });
  });
  try {
    return await Promise.race([answerOf(env, client, url, review, aborter.signal, fail), late]);
  } catch (error) {
    throw error instanceof SottoError && error.code === 'WEBHOOK_CALL' ? error : fail(messageOf(error), error);
  } finally {
    timer?.cancel();
  }
}

type Fail = (why: string) => SottoError;

async function answerOf(
  env: Callers,
  client: ClientConfig,
  url: string,
  review: unknown,
  signal: AbortSignal,
  fail: Fail,
): Promise<unknown> {
  const { service } = client;
  const path = service?.path ?? '/';
  const key = service === undefined ? '' : `${service.namespace}/${service.name}`;
  const target = service === undefined ? url : Object.hasOwn(env.services, key) ? env.services[key] : undefined;
  if (typeof target === 'function') return target(structuredClone(review), path, signal);
  if (service !== undefined && target === undefined) {
    const isStored = env.store.get({ resource: 'services', namespace: service.namespace, name: service.name }) !== undefined;
    throw fail(isStored ? `no endpoints available for service "${service.name}"` : `service "${service.name}" not found`);
  }
  const to = service === undefined ? url : new URL(path, target).href;
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  return env.world.outside(async () => {
    const response = await env.world.fetch(to, { method: 'POST', headers, body: stringifyJson(review), signal });
    if (!response.ok) throw fail(`the server answered ${response.status}`);
    const answer: unknown = await response.json();
    return answer;
  });
}

function urlOf({ url, service }: ClientConfig): string {
  if (service === undefined) return url ?? '';
  return `https://${service.name}.${service.namespace}.svc:${service.port ?? 443}${service.path ?? '/'}`;
}

function withTimeout(url: string, timeout: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}timeout=${timeout}`;
}
