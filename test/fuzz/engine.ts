import { SottoError } from '../../src/base/errors/index.ts';
import { seededRandom, type Random } from '../../src/base/world/index.ts';

/** A parser under test, and texts to start from. */
export interface Target {
  readonly name: string;
  /** Well-formed inputs; mutations of them reach deeper than noise. */
  readonly seeds: readonly Uint8Array[];
  /** Fragments that mean something to this parser. */
  readonly words: readonly string[];
  /** A SottoError is an answer, every other error a crash. */
  run(input: Uint8Array): unknown;
}

/** An input that a parser did not survive. */
export interface Finding {
  readonly target: string;
  readonly problem: string;
  readonly input: Uint8Array;
}

export interface FuzzOptions {
  readonly targets: readonly Target[];
  readonly seed: number;
  readonly milliseconds: number;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
}

export interface FuzzResult {
  readonly findings: readonly Finding[];
  /** Inputs tried, by target. */
  readonly tried: Readonly<Record<string, number>>;
}

/** One input may take this long; inputs are at most {@link MAX_LENGTH} bytes. */
const MAX_MILLISECONDS = 2000;
const MAX_LENGTH = 64 * 1024;
const MAX_FINDINGS = 10;

/** Feeds every target in turn until the time is over. The same seed tries the same inputs in the same order. */
export async function fuzz({ targets, seed, milliseconds, now }: FuzzOptions): Promise<FuzzResult> {
  const random = seededRandom(seed);
  const findings: Finding[] = [];
  const tried: Record<string, number> = Object.fromEntries(targets.map(({ name }) => [name, 0]));
  const end = now() + milliseconds;
  while (now() < end && findings.length < MAX_FINDINGS) {
    for (const target of targets) {
      const input = makeInput(target, random);
      tried[target.name] = (tried[target.name] ?? 0) + 1;
      const problem = await problemOf(target, input, now);
      if (problem !== undefined) findings.push({ target: target.name, problem, input });
    }
  }
  return { findings, tried };
}

/** What is wrong with how a target takes an input, or undefined. */
export async function problemOf(target: Target, input: Uint8Array, now: () => number): Promise<string | undefined> {
  const start = now();
  try {
    await target.run(input);
  } catch (error) {
    if (!(error instanceof SottoError)) return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  const took = Math.round(now() - start);
  return took > MAX_MILLISECONDS ? `took ${took} ms for ${input.length} bytes` : undefined;
}

function makeInput({ seeds, words }: Target, random: Random): Uint8Array {
  if (seeds.length === 0 || random.below(8) === 0) return noise(words, random);
  let input = random.pick(seeds);
  for (let count = 1 + random.below(6); count > 0; count--) input = random.pick(MUTATIONS)(input, { words, seeds, random });
  return input.subarray(0, MAX_LENGTH);
}

function noise(words: readonly string[], random: Random): Uint8Array {
  const parts = Array.from({ length: random.below(40) }, () =>
    random.below(2) === 0 ? Buffer.from(random.pick(words)) : Buffer.from([random.below(256)]),
  );
  return Buffer.concat(parts);
}

interface Material {
  readonly words: readonly string[];
  readonly seeds: readonly Uint8Array[];
  readonly random: Random;
}

type Mutation = (input: Uint8Array, material: Material) => Uint8Array;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(input, { random }) {
    if (input.length === 0) return input;
    const at = random.below(input.length);
    return Uint8Array.from(input).fill((input[at] ?? 0) ^ (1 << random.below(8)), at, at + 1);
  },
  function insertWord(input, { words, random }) {
    return splice(input, random.below(input.length + 1), 0, Buffer.from(random.pick(words)));
  },
  function insertByte(input, { random }) {
    return splice(input, random.below(input.length + 1), 0, Uint8Array.of(random.below(256)));
  },
  function cut(input, { random }) {
    const at = random.below(input.length + 1);
    return splice(input, at, random.below(1 + Math.min(64, input.length - at)), new Uint8Array());
  },
  function truncate(input, { random }) {
    return input.subarray(0, random.below(input.length + 1));
  },
  function repeat(input, { random }) {
    const at = random.below(input.length + 1);
    const piece = input.subarray(at, at + 1 + random.below(40));
    const times = random.pick([2, 3, 50, 1000]);
    return splice(input, at, 0, Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  function repeatWord(input, { words, random }) {
    return splice(input, random.below(input.length + 1), 0, Buffer.from(random.pick(words).repeat(random.pick([2, 20, 2000]))));
  },
  function cross(input, { seeds, random }) {
    const other = random.pick(seeds);
    return splice(input, random.below(input.length + 1), input.length, other.subarray(random.below(other.length + 1)));
  },
];

function splice(input: Uint8Array, at: number, remove: number, insert: Uint8Array): Uint8Array {
  return Buffer.concat([input.subarray(0, at), insert, input.subarray(at + remove)]).subarray(0, MAX_LENGTH);
}
