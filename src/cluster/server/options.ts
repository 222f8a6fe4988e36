import type { ApiRequest } from '../../kube/client/index.ts';
import { apiErrors, isJsonObject, type StatusCause } from '../../kube/objects/index.ts';
import type { DeleteOptions, WriteContext } from '../registry/index.ts';
import { isTrue } from './requestInfo.ts';

const MAX_MANAGER_BYTES = 128;

type FieldValidation = WriteContext['fieldValidation'];

const unsupportedValue = (field: string, value: string, supported: readonly string[]): StatusCause => ({
  reason: 'FieldValueNotSupported',
  field,
  message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((each) => JSON.stringify(each)).join(', ')}`,
});

/**
 * Options that every write takes (apimachinery:pkg/apis/meta/v1/validation).
 *
 * @param kind - `CreateOptions`, `UpdateOptions`, `PatchOptions`, `DeleteOptions`: named in errors
 * @throws ApiError 422
 */
export function checkWriteOptions(
  query: URLSearchParams,
  kind: string,
  patch: { readonly isPatch: boolean; readonly isApply: boolean } = { isPatch: false, isApply: false },
): { dryRun: boolean; fieldValidation: FieldValidation } {
  const causes: StatusCause[] = [];
  const dryRun = query.getAll('dryRun').filter((value) => value !== '');
  for (const value of dryRun) if (value !== 'All') causes.push(unsupportedValue('dryRun', value, ['All']));
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    causes.push(unsupportedValue('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  causes.push(...managerCauses(query.get('fieldManager') ?? '', patch.isApply));
  if (patch.isPatch && !patch.isApply && query.has('force')) {
    causes.push({ reason: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' });
  }
  if (causes.length > 0) throw apiErrors.invalid({ group: 'meta.k8s.io', kind }, '', causes);
  return { dryRun: dryRun.length > 0, fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation) };
}

function managerCauses(manager: string, isApply: boolean): StatusCause[] {
  const field = 'fieldManager';
  if (isApply && manager === '') return [{ reason: 'FieldValueRequired', field, message: 'Required value: is required for apply patch' }];
  if (Buffer.byteLength(manager) > MAX_MANAGER_BYTES) {
    return [{ reason: 'FieldValueTooLong', field, message: `Too long: may not be more than ${MAX_MANAGER_BYTES} bytes` }];
  }
  return /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(manager)
    ? [{ reason: 'FieldValueInvalid', field, message: 'Invalid value: should only contain printable characters' }]
    : [];
}

/** Who owns the fields of a write: the option, else the client's name (SSA-05). */
export function managerOf({ query, headers }: Pick<ApiRequest, 'query' | 'headers'>): string {
  const given = query.get('fieldManager') ?? '';
  if (given !== '') return given;
  const agent = (headers['user-agent'] ?? '').split('/')[0] ?? '';
  const printable = agent.replaceAll(/\p{Cc}/gu, '');
  return printable.slice(0, MAX_MANAGER_BYTES) || 'unknown';
}

/**
 * The options of a DELETE: from the body, or from the query when there is none (DEL-01).
 *
 * @throws ApiError 400, 422
 */
export function deleteOptionsOf(query: URLSearchParams, body: unknown): { options: DeleteOptions; dryRun: boolean } {
  if (body === undefined) return { options: optionsFromQuery(query), dryRun: checkWriteOptions(query, 'DeleteOptions').dryRun };
  if (!isJsonObject(body)) throw apiErrors.badRequest('the body of a DELETE must be DeleteOptions');
  if (body['kind'] !== undefined && body['kind'] !== '' && body['kind'] !== 'DeleteOptions') {
    throw apiErrors.badRequest('decoded object cannot be converted to DeleteOptions');
  }
  const dryRun = (body['dryRun'] ?? []) as string[];
  const check = new URLSearchParams(dryRun.map((value): [string, string] => ['dryRun', value]));
  const { preconditions, gracePeriodSeconds, propagationPolicy, orphanDependents } = body as DeleteOptions;
  return {
    options: {
      ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
      ...(typeof propagationPolicy === 'string' ? { propagationPolicy } : {}),
      ...(typeof orphanDependents === 'boolean' ? { orphanDependents } : {}),
      ...(isJsonObject(preconditions) ? { preconditions } : {}),
    },
    dryRun: checkWriteOptions(check, 'DeleteOptions').dryRun,
  };
}

function optionsFromQuery(query: URLSearchParams): DeleteOptions {
  const grace = query.get('gracePeriodSeconds');
  if (grace !== null && !/^-?\d+$/.test(grace)) throw apiErrors.badRequest('gracePeriodSeconds: expected an integer');
  const policy = query.get('propagationPolicy');
  const orphan = query.get('orphanDependents');
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(orphan === null ? {} : { orphanDependents: isTrue(orphan) }),
  };
}

/**
 * How a watch starts (LIST-08, LIST-12).
 *
 * @throws ApiError 422
 */
export function watchOptions(query: URLSearchParams): { initialEvents: boolean } {
  const match = query.get('resourceVersionMatch') ?? '';
  const sends = query.get('sendInitialEvents');
  const forbidden = (message: string): Error =>
    apiErrors.invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      {
        reason: 'FieldValueForbidden',
        field: match !== '' && sends === null ? 'resourceVersionMatch' : 'sendInitialEvents',
        message: `Forbidden: ${message}`,
      },
    ]);
  if (sends === null) {
    if (match !== '') throw forbidden('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    return { initialEvents: ['', '0'].includes(query.get('resourceVersion') ?? '') };
  }
  if (match !== 'NotOlderThan') throw forbidden('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  return { initialEvents: isTrue(sends) };
}
