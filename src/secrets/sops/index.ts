/**
 * SOPS documents: decrypt and encrypt bytes in YAML, JSON, dotenv, INI and binary form, change them in place, and give them to
 * other recipients.
 *
 * What the format protects: every selected value is encrypted and bound to its keys; the MAC covers all values in
 * their order. Not covered by either: the metadata (rules, recipients, version), key names, comments, document
 * boundaries and nulls.
 *
 * @module
 */
export { parseJsonValue, setValue, unsetValue } from './change.ts';
export {
  CHECKS,
  checkTree,
  toSarif,
  type CheckCode,
  type CheckOptions,
  type CheckResult,
  type Finding,
  type Level,
} from './check/index.ts';
export {
  CONFIG_SCHEMA,
  explainCreationRule,
  keysOfText,
  matchCreationRule,
  matchDestinationRule,
  parseConfig,
  ruleKeys,
  type ConfiguredKey,
  type CreationRule,
  type Destination,
  type DestinationRule,
  type RuleExplanation,
  type SopsConfig,
  type StoreSettings,
} from './config/index.ts';
export { dataKeyCache, type DataKeyCache, type DataKeyCacheOptions } from './data-key-cache.ts';
export { DataKeyError, DEFAULT_DECRYPTION_ORDER, type GroupAttempt, type KeyAttempt } from './datakey.ts';
export { decrypt, decryptToTree, type OpenedTree } from './decrypt.ts';
export {
  formatPlain,
  formatWithMetadata,
  newDocument,
  openDocument,
  parsePlain,
  parseWithMetadata,
  sealDocument,
  type SopsDocument,
} from './document.ts';
export { encrypt } from './encrypt.ts';
export { environmentOf } from './environment.ts';
export { exampleTree } from './examples.ts';
export { extract, parsePath, type PathStep } from './extract.ts';
export { isEncryptedFile } from './file-status.ts';
export { formatForPath, formatForWord, isEncrypted, readMetadata } from './format.ts';
export { keyWithFields, localKeyService, type KeyService } from './key-services.ts';
export {
  remoteKeyService,
  startKeyService,
  type KeyServiceOptions,
  type RemoteKeyService,
  type RunningKeyService,
} from './keyservice/index.ts';
export { maskDocument } from './mask.ts';
export { mergeDocuments, type MergeInput, type MergeResult } from './merge.ts';
export { FORMAT_VERSION, masterKeys, type KeyEntry, type Metadata } from './metadata.ts';
export { rewrapDataKey, rotateDataKey, type KeyGroups, type RewrapOptions } from './rewrap.ts';
export { rotationReport, type RotationReport } from './rotation-report.ts';
export type { SealOptions } from './seal.ts';
export type { SopsMap, SopsTree, SopsValue } from './tree.ts';
export type { DecryptOptions, Decrypted, EncryptOptions, SelectionRule, SopsFormat } from './types.ts';
