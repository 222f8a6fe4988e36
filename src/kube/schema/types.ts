import type { Json } from '../objects/index.ts';

/**
 * A structural schema (apiextensions v1) extended with the merge markers of built-in kinds. A node without
 * `type` accepts anything.
 */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: string;
  /** The definition or CRD this node comes from, for OpenAPI references and messages. */
  readonly title?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly nullable?: boolean;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly allOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly not?: Schema;
  /** x-kubernetes-list-type; absent means atomic. */
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly listMapKeys?: readonly string[];
  /** What a list-map item that lacks a key field counts as (built-in kinds; custom kinds use the item's defaults). */
  readonly listMapKeyDefaults?: Readonly<Record<string, Json>>;
  /** x-kubernetes-map-type; absent means granular. */
  readonly mapType?: 'atomic' | 'granular';
  readonly preserveUnknownFields?: boolean;
  readonly intOrString?: boolean;
  readonly embeddedResource?: boolean;
  readonly validations?: readonly {
    readonly rule: string;
    readonly message?: string;
    readonly messageExpression?: string;
    readonly reason?: string;
    readonly fieldPath?: string;
    readonly optionalOldSelf?: boolean;
  }[];
  /** x-kubernetes-patch-strategy: `merge`, `replace`, `retainKeys`, or a comma list. */
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  /** A built-in scalar stored in canonical form: a quantity such as `500m`, or raw JSON (one leaf). */
  readonly scalar?: 'quantity' | 'int-or-string' | 'time' | 'micro-time' | 'json';
}

export type FieldErrorType =
  | 'FieldValueInvalid'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTooFew'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotFound';

/** One finding of validation: a cause of a 422 answer. `message` has upstream's form (`Required value: …`). */
export interface FieldError {
  readonly reason: FieldErrorType;
  /** Path like `spec.containers[0].name`. */
  readonly field: string;
  readonly message: string;
}
