import { SottoError } from '../../base/errors/index.ts';
import { ApiError, formatRef, isNotFound, reasonOf, refOf, type KubeObject } from '../objects/index.ts';
import { formatChanges, isWritten, type ChangeEntry } from './changes.ts';
import { maskedMessage } from './mask.ts';

/** An apply that stopped. `entries` is what was done before, in order. */
export class ApplyFailed extends SottoError {
  readonly entries: readonly ChangeEntry[];

  constructor(failure: unknown, entries: readonly ChangeEntry[]) {
    const written = entries.filter((entry) => isWritten(entry));
    const message = failure instanceof Error ? failure.message : 'apply failed';
    super(failure instanceof SottoError ? failure.code : 'APPLY_FAILED', [message, formatChanges(written)].join('\n').trimEnd(), {
      cause: failure,
      retry: true,
    });
    this.name = 'ApplyFailed';
    this.entries = entries;
  }
}

function nameOf(object: KubeObject): string {
  return formatRef(refOf(object));
}

/** The error of a refused dry-run, in Flux's words (parity d2). */
export function dryRunError(error: unknown, object: KubeObject): SottoError {
  const text = maskedMessage(error, object);
  if (isNotFound(error)) {
    return (object.metadata.namespace ?? '') === ''
      ? new SottoError('APPLY_NAMESPACE_MISSING', `${nameOf(object)} namespace not specified: ${text}`, { retry: true })
      : new SottoError('APPLY_NOT_FOUND', `${nameOf(object)} not found: ${text}`, { retry: true });
  }
  const isOwnership = error instanceof ApiError && error.status.details?.causes?.some((cause) => cause.reason === 'FieldManagerConflict');
  const reason = isOwnership === true ? 'FieldManagerConflict' : (reasonOf(error) ?? '');
  return new SottoError('APPLY_DRY_RUN', `${nameOf(object)} dry-run failed${reason === '' ? '' : ` (${reason})`}: ${text}`, {
    retry: true,
  });
}

/** The error of a kind that the cluster does not serve. */
export function kindUnknownError(object: KubeObject): SottoError {
  return new SottoError(
    'APPLY_KIND_UNKNOWN',
    `${nameOf(object)} dry-run failed: no matches for kind "${object.kind}" in version "${object.apiVersion}"`,
    { retry: true, hint: 'install its CustomResourceDefinition first, for example with dependsOn' },
  );
}

/** The error of a namespaced object for which nothing says which namespace. */
export function namespaceMissingError(object: KubeObject): SottoError {
  return new SottoError(
    'APPLY_NAMESPACE_MISSING',
    `${nameOf(object)} namespace not specified: the server could not find the requested resource`,
    { hint: 'set metadata.namespace, or spec.targetNamespace of the Kustomization' },
  );
}

/** The error of a failed step of the write: `apply failed`, `metadata.managedFields cleanup failed`, … */
export function stepError(step: string, error: unknown, object: KubeObject): SottoError {
  return new SottoError('APPLY_FAILED', `${nameOf(object)} ${step}: ${maskedMessage(error, object)}`, { retry: true });
}

const IMMUTABLE_TEXT = /is immutable|immutable field/;

/** True for answers that a change of an immutable field may cause; deliberately broad, as upstream (flux/SSA-09). */
export function isImmutableError(error: unknown): boolean {
  return error instanceof ApiError && (error.status.code === 409 || error.status.code === 422 || IMMUTABLE_TEXT.test(error.message));
}
