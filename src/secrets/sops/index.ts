/**
 * SOPS documents: decrypt and encrypt bytes in YAML, JSON, dotenv, INI and binary form.
 *
 * What the format protects: every selected value is encrypted and bound to its keys; the MAC covers all values in
 * their order. Not covered by either: the metadata (rules, recipients, version), key names, comments, document
 * boundaries and nulls.
 *
 * @module
 */
export {
  keysOfText,
  matchCreationRule,
  parseConfig,
  ruleKeys,
  type ConfiguredKey,
  type CreationRule,
  type SopsConfig,
  type StoreSettings,
} from './config/index.ts';
export { DataKeyError, DEFAULT_DECRYPTION_ORDER, type GroupAttempt, type KeyAttempt } from './datakey.ts';
export { decrypt, decryptToTree, type OpenedTree } from './decrypt.ts';
export { encrypt } from './encrypt.ts';
export { extract, parsePath, type PathStep } from './extract.ts';
export { formatForPath, formatForWord, isEncrypted, readMetadata } from './format.ts';
export { FORMAT_VERSION, type KeyEntry, type Metadata } from './metadata.ts';
export type { DecryptOptions, Decrypted, EncryptOptions, SelectionRule, SopsFormat } from './types.ts';
