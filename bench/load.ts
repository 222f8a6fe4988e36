import { Pool } from 'undici';

export interface LoadResult {
  readonly perSecond: number;
  readonly p99: number;
  readonly requests: number;
}

export interface LoadOptions {
  readonly origin: string;
  /** Credentials. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly until: { readonly seconds: number } | { readonly requests: number };
  readonly request: (n: number) => { method: 'GET' | 'POST' | 'PATCH'; path: string; body?: string; contentType?: string };
}

/**
 * Sends requests on `connections` connections, one at a time on each, and measures them.
 *
 * @throws Error when an answer is no success
 */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const pool = new Pool(options.origin, { connections: options.connections, connect: { rejectUnauthorized: false } });
  const times: number[] = [];
  let n = 0;
  const { until } = options;
  const end = 'seconds' in until ? performance.now() + until.seconds * 1000 : Infinity;
  const most = 'requests' in until ? until.requests : Infinity;
  const worker = async (): Promise<void> => {
    while (n < most && performance.now() < end) {
      const { method, path, body, contentType = 'application/json' } = options.request(n++);
      const start = performance.now();
      const response = await pool.request({
        method,
        path,
        headers: { ...options.headers, 'content-type': contentType },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.body.text();
      if (response.statusCode >= 300) throw new Error(`status ${response.statusCode}: ${text.slice(0, 200)}`);
      times.push(performance.now() - start);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: options.connections }, worker));
  const took = (performance.now() - began) / 1000;
  await pool.close();
  return {
    perSecond: times.length / took,
    p99: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN,
    requests: times.length,
  };
}
