/**
 * What the API knows about the shape of objects: built-in kinds from one table of facts, custom kinds from
 * their CRDs, both as the same {@link Schema}. Pruning, defaulting, validation, strategic merge, protobuf
 * requests and OpenAPI documents are driven by it.
 *
 * @module
 */
export type { FieldError, FieldErrorType, Schema } from './types.ts';
// Built-in kinds.
export { builtinResources, type BuiltinResource, type BuiltinSubresource } from './resources.ts';
export { objectMetaSchema, schemaOf } from './definitions.ts';
export { defaultObject } from './complete.ts';
export { prepareObject } from './prepare.ts';
export { validateObject } from './checks.ts';
export { checkBuiltinTypes } from './builtin-types.ts';
export { canonicalQuantity } from './quantity.ts';
export { decodeProtobuf } from './protobuf.ts';
export { strategicMerge } from './strategic.ts';
// Custom kinds.
export { compileCrdSchema, type CompiledCrdSchema } from './crd.ts';
export { prune, unknownFields, type Pruned } from './prune.ts';
export { applyDefaults } from './defaults.ts';
export { validate } from './validate.ts';
// Both.
export { fieldErrors } from './errors.ts';
export { openApiDocument, type OpenApiResource } from './openapi.ts';
