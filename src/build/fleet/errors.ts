import { isAbort, SottoError } from '../../base/errors/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { gvkOf } from '../../kube/objects/index.ts';

/** `Kind.version.group/name`, as the kustomize-controller names objects in build errors. */
export function buildName(object: KubeObject): string {
  const { group, version, kind } = gvkOf(object);
  return `${kind}.${version}.${group === '' ? '[noGrp]' : group}/${object.metadata.name ?? ''}`;
}

/** What kustomize-controller puts before the message of a failed decryption, by our code (flux d2). */
const DECRYPTION_TOKENS: Readonly<Record<string, string>> = {
  SOPS_NO_IDENTITY: 'cannot get sops data key: ',
  SOPS_KEY_FAILED: 'cannot get sops data key: ',
  SOPS_SHAMIR: 'cannot get sops data key: ',
  SOPS_VALUE_TAMPERED: 'error decrypting sops tree: ',
  SOPS_VALUE_MALFORMED: 'error decrypting sops tree: ',
  SOPS_VALUE_TYPE: 'error decrypting sops tree: ',
  SOPS_PARSE: 'failed to load encrypted data: ',
  SOPS_METADATA_INVALID: 'failed to load encrypted data: ',
};

/**
 * An error with a prefix, which keeps position, hint and whether to retry. The text of an error that is not ours may
 * echo input, so it is left out. The end of an AbortSignal passes as it is.
 */
export function prefixed(code: string, prefix: string, error: unknown): Error {
  if (isAbort(error) && error instanceof Error) return error;
  if (!(error instanceof SottoError)) {
    return new SottoError(code, `${prefix}: internal error (${error instanceof Error ? error.name : typeof error})`);
  }
  const { hint, at, retry } = error;
  return new SottoError(code, `${prefix}: ${DECRYPTION_TOKENS[error.code] ?? ''}${error.message}`, {
    retry,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  });
}
