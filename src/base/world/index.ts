/**
 * Everything outside the program, as one parameter: time, randomness, network, standard streams,
 * environment. Faces build one with {@link systemWorld}; simulations with {@link virtualWorld}. Below the
 * faces nothing else reads the clock, draws random numbers or reaches the network.
 *
 * @module
 */
export { systemEntropy, type Entropy } from './entropy.ts';
export { seededRandom, systemRandom, type Random } from './random.ts';
export { systemWorld } from './system.ts';
export { virtualWorld, type VirtualWorld, type VirtualWorldOptions } from './virtual.ts';
export type { Clock, Fetch, Output, Timer, World } from './types.ts';
export { formatDuration, parseDuration } from './duration.ts';
