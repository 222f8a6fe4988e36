/**
 * What Flux adds to a kustomize build, in one pipeline for controller, CLI and posture: overlay of spec
 * fields, decryption before and after the build, substitution.
 *
 * @module
 */
export { checkBuild, type Finding } from './check.ts';
export { sopsDecryptor } from './decryptor.ts';
export { isSopsEncrypted } from './decrypt.ts';
export { buildName } from './errors.ts';
export { buildFleet } from './fleet.ts';
export { keylessDecryptor, maskSecret, PLACEHOLDER } from './keyless.ts';
export { generateOverlay, type Overlay } from './overlay.ts';
export { substitute } from './substitute.ts';
export type { Decryptor, FleetBuild, FleetObject, FleetOptions, KustomizationSpec, SecretOrigin, VariableSource } from './types.ts';
export { loadVariables } from './variables.ts';
