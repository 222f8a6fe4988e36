import { isAbort, messageOf, SottoError } from '../../base/errors/index.ts';
import { parseDuration } from '../../base/world/index.ts';
import { isDecidedByListing, revisionIn, type GitCommit, type GitRemote } from '../../fetch/git/index.ts';
import { deepEqual } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import { areIncludesChanged, type Included } from './include.ts';
import { contentConfigOf, observedConfigOf } from './model.ts';
import type { Pass } from './pass.ts';
import { remoteFrom } from './remote.ts';
import { NO_SECRET } from './secret-data.ts';
import { readSecret } from './secret.ts';
import { checkProvider, checkProviderSecret } from './support.ts';
import { isVerificationDue } from './verify.ts';

const DEFAULT_TIMEOUT = '60s';

/** Whether the stored archive was made with what the spec says today, and the same included archives. */
export function isContentObserved(pass: Pass, included: readonly Included[]): boolean {
  const { current } = pass.draft;
  return deepEqual(contentConfigOf(pass.spec), observedConfigOf(current)) && !areIncludesChanged(current, included);
}

/**
 * Fetches what the spec refers to. When a listing of references shows the stored revision, and an archive made of it
 * would be the same, nothing is fetched and `unchanged` is the answer (flux/GIT-04).
 *
 * @throws SourceFailure
 */
export async function fetchSource(pass: Pass, included: readonly Included[]): Promise<GitCommit | 'unchanged'> {
  const remote = await remoteOf(pass);
  const timeoutMs = parseDuration(pass.spec.timeout ?? DEFAULT_TIMEOUT);
  const { fetcher } = pass.controls;
  const reference = pass.spec.ref ?? {};
  try {
    if (await isUnchanged(pass, { remote, included, timeoutMs })) return 'unchanged';
    return await fetcher.fetch(remote, reference, { timeoutMs, withSignatures: pass.spec.verify !== undefined }, pass.signal);
  } catch (error) {
    if (isAbort(error) || !(error instanceof SottoError)) throw error;
    throw gitFailure(error);
  }
}

async function remoteOf(pass: Pass): Promise<GitRemote> {
  const standIn = pass.controls.standIn?.(pass.object);
  if (standIn !== undefined) return standIn;
  checkProvider(pass.spec);
  const { secretRef, proxySecretRef, url } = pass.spec;
  const proxy = proxySecretRef === undefined ? undefined : await readSecret(pass, proxySecretRef.name);
  const secret = secretRef === undefined ? NO_SECRET : await readSecret(pass, secretRef.name);
  checkProviderSecret(pass.spec, secret);
  const given = pass.spec.provider === 'github' ? await pass.controls.githubApp.credentials(secret, pass.signal) : undefined;
  return remoteFrom(url, secret, proxy, given);
}

interface Look {
  readonly remote: GitRemote;
  readonly included: readonly Included[];
  readonly timeoutMs: number;
}

async function isUnchanged(pass: Pass, { remote, included, timeoutMs }: Look): Promise<boolean> {
  const { artifact } = pass.draft.current;
  const reference = pass.spec.ref ?? {};
  const mayShortCut =
    artifact !== undefined &&
    pass.draft.isTrue('ArtifactInStorage') &&
    isContentObserved(pass, included) &&
    !isVerificationDue(pass.spec, pass.draft.current);
  if (!mayShortCut || !isDecidedByListing(reference)) return false;
  const refs = await pass.controls.fetcher.listRefs(remote, pass.signal, { timeoutMs });
  return revisionIn(refs, reference) === artifact.revision;
}

function gitFailure(error: SottoError): SourceFailure {
  const options = { cause: error, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  if (error.code === 'GIT_EMPTY') return new SourceFailure('EmptyGitRepository', messageOf(error), options);
  return new SourceFailure('GitOperationFailed', `failed to checkout and determine revision: ${messageOf(error)}`, options);
}
