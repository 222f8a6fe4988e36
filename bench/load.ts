import { Pool } from 'undici';

export interface LoadResult {
  readonly perSecond: number;
  readonly p99: number;
  readonly requests: number;
}

/** Sends requests on `connections` connections for `seconds`, one at a time on each, and measures them. */
export async function load(options: {
  readonly origin: string;
  readonly headers: Record<string, string>;
  readonly connections: number;
  readonly seconds: number;
  readonly request: (n: number) => { method: 'GET' | 'POST' | 'PATCH'; path: string; body?: string; contentType?: string };
  readonly expect: number;
}): Promise<LoadResult> {
  const pool = new Pool(options.origin, { connections: options.connections, connect: { rejectUnauthorized: false } });
  const times: number[] = [];
  let n = 0;
  const end = performance.now() + options.seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const { method, path, body, contentType = 'application/json' } = options.request(n++);
      const start = performance.now();
      const response = await pool.request({
        method,
        path,
        headers: { ...options.headers, 'content-type': contentType },
        ...(body === undefined ? {} : { body }),
      });
      const text = await response.body.text();
      if (response.statusCode !== options.expect) throw new Error(`status ${response.statusCode}: ${text.slice(0, 200)}`);
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
