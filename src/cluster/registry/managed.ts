import { applyManaged, fieldElement, FieldSet, sameIgnoringManagedFieldsTime, updateManaged } from '../../kube/fieldset/index.ts';
import { apiErrors, type KubeObject } from '../../kube/objects/index.ts';
import type { Schema } from '../../kube/schema/index.ts';
import type { WriteContext } from './types.ts';
import { apiVersionIn } from './versions.ts';

/** Fields that an endpoint ignores belong to nobody through it (SSA-09). */
const RESET = {
  status: FieldSet.of([fieldElement('status')]),
  spec: FieldSet.of([fieldElement('spec')]),
  /** Of custom resources `/status` also ignores metadata. */
  customStatus: FieldSet.of([fieldElement('spec')], [fieldElement('metadata'), fieldElement('deletionTimestamp')]),
  none: FieldSet.empty,
};

function resetFields({ resource, version, subresource }: WriteContext): FieldSet {
  if (subresource === 'status') return resource.custom ? RESET.customStatus : RESET.spec;
  return version.status && subresource === '' ? RESET.status : RESET.none;
}

/** Without a schema everything is deduced from the values. */
const ANYTHING: Schema = { preserveUnknownFields: true };

function base(context: WriteContext, now: number): Omit<Parameters<typeof updateManaged>[0], 'next'> {
  const { resource, version, subresource, manager } = context;
  return {
    schema: version.schema ?? ANYTHING,
    manager,
    apiVersion: apiVersionIn(resource, version),
    now,
    ...(subresource === '' ? {} : { subresource }),
    resetFields: resetFields(context),
    knownVersions: resource.versions.map((each) => apiVersionIn(resource, each)),
  };
}

/** The object with a create, update or patch accounted to its manager (SSA-05). */
export function trackUpdate(context: WriteContext, now: number, live: KubeObject | undefined, object: KubeObject): KubeObject {
  return updateManaged({ ...base(context, now), ...(live === undefined ? {} : { live }), next: object });
}

/**
 * The live object with an applied configuration merged into it (SSA-01 … SSA-07).
 *
 * @throws ApiError 400, 409, 500
 */
export function mergeApplied(
  context: WriteContext,
  now: number,
  live: KubeObject | undefined,
  config: KubeObject,
  force: boolean,
): KubeObject {
  if (context.manager === '') throw apiErrors.badRequest('fieldManager is required for apply patch');
  return applyManaged({ ...base(context, now), ...(live === undefined ? {} : { live }), config, force }).object;
}

/** Whether a write changes nothing but timestamps of managed fields (REST-06). */
export function isSameWrite(a: KubeObject, b: KubeObject): boolean {
  return sameIgnoringManagedFieldsTime(a, b);
}
