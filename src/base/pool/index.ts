/**
 * CPU-heavy work as named tasks over structured-clonable data. Simulations and small commands run them
 * inline; long-running servers may give a pool of worker threads.
 *
 * @module
 */

/** A pure function from clonable data to clonable data. */
export interface Task<I, O> {
  readonly name: string;
  run(input: I): O | Promise<O>;
}

export interface Pool {
  run<I, O>(task: Task<I, O>, input: I): Promise<O>;
  close(): Promise<void>;
}

/** Runs every task on the calling thread. */
export function inlinePool(): Pool {
  return {
    run: async (task, input) => task.run(input),
    close: async () => {},
  };
}
