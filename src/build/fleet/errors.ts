import { isAbort, SottoError } from '../../base/errors/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { gvkOf } from '../../kube/objects/index.ts';

/** `Kind.version.group/name`, as the kustomize-controller names objects in build errors. */
export function buildName(object: KubeObject): string {
  const { group, version, kind } = gvkOf(object);
  return `${kind}.${version}.${group === '' ? '[noGrp]' : group}/${object.metadata.name ?? ''}`;
}

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
  return new SottoError(code, `${prefix}: ${error.message}`, {
    retry,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(at === undefined ? {} : { at }),
  });
}
