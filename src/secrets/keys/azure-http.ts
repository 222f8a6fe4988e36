import type { ClientSecretCredentialOptions } from '@azure/identity';

import type { World } from '../../base/world/index.ts';
import { causeCode } from './aws-client.ts';

type HttpClient = NonNullable<ClientSecretCredentialOptions['httpClient']>;
type HttpHeaders = Awaited<ReturnType<HttpClient['sendRequest']>>['headers'];

/** The network of Azure's SDK, by way of the world. */
export function azureHttpClient(world: World): HttpClient {
  return {
    sendRequest: async (request) => {
      const late = new AbortController();
      const timer = request.timeout > 0 ? world.clock.after(request.timeout, () => late.abort()) : undefined;
      const signals = request.abortSignal instanceof AbortSignal ? [request.abortSignal, late.signal] : [late.signal];
      try {
        const response = await world.fetch(request.url, {
          method: request.method,
          headers: request.headers.toJSON(),
          redirect: 'error',
          ...(typeof request.body === 'string' ? { body: request.body } : {}),
          signal: AbortSignal.any(signals),
        });
        return { request, status: response.status, headers: headersOf(response), bodyAsText: await response.text() };
      } catch (error) {
        // fetch says "fetch failed" only; what is wrong stands in its cause
        throw new Error(`cannot reach ${new URL(request.url).host} ${causeCode(error)}`.trim(), { cause: error });
      } finally {
        timer?.cancel();
      }
    },
  };
}

function headersOf({ headers }: Response): HttpHeaders {
  const map = new Map(headers);
  return {
    get: (name) => map.get(name.toLowerCase()),
    has: (name) => map.has(name.toLowerCase()),
    set: (name, value) => void map.set(name.toLowerCase(), String(value)),
    delete: (name) => void map.delete(name.toLowerCase()),
    toJSON: () => Object.fromEntries(map),
    [Symbol.iterator]: () => map[Symbol.iterator](),
  };
}
