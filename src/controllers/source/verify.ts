import { messageOf } from '../../base/errors/index.ts';
import { verifySignature, type GitCommit, type PublicKeys, type SignedObject } from '../../fetch/git/index.ts';
import type { GitRepositorySpec, GitRepositoryStatus } from '../../kube/objects/index.ts';
import { SourceFailure } from './failure.ts';
import { trace, type Pass } from './pass.ts';
import { readSecret } from './secret.ts';

type Mode = 'HEAD' | 'Tag' | 'TagAndHEAD';

/** What has to be signed; `head` is an old spelling, and the default is the commit. Undefined: nothing. */
function verificationMode({ verify }: GitRepositorySpec): Mode | undefined {
  if (verify === undefined) return undefined;
  return verify.mode === undefined || verify.mode === 'head' ? 'HEAD' : verify.mode;
}

/** Whether the stored archive was not verified in the way that the spec asks for (flux/GIT-09: a widened mode). */
export function isVerificationDue(spec: GitRepositorySpec, { sourceVerificationMode: observed }: GitRepositoryStatus): boolean {
  const mode = verificationMode(spec);
  return mode !== undefined && observed !== mode && observed !== 'TagAndHEAD';
}

/** Forgets what an earlier run said about signatures: that they are wrong, or anything when none are asked for any more. */
export function clearVerification({ draft, spec }: Pass): void {
  const isWanted = spec.verify !== undefined;
  if (!isWanted || draft.condition('SourceVerified')?.status === 'False') draft.unmark('SourceVerified');
  if (!isWanted) draft.set({ sourceVerificationMode: undefined });
}

/**
 * Verifies the signatures that `spec.verify` asks for, and says so in SourceVerified. The mode that it returns is to be
 * recorded when the archive has been stored, not before.
 *
 * @throws SourceFailure VerificationError, InvalidVerificationMode (stalled), InvalidGitObject, InvalidTagSignature,
 *   InvalidCommitSignature: the commit must not become an artifact
 */
export async function verifyCommit(pass: Pass, fetched: GitCommit): Promise<Mode | undefined> {
  const { draft, spec } = pass;
  const mode = verificationMode(spec);
  if (mode === undefined || spec.verify === undefined) return undefined;
  const keys = await publicKeys(pass, spec.verify.secretRef.name);
  const lines: string[] = [];
  if (mode !== 'HEAD') lines.push(await verifyTag(pass, fetched, keys));
  if (mode !== 'Tag') lines.push(await verifyHead(pass, fetched, keys));
  const message = `verified signature of${lines.map((line) => `\n\t- ${line}`).join('')}`;
  draft.mark('SourceVerified', 'True', 'Succeeded', message);
  trace(pass, 'Succeeded', message);
  return mode;
}

async function publicKeys(pass: Pass, name: string): Promise<PublicKeys> {
  const secret = await readSecret(pass, name).catch((cause: unknown) => {
    if (!(cause instanceof SourceFailure)) throw cause;
    throw refused('VerificationError', `public keys secret error: ${messageOf(cause.cause)}`, { cause });
  });
  return new Map(secret.keys().map((key) => [key, secret.get(key)?.reveal() ?? '']));
}

async function verifyTag(pass: Pass, { signed }: GitCommit, keys: PublicKeys): Promise<string> {
  const tag = signed?.tag;
  if (tag === undefined) {
    const text = "cannot verify tag object's signature if a tag reference is not specified";
    throw refused('InvalidVerificationMode', text, { isStalled: true });
  }
  const name = `${tag.name}@sha1:${tag.hash}`;
  if (tag.signature === undefined) throw refused('InvalidGitObject', `cannot verify signature of tag '${name}' since it is not signed`);
  return `tag '${name}' with key '${await check(pass, tag, keys, 'InvalidTagSignature', `tag '${name}'`)}'`;
}

async function verifyHead(pass: Pass, { commit, signed }: GitCommit, keys: PublicKeys): Promise<string> {
  const object = signed?.commit ?? { payload: new Uint8Array(), signature: undefined };
  return `commit '${commit}' with key '${await check(pass, object, keys, 'InvalidCommitSignature', `commit '${commit}'`)}'`;
}

async function check(pass: Pass, object: SignedObject, keys: PublicKeys, reason: string, what: string): Promise<string> {
  try {
    return await verifySignature(object, keys, pass.controls.world);
  } catch (cause) {
    throw refused(reason, `signature verification of ${what} failed: ${messageOf(cause)}`, { cause });
  }
}

function refused(reason: string, message: string, options: { isStalled?: boolean; cause?: unknown } = {}): SourceFailure {
  return new SourceFailure(reason, message, { condition: 'SourceVerified', ...options });
}
