/** Draws from a seed; the same seed gives the same draws. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Mulberry32. */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  }

  /** An integer from 0 to `below` - 1. */
  int(below: number): number {
    return Math.floor(this.#next() * below);
  }

  maybe(probability: number): boolean {
    return this.#next() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    const chosen = choices[this.int(choices.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  /** Up to `below` - 1 things, at least `atLeast`. */
  some<T>(below: number, make: () => T, atLeast = 0): T[] {
    return Array.from({ length: atLeast + this.int(below) }, make);
  }

  /** The text with this probability, else none. */
  text(probability: number, make: () => string): string {
    return this.maybe(probability) ? make() : '';
  }
}
