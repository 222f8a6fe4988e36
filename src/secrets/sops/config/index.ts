export { keysOfText } from './keys.ts';
export { matchCreationRule, ruleKeys } from './match.ts';
export { parseConfig } from './parse.ts';
export type { ConfiguredKey, CreationRule, SopsConfig, StoreSettings } from './types.ts';
