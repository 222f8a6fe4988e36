/**
 * Variable substitution in text, as Flux's fork of drone/envsubst does it for `postBuild` and `flux envsubst`:
 * `${name}`, with bash-like operators and all quirks that configurations have come to rely on.
 *
 * @example
 * ```ts
 * expand('host: ${sub:=www}.${domain}', (name) => variables.get(name), { strict: true });
 * ```
 *
 * @module
 */
export { expand, type ExpandOptions, type Lookup } from './expand.ts';
export { matchedPrefixes } from './glob.ts';
export { parse, type Expression, type Template, type Word } from './parse.ts';
