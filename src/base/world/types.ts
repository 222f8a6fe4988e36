import type { Random } from './random.ts';

/** A pending call that can be called off. */
export interface Timer {
  cancel(): void;
}

/** Time. Milliseconds everywhere; `now` is since the Unix epoch. */
export interface Clock {
  now(): number;
  /** Milliseconds that never jump backwards; only differences mean anything. */
  monotonic(): number;
  /** Resolves after `ms`; rejects with an abort error when the signal fires first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `fn` once after `ms`. A system timer does not keep the process alive. */
  after(ms: number, fn: () => void): Timer;
  /** Resolves in the next turn of the event loop, after everything that is ready now has run. */
  turn(): Promise<void>;
}

/** The shape of global `fetch`. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** A stream that a face writes text to. */
export interface Output {
  write(text: string): void;
  /** Writes bytes as they are; absent on outputs that carry only text. */
  writeBytes?(bytes: Uint8Array): void;
  readonly isTTY: boolean;
  /** Width of the terminal in cells; 80 when unknown. */
  readonly columns: number;
}

export interface World {
  readonly clock: Clock;
  /** Jitter, names and uids. Never keys, nonces or tokens: those come from Entropy. */
  readonly random: Random;
  readonly fetch: Fetch;
  readonly stdin: AsyncIterable<Uint8Array> & { readonly isTTY: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /**
   * Runs work that leaves the JavaScript thread (files, child processes, WebCrypto, sockets). In a
   * simulation virtual time stands still meanwhile and completions are delivered in call order.
   */
  outside<T>(work: () => Promise<T>): Promise<T>;
}
