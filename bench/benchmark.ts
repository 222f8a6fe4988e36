/** What a benchmark is, and the two ways to take a number that every group shares. */
import { Bench } from 'tinybench';

export interface Benchmark {
  readonly name: string;
  readonly unit: 'ms' | 's' | '/s' | 'MB' | 'requests';
  /** `below` and `atMost` bound the value, `ratio` its quotient by the reference from below. */
  readonly target?: { readonly below: number } | { readonly atMost: number } | { readonly ratio: number };
  measure(): Promise<Measured>;
}

export interface Measured {
  readonly value: number;
  /** The same work by a floor or a peer, in the same unit. */
  readonly reference?: { readonly name: string; readonly value: number };
}

/** The benchmarks of one file. What they share is started when first needed, and ends with the scope. */
export type Group = (scope: AsyncDisposableStack) => readonly Benchmark[];

/** A value that is made at most once. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Median milliseconds of a function in this process, warm. `after` runs outside the measured time. */
export async function timeFunction(
  run: () => unknown,
  options: { readonly time?: number; readonly after?: () => Promise<void> } = {},
): Promise<number> {
  const { time = 1000, after } = options;
  const bench = new Bench({ time, iterations: 16, throws: true });
  const hooks = after === undefined ? {} : { afterEach: after };
  // Without `async` given, tinybench calls the function once more to see what it returns, without the hooks.
  const [task] = (await bench.add('it', async () => void (await run()), { async: true, ...hooks }).run()) ?? [];
  if (task?.result.state !== 'completed') throw new Error(`did not complete: ${task?.result.state ?? 'no task'}`);
  return task.result.latency.p50;
}
