import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';

import { armor } from 'age-encryption';
import * as vectors from 'cctv-age';
import { describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { openProtectedIdentities } from './age-scrypt.ts';
import { ageKey, type Credentials } from './index.ts';

/** The vectors of https://c2sp.org/CCTV/age, opened as SOPS opens a data key and as an identity file is opened. */
interface Vector {
  readonly expected: string;
  readonly payload: string | undefined;
  readonly identities: readonly string[];
  readonly passphrases: readonly string[];
  readonly isArmored: boolean;
  readonly file: Uint8Array;
}

function parseVector(bytes: Uint8Array): Vector {
  const buffer = Buffer.from(bytes);
  const end = buffer.indexOf('\n\n');
  const fields = buffer
    .subarray(0, end)
    .toString()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const);
  const all = (name: string): string[] => fields.flatMap(([field, value]) => (field === name ? [value] : []));
  const body = buffer.subarray(end + 2);
  return {
    expected: all('expect')[0] ?? '',
    payload: all('payload')[0],
    identities: all('identity'),
    passphrases: all('passphrase'),
    isArmored: all('armored')[0] === 'yes',
    file: all('compressed')[0] === 'zlib' ? inflateSync(body) : body,
  };
}

const ALL = Object.entries(vectors)
  .filter((found): found is [string, Uint8Array] => found[1] instanceof Uint8Array)
  .map(([name, bytes]) => ({ name, ...parseVector(bytes) }));
const WITH_PASSPHRASE = ALL.filter(({ passphrases }) => passphrases.length > 0);
const WITH_IDENTITY = ALL.filter(({ passphrases }) => passphrases.length === 0);

const context = { world: systemWorld(), entropy: systemEntropy };
/** For vectors that name no identity. */
const OTHER_IDENTITY = 'AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0';

type Outcome =
  | { readonly kind: 'opened'; readonly hash: string }
  | { readonly kind: 'not-mine' }
  | { readonly kind: 'refused'; readonly code: string };

async function open({ file, identities, isArmored }: Vector): Promise<Outcome> {
  const texts = identities.length === 0 ? [OTHER_IDENTITY] : identities;
  const credentials: Credentials = { age: { identities: texts.map((text) => ({ source: 'vector', identity: new Sensitive(text) })) } };
  const wrapped = isArmored ? Buffer.from(file).toString('latin1') : armor.encode(file);
  try {
    const result = await ageKey('age1vector').unwrap(wrapped, credentials, context);
    if (result.kind === 'not-mine') return { kind: 'not-mine' };
    return { kind: 'opened', hash: createHash('sha256').update(result.dataKey.reveal()).digest('hex') };
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    return { kind: 'refused', code: error.code };
  }
}

function expectedOf({ expected, payload }: Vector): Outcome {
  if (expected === 'success') return { kind: 'opened', hash: payload ?? '' };
  return expected === 'no match' ? { kind: 'not-mine' } : { kind: 'refused', code: 'AGE_WRAPPED_KEY_INVALID' };
}

describe('the CCTV age vectors', () => {
  it('are all here', () => {
    expect(WITH_IDENTITY.length).toBeGreaterThan(100);
    expect(WITH_PASSPHRASE.length).toBeGreaterThan(10);
  });

  it.each(WITH_IDENTITY)('AGE-01, AGE-02, AGE-03, AGE-04: $name ends in $expected', async (vector) => {
    expect(await open(vector)).toEqual(expectedOf(vector));
  });

  it.each(WITH_PASSPHRASE)('AGE-05: as an identity file, $name ends in $expected', async (vector) => {
    const { expected, file, passphrases } = vector;
    const [passphrase = ''] = passphrases;
    const failure = await openProtectedIdentities(file, 'vector', () => Promise.resolve(new Sensitive(passphrase))).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(SottoError);
    // the payload of a vector is no identity: only once the file is open can that be known
    const isOpened = failure instanceof SottoError && failure.at?.line !== undefined;
    expect(isOpened).toBe(expected === 'success');
  });
});
