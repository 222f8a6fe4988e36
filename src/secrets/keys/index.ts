/**
 * Master keys: what wraps and unwraps a data key, one file each.
 *
 * @module
 */
export type { Credentials, KeyContext, MasterKey, MasterKeyType, Unwrapped } from './types.ts';
