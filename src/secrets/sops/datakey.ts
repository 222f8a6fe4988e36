import { messageOf, SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { legacyAwsContexts, type Credentials, type KeyContext, type MasterKey, type MasterKeyType, type Unwrapped } from '../keys/index.ts';
import { keyWithFields, type KeyService } from './key-services.ts';
import { isOlderVersion, type KeyEntry, type Metadata } from './metadata.ts';
import { combineShares, splitSecret } from './shamir.ts';
import { formatUtc } from './times.ts';

const DATA_KEY_LENGTH = 32;

/** Key types tried first; others follow in file order. */
export const DEFAULT_DECRYPTION_ORDER: readonly MasterKeyType[] = ['age', 'pgp'];

/** What became of one key of a group. */
export interface KeyAttempt {
  readonly display: string;
  readonly type: MasterKeyType;
  readonly reason: string;
  /** One for each key service that was asked. */
  readonly reasons: readonly string[];
}

export interface GroupAttempt {
  readonly opened: boolean;
  readonly failures: readonly KeyAttempt[];
}

/** The data key cannot be had. `groups` says why, key by key. */
export class DataKeyError extends SottoError {
  readonly groups: readonly GroupAttempt[];
  /** Groups that had to open. */
  readonly threshold: number;

  constructor(groups: readonly GroupAttempt[], threshold: number, credentials: Credentials, failed: readonly unknown[]) {
    const displays = groups.flatMap((group) => group.failures.map((failure) => failure.display));
    const recipients = displays.join(', ');
    const opened = groups.filter((group) => group.opened).length;
    const parts = threshold > 1 ? `${opened} of the ${threshold} key groups needed open` : 'no key at hand opens the data key';
    const code = failed.length > 0 ? 'SOPS_KEY_FAILED' : 'SOPS_NO_IDENTITY';
    const why = failed.length > 0 ? `; ${failed.map(messageOf).join('; ')}` : '';
    super(code, `${parts}; the file is encrypted for ${recipients}${why}; ${describeSearch(credentials)}`, {
      hint: `give the identity of one of these recipients: ${recipients}`,
      retry: failed.some((error) => error instanceof SottoError && error.retry),
      cause: failed[0],
    });
    this.groups = groups;
    this.threshold = threshold;
  }
}

function describeSearch({ age }: Credentials): string {
  const identities = age?.identities ?? [];
  const sources = [...new Set(identities.map(({ source }) => source))];
  const looked = [...sources, ...(age?.searched ?? [])];
  return `searched: ${looked.length === 0 ? 'nothing' : looked.join(', ')} (${identities.length} age ${identities.length === 1 ? 'identity' : 'identities'})`;
}

export interface OpenedDataKey {
  readonly dataKey: Sensitive<Uint8Array>;
  /** Display strings of the keys that opened it, one per group. */
  readonly openedBy: readonly string[];
}

/** How the data key of a file is opened. */
export interface Opening {
  /** Asked in this order for every key, until one succeeds. */
  readonly services: readonly KeyService[];
  /** For error messages only. */
  readonly credentials: Credentials;
  readonly order?: readonly MasterKeyType[] | undefined;
}

/**
 * Opens the data key of a file. Every group is tried; inside a group the first key that opens wins.
 *
 * @throws DataKeyError SOPS_NO_IDENTITY (no credential fits) or SOPS_KEY_FAILED (one fits, but failed), SottoError SOPS_SHAMIR
 */
export async function openDataKey(metadata: Metadata, opening: Opening): Promise<OpenedDataKey> {
  const { credentials, order = DEFAULT_DECRYPTION_ORDER } = opening;
  const attempts: GroupAttempt[] = [];
  const parts: { readonly part: Sensitive<Uint8Array>; readonly by: string }[] = [];
  const failed: unknown[] = [];
  for (const group of metadata.groups) {
    const result = await openGroup(sortByOrder(group, order), metadata.version, opening.services, failed);
    attempts.push(result);
    if (result.part !== undefined) parts.push({ part: result.part, by: result.by });
  }
  const isShared = metadata.groups.length > 1;
  const threshold = isShared ? metadata.shamirThreshold || metadata.groups.length : 1;
  if (parts.length < threshold) throw new DataKeyError(attempts, threshold, credentials, failed);
  const openedBy = parts.map(({ by }) => by);
  const [first] = parts;
  if (first === undefined) throw new DataKeyError(attempts, threshold, credentials, failed);
  if (!isShared) return { dataKey: first.part, openedBy };
  return { dataKey: new Sensitive(combineShares(parts.map(({ part }) => part.reveal()))), openedBy };
}

type GroupResult = GroupAttempt & { readonly part?: Sensitive<Uint8Array>; readonly by: string };

async function openGroup(
  group: readonly KeyEntry[],
  version: string,
  services: readonly KeyService[],
  failed: unknown[],
): Promise<GroupResult> {
  const failures: KeyAttempt[] = [];
  for (const { type, fields, enc } of group) {
    const key = keyWithFields(type, fields);
    const reasons: string[] = [];
    for (const candidate of [key, ...legacyKeys(type, fields, version)]) {
      for (const service of services) {
        const unwrapped = await ask(() => service.unwrap(candidate, enc), failed);
        if (unwrapped.kind === 'opened') return { opened: true, failures, part: unwrapped.dataKey, by: key.display };
        if (candidate === key) reasons.push(unwrapped.reason);
      }
    }
    failures.push({ display: key.display, type, reason: reasons.join('; '), reasons });
  }
  return { opened: false, failures, by: '' };
}

/** SOPS before 3.3.0 mixed up the values of an AWS encryption context; see legacyAwsContexts. */
const AWS_CONTEXTS_SINCE = '3.3.0';

function legacyKeys(type: MasterKeyType, fields: KeyEntry['fields'], version: string): MasterKey[] {
  const { context } = fields;
  if (type !== 'kms' || typeof context !== 'object' || !isOlderVersion(version, AWS_CONTEXTS_SINCE)) return [];
  return legacyAwsContexts({ arn: '', context }).map((mixed) => keyWithFields(type, { ...fields, context: mixed }));
}

/** A key that failed is no reason to leave the others untried. */
async function ask(unwrap: () => Promise<Unwrapped>, failed: unknown[]): Promise<Unwrapped> {
  try {
    return await unwrap();
  } catch (error) {
    if (!(error instanceof SottoError) || error.code === 'ABORTED') throw error;
    failed.push(error);
    return { kind: 'not-mine', reason: messageOf(error) };
  }
}

/** Stable: types that are not named keep file order, after the named ones. */
function sortByOrder(group: readonly KeyEntry[], order: readonly MasterKeyType[]): KeyEntry[] {
  const rank = (key: KeyEntry): number => (order.includes(key.type) ? order.indexOf(key.type) : order.length);
  return group.toSorted((a, b) => rank(a) - rank(b));
}

export interface WrappedDataKey {
  readonly dataKey: Sensitive<Uint8Array>;
  readonly groups: readonly (readonly KeyEntry[])[];
  /** 0 with a single group. */
  readonly threshold: number;
}

/** A fresh data key. */
export function makeDataKey({ entropy }: Pick<KeyContext, 'entropy'>): Sensitive<Uint8Array> {
  return new Sensitive(entropy.bytes(DATA_KEY_LENGTH));
}

/** Who gets a data key. */
export interface Recipients {
  readonly groups: readonly (readonly MasterKey[])[];
  /** Groups that have to open; 0 means all. */
  readonly threshold: number;
}

/**
 * Wraps a data key for every key; with several groups each key of group i wraps part i. Each key is wrapped by the first
 * service that can.
 *
 * @throws SottoError SOPS_NO_KEYS, SOPS_SHAMIR, or what the last service throws; nothing is half done then
 */
export async function wrapDataKey(
  dataKey: Sensitive<Uint8Array>,
  { groups, threshold }: Recipients,
  services: readonly KeyService[],
  context: KeyContext,
): Promise<WrappedDataKey> {
  if (groups.length === 0 || groups.some((group) => group.length === 0)) {
    throw new SottoError('SOPS_NO_KEYS', 'empty key group provided', { hint: 'name at least one recipient, in .sops.yaml or with --age' });
  }
  const needed = groups.length > 1 ? threshold || groups.length : 0;
  const secret = dataKey.reveal();
  const parts = groups.length > 1 ? splitSecret(secret, groups.length, needed, context.entropy) : [secret];
  const wrapped: KeyEntry[][] = [];
  for (const [index, group] of groups.entries()) {
    const part = new Sensitive(parts[index] ?? secret);
    const entries: KeyEntry[] = [];
    for (const key of group) entries.push(await wrapFor(key, part, services, context));
    wrapped.push(entries);
  }
  return { dataKey, groups: wrapped, threshold: needed };
}

async function wrapFor(
  key: MasterKey,
  part: Sensitive<Uint8Array>,
  services: readonly KeyService[],
  { world }: KeyContext,
): Promise<KeyEntry> {
  const enc = await firstWrap(key, part, services);
  const created = key.type === 'age' ? {} : { createdAt: formatUtc(world.clock.now()) };
  return { type: key.type, fields: key.fields ?? { recipient: key.display }, enc, ...created };
}

async function firstWrap(key: MasterKey, part: Sensitive<Uint8Array>, services: readonly KeyService[]): Promise<string> {
  let failure: unknown = new SottoError('SOPS_NO_KEY_SERVICE', 'there is no key service to wrap the data key', {
    hint: 'name one with --keyservice, or leave the local one on',
  });
  for (const service of services) {
    try {
      return await service.wrap(key, part);
    } catch (error) {
      if (!(error instanceof SottoError) || error.code === 'ABORTED') throw error;
      failure = error;
    }
  }
  throw failure;
}
