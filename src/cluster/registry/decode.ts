import { apiErrors, checkDepth, isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { metadataTypeProblem } from './metadata.ts';
import { foldStringData, pruneObject, wrongTypes } from './schemas.ts';
import type { WriteContext } from './types.ts';
import { apiVersionIn } from './versions.ts';

/**
 * Reads the body of a write as an object of the request's kind without what the schema lacks. The answer and its metadata are fresh;
 * what is below may be the caller's, and is copied before anything changes it.
 * What is dropped warns or, with fieldValidation Strict, fails (REST-08).
 *
 * @throws ApiError 400
 */
export function decodeObject(context: WriteContext, body: unknown): KubeObject {
  const { resource, version } = context;
  checkDepth(body);
  if (!isJsonObject(body)) throw apiErrors.badRequest(`the body is not a ${resource.kind}: expected an object`);
  const object = { ...body } as unknown as KubeObject;
  checkKind(context, object);
  const problem = metadataTypeProblem(object.metadata ?? {});
  if (problem !== undefined) throw cannotHandle(context, problem);
  object.metadata = { ...object.metadata };
  dropNulls(object);
  const { object: pruned, unknown } = pruneObject(version, object);
  reportUnknown(context, unknown);
  const [wrong] = resource.custom ? [] : wrongTypes(version, pruned);
  if (wrong !== undefined) throw cannotHandle(context, `the field ${wrong} has the wrong type`);
  return foldStringData(resource, pruned);
}

function checkKind({ resource, version }: WriteContext, object: KubeObject): void {
  const expected = apiVersionIn(resource, version);
  if (resource.custom && (object.kind ?? '') === '') throw apiErrors.badRequest("Object 'Kind' is missing in the body");
  object.kind = (object.kind ?? '') === '' ? resource.kind : object.kind;
  object.apiVersion = (object.apiVersion ?? '') === '' ? expected : object.apiVersion;
  if (object.apiVersion !== expected) {
    throw apiErrors.badRequest(`the API version in the data (${object.apiVersion}) does not match the expected API version (${expected})`);
  }
  if (object.kind !== resource.kind) {
    throw apiErrors.badRequest(
      `${object.kind} in version "${version.name}" cannot be handled as a ${resource.kind}: the kind of the data does not match the kind of the endpoint`,
    );
  }
}

/** `creationTimestamp: null` and the like mean absent. */
function dropNulls(object: KubeObject): void {
  const metadata = object.metadata as Record<string, unknown>;
  for (const [key, value] of Object.entries(metadata)) if (value === null) delete metadata[key];
}

function cannotHandle({ resource, version }: WriteContext, detail: string): Error {
  return apiErrors.badRequest(`${resource.kind} in version "${version.name}" cannot be handled as a ${resource.kind}: ${detail}`);
}

/**
 * Reports what was sent twice; the last one counts (REST-08).
 *
 * @throws ApiError 400 in strict mode
 */
export function reportDuplicates(context: WriteContext, paths: readonly string[]): void {
  report(
    context,
    paths.map((path) => `duplicate field "${path}"`),
  );
}

/** @throws ApiError 400 in strict mode */
function reportUnknown(context: WriteContext, paths: readonly string[]): void {
  report(
    context,
    paths.map((path) => `unknown field "${path}"`),
  );
}

function report(context: WriteContext, problems: readonly string[]): void {
  if (problems.length === 0 || context.fieldValidation === 'Ignore') return;
  if (context.fieldValidation === 'Strict') throw cannotHandle(context, `strict decoding error: ${problems.join(', ')}`);
  for (const problem of problems) context.warn(problem);
}
