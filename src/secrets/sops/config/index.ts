export { matchDestinationRule } from './destinations.ts';
export { keysOfText } from './keys.ts';
export { explainCreationRule, matchCreationRule, ruleKeys, type RuleExplanation } from './match.ts';
export { parseConfig } from './parse.ts';
export type { ConfiguredKey, CreationRule, Destination, DestinationRule, SopsConfig, StoreSettings } from './types.ts';
export { CONFIG_SCHEMA } from './schema.ts';
