/**
 * Master keys: what wraps and unwraps a data key, one file each.
 *
 * @module
 */
export { ageKey } from './age.ts';
export { ageRecipientOf, generateAgeIdentity, parseAgeIdentities, type AgeIdentity } from './age-identities.ts';
export { recipientKind, type RecipientKind } from './age-text.ts';
export { masterKeyOf } from './metadata.ts';
export { unsupportedKey } from './unsupported.ts';
export type { Credentials, KeyContext, KeyFields, MasterKey, MasterKeyType, Unwrapped } from './types.ts';
