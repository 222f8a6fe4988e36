import { SottoError } from '../../base/errors/index.ts';
import type { GitReference, RemoteRefs } from './types.ts';

/** What is checked out when a GitRepository names no reference. */
export const DEFAULT_BRANCH = 'master';

const SHA1_HEX = /^[0-9a-f]{40}$/;
// What `git check-ref-format` refuses: it also keeps refspec syntax and options out of names.
const FORBIDDEN_IN_REF = /[^!-~\u0080-\u{10ffff}]|[~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|^[./-]|[./]$/u;

/** A reference after its order of precedence was applied. */
export type Target =
  | { readonly kind: 'commit'; readonly commit: string; readonly branch: string | undefined }
  /** One reference by its full name; `label` stands in the revision. */
  | { readonly kind: 'ref'; readonly ref: string; readonly label: string; readonly from: 'name' | 'tag' | 'branch' }
  | { readonly kind: 'semver'; readonly range: string };

/** Which part of `spec.ref` counts: commit, name, tag, semver, branch, in this order. */
export function targetOf(reference: GitReference): Target {
  const { commit, name, tag, semver, branch } = reference;
  if (isSet(commit)) return { kind: 'commit', commit, branch: isSet(branch) ? branch : undefined };
  if (isSet(name)) return { kind: 'ref', ref: name, label: name, from: 'name' };
  if (isSet(tag)) return refTarget(`refs/tags/${tag}`, 'tag');
  if (isSet(semver)) return { kind: 'semver', range: semver };
  return refTarget(`refs/heads/${isSet(branch) ? branch : DEFAULT_BRANCH}`, 'branch');
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

function refTarget(ref: string, from: 'tag' | 'branch'): Target {
  return { kind: 'ref', ref, label: shortName(ref), from };
}

/** Everything after the second slash: `refs/heads/feature/x` → `feature/x`. */
function shortName(ref: string): string {
  return ref.split('/').slice(2).join('/');
}

/** `main@sha1:<hex>`, or `sha1:<hex>` without a label. */
export function revisionOf(commit: string, label?: string): string {
  return label === undefined || label === '' ? `sha1:${commit}` : `${label}@sha1:${commit}`;
}

/**
 * The revision that a branch, tag or name has in a listing, for the no-change short cut; that of a commit is known
 * without one. Undefined when the listing does not say (semver, unknown reference).
 */
export function revisionIn(refs: RemoteRefs, reference: GitReference): string | undefined {
  const target = targetOf(reference);
  if (target.kind === 'commit') return isCommit(target.commit) ? revisionOf(target.commit, target.branch) : undefined;
  if (target.kind !== 'ref') return undefined;
  const commit = refs.get(target.ref);
  return commit === undefined ? undefined : revisionOf(commit, target.label);
}

/** Whether a listing of references tells what is meant. A range needs the tags themselves: their times decide between equal versions. */
export function isDecidedByListing(reference: GitReference): boolean {
  return targetOf(reference).kind !== 'semver';
}

export function isCommit(text: string): boolean {
  return SHA1_HEX.test(text);
}

/** Whether git accepts this as the name of a reference. */
export function isRefName(ref: string): boolean {
  return ref !== '' && ref !== '@' && !FORBIDDEN_IN_REF.test(ref);
}

/** The error for a reference that the remote does not have, in upstream's words. */
export function refNotFound(url: string, target: Target): SottoError {
  return new SottoError('GIT_REF_NOT_FOUND', notFoundText(url, target), { retry: true, hint: 'check spec.ref of the GitRepository' });
}

function notFoundText(url: string, target: Target): string {
  if (target.kind === 'commit') return `unable to resolve commit object for '${target.commit}': object not found`;
  if (target.kind === 'semver') return `no match found for semver: ${target.range}`;
  if (target.from === 'name') return `unable to resolve ref '${target.ref}' to a specific commit`;
  return `unable to clone: couldn't find remote ref "${target.ref}": git repository: '${url}'`;
}

/** The error for a repository without references: its own only for a branch. */
export function emptyRepository(url: string, target: Target): SottoError {
  return target.kind === 'ref' && target.from === 'branch'
    ? new SottoError('GIT_EMPTY', 'git repository is empty', { retry: true })
    : new SottoError('GIT_FAILED', `unable to clone: remote repository is empty: git repository: '${url}'`, { retry: true });
}
