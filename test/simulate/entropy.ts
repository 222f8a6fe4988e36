import { seededRandom, type Entropy } from '../../src/base/world/index.ts';

/** Entropy from a seed. Only for tests and simulations: what it makes is no secret. */
export function seededEntropy(seed: number): Entropy {
  const random = seededRandom(seed);
  return { bytes: (length) => Uint8Array.from({ length }, () => random.below(256)) };
}
