/**
 * What the API knows about the shape of objects: built-in kinds from one table of facts, custom kinds from
 * their CRDs, both as the same {@link Schema}. Pruning, defaulting, validation, strategic merge, protobuf
 * requests and OpenAPI documents are driven by it.
 *
 * @module
 */
export type { FieldError, FieldErrorType, Schema } from './types.ts';
