/**
 * Managed fields and structured merge: who owns which field of an object, and what server-side apply makes of
 * a configuration. Everything is pure: objects in, objects out, time as a parameter.
 *
 * @module
 */
export { applyManaged, type ApplyRequest } from './apply.ts';
export { updateManaged, type UpdateRequest, type WriteContext } from './update.ts';
export { FieldSet, FieldSetBuilder, pathText } from './fieldset.ts';
export { compare, type Comparison } from './compare.ts';
export { fieldsOf } from './walk.ts';
export { fieldElement, keyElement, valueElement, type PathElement } from './element.ts';
export { sameIgnoringManagedFieldsTime } from './same.ts';
