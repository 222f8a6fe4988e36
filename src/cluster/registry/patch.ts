import {
  apiErrors,
  ApiError,
  applyJsonPatch,
  applyMergePatch,
  cloneJson,
  isJsonObject,
  type Json,
  type KubeObject,
} from '../../kube/objects/index.ts';
import { decodeObject } from './decode.ts';
import { mergeApplied } from './managed.ts';
import { defaultFields, mergeStrategic } from './schemas.ts';
import type { Environment, WriteContext } from './types.ts';
import { writeChange, type Written } from './update.ts';
import { apiVersionIn } from './versions.ts';

/** The media types of patches (PATCH-01). */
export const PATCH_TYPES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchType = keyof typeof PATCH_TYPES;

/**
 * PATCH of any type. A patch without resourceVersion is recomputed when the object changes meanwhile (PATCH-05).
 *
 * @throws ApiError 400, 403, 404, 409, 413, 415, 422, 500
 */
export async function patchObject(env: Environment, context: WriteContext, type: PatchType, patch: unknown): Promise<Written> {
  const isPinned =
    type !== 'json' && isJsonObject(patch) && isJsonObject(patch['metadata']) && (patch['metadata']['resourceVersion'] ?? '') !== '';
  return writeChange(env, context, {
    make: (live) => patched(context, type, live as KubeObject, patch),
    tracked: false,
    mayCreate: () => false,
    retries: !isPinned,
    isPut: false,
  });
}

function patched(context: WriteContext, type: PatchType, live: KubeObject, patch: unknown): KubeObject {
  const merged = merge(context, type, live, patch);
  try {
    return cloneJson(defaultFields(context.resource, context.version, decodeObject(context, merged)));
  } catch (error) {
    throw asPatchError(context, error);
  }
}

function merge({ version }: WriteContext, type: PatchType, live: KubeObject, patch: unknown): unknown {
  const document = live as unknown as Json;
  if (type === 'json') return applyJsonPatch(document, patch);
  if (type === 'merge') return applyMergePatch(document, patch);
  return mergeStrategic(version, live, patch);
}

/** A patch whose result can't be decoded is unprocessable; values stay out of the text (REST-08). */
export function asPatchError({ resource, name }: WriteContext, error: unknown): unknown {
  if (!(error instanceof ApiError) || error.status.code !== 400) return error;
  return apiErrors.invalid(resource, name, [
    { reason: 'FieldValueInvalid', field: 'patch', message: `Invalid value: ${error.status.message ?? ''}` },
  ]);
}

/**
 * Server-side apply: creates, or merges by field ownership (SSA-01 … SSA-07).
 *
 * @throws ApiError 400, 403, 409, 422, 500
 */
export async function applyObject(
  env: Environment,
  context: WriteContext,
  configuration: unknown,
  force: boolean,
  authorizeCreate: () => Promise<void>,
): Promise<Written> {
  const applied = checkConfiguration(context, configuration);
  return writeChange(env, context, {
    make: (live) => {
      const merged = mergeApplied(context, env.world.clock.now(), live, applied, force);
      return cloneJson(defaultFields(context.resource, context.version, merged));
    },
    tracked: true,
    mayCreate: async () => {
      if (context.subresource !== '') return false;
      await authorizeCreate();
      return true;
    },
    retries: (applied.metadata.resourceVersion ?? '') === '',
    isPut: false,
  });
}

/** @throws ApiError 400 */
function checkConfiguration(context: WriteContext, configuration: unknown): KubeObject {
  if (!isJsonObject(configuration)) throw apiErrors.badRequest('the applied configuration is not an object');
  const { resource, version, name } = context;
  const expected = apiVersionIn(resource, version);
  const applied = cloneJson(configuration) as unknown as KubeObject;
  if (applied.apiVersion !== expected || applied.kind !== resource.kind) {
    throw apiErrors.badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion}, expected: ${expected}`,
    );
  }
  applied.metadata ??= {};
  if (!isJsonObject(applied.metadata)) throw apiErrors.badRequest('metadata: expected object');
  if (applied.metadata.managedFields !== undefined) throw apiErrors.badRequest('metadata.managedFields must be nil');
  applied.metadata.name ??= name;
  if (resource.namespaced) applied.metadata.namespace ??= context.namespace;
  return applied;
}
