/**
 * What Flux adds to a kustomize build, in one pipeline for controller, CLI and posture: overlay of spec
 * fields, decryption before and after the build, substitution.
 *
 * @module
 */
export type { Decryptor, FleetBuild, FleetObject, FleetOptions, KustomizationSpec, SecretOrigin, VariableSource } from './types.ts';
