import type { GitRepository, GitRepositorySpec, GitRepositoryStatus, KubeObject, ObjectRef } from '../../kube/objects/index.ts';

export const GROUP = 'source.toolkit.fluxcd.io';
export const API_VERSION = `${GROUP}/v1`;
export const KIND = 'GitRepository';
/** Field manager of everything this controller writes. */
export const MANAGER = 'source-controller';
export const FINALIZER = 'finalizers.fluxcd.io';

export function refOfRequest(request: { readonly namespace: string; readonly name: string }): ObjectRef {
  return { apiVersion: API_VERSION, kind: KIND, namespace: request.namespace, name: request.name };
}

/** An object as the API server admitted it: its schema has been checked there. */
export function asGitRepository(object: KubeObject): GitRepository {
  return object as GitRepository;
}

/** What of the spec decides the content of an archive, in the names of the status fields that record it. */
export type ContentConfig = Pick<
  GitRepositoryStatus,
  'observedIgnore' | 'observedRecurseSubmodules' | 'observedInclude' | 'observedSparseCheckout'
>;

/** Unset, false and empty fields are left out: they mean the same. */
export function contentConfigOf(spec: GitRepositorySpec): ContentConfig {
  return {
    ...(spec.ignore === undefined ? {} : { observedIgnore: spec.ignore }),
    ...(spec.recurseSubmodules === true ? { observedRecurseSubmodules: true } : {}),
    ...(isFilled(spec.include) ? { observedInclude: spec.include } : {}),
    ...(isFilled(spec.sparseCheckout) ? { observedSparseCheckout: spec.sparseCheckout } : {}),
  };
}

function isFilled<T>(list: readonly T[] | undefined): list is readonly T[] {
  return list !== undefined && list.length > 0;
}

/** What the last archive was made with. */
export function observedConfigOf(status: GitRepositoryStatus): ContentConfig {
  return contentConfigOf({
    url: '',
    interval: '',
    ...(status.observedIgnore === undefined ? {} : { ignore: status.observedIgnore }),
    ...(status.observedRecurseSubmodules === undefined ? {} : { recurseSubmodules: status.observedRecurseSubmodules }),
    ...(status.observedInclude === undefined ? {} : { include: status.observedInclude }),
    ...(status.observedSparseCheckout === undefined ? {} : { sparseCheckout: status.observedSparseCheckout }),
  });
}
