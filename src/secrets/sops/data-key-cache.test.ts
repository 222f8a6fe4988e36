import { beforeAll, describe, expect, it } from 'vitest';

import { aborted, SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { systemEntropy, systemWorld, virtualWorld } from '../../base/world/index.ts';
import { ageKey, ageRecipientOf, generateAgeIdentity, type Credentials, type Unwrapped } from '../keys/index.ts';
import { dataKeyCache, decrypt, encrypt } from './index.ts';

const context = { world: systemWorld(), entropy: systemEntropy };
const key = ageKey('age1example');
const opened = (byte: number): Promise<Unwrapped> =>
  Promise.resolve({ kind: 'opened', dataKey: new Sensitive(new Uint8Array(32).fill(byte)) });
const withToken = (token: string): Credentials => ({ vault: { token: new Sensitive(token) } });

/** A cache on a clock that we move, and a key that says how often it was asked. */
function harness(options: { readonly maxEntries?: number; readonly ttlMs?: number } = {}) {
  const world = virtualWorld({ seed: 1 });
  const cache = dataKeyCache({ clock: world.clock, ...options });
  let asked = 0;
  const ask = async (wrapped: string, credentials: Credentials = withToken('a')): Promise<number | undefined> => {
    const result = await cache.unwrap(key, wrapped, credentials, context, () => {
      asked++;
      return opened(asked);
    });
    return result.kind === 'opened' ? result.dataKey.reveal()[0] : undefined;
  };
  return { world, cache, ask, asked: () => asked };
}

describe('the data key cache', () => {
  it('SOPS-70: asks once per wrapped key and identity', async () => {
    const { ask } = harness();
    expect([await ask('w1'), await ask('w1'), await ask('w2'), await ask('w1')]).toEqual([1, 1, 2, 1]);
  });

  it('SOPS-71: never gives one identity what another one opened', async () => {
    const { ask } = harness();
    expect(await ask('w', withToken('a'))).toBe(1);
    expect(await ask('w', withToken('b'))).toBe(2);
    expect(await ask('w', {})).toBe(3);
    expect(await ask('w', withToken('a'))).toBe(1);
  });

  it('SOPS-71: equal texts are one identity; functions are told apart', async () => {
    const { ask } = harness();
    const provided = (): Credentials => ({ gcp: { tokenSource: () => Promise.resolve(new Sensitive('t')) } });
    const credentials = provided();
    expect(await ask('w', credentials)).toBe(1);
    expect(await ask('w', { ...credentials })).toBe(1);
    expect(await ask('w', provided())).toBe(2);
  });

  it('forgets after the TTL, and overwrites the bytes even when nobody asks', async () => {
    const { world, cache, ask } = harness({ ttlMs: 1000 });
    expect(await ask('w')).toBe(1);
    await world.run(999);
    expect(await ask('w')).toBe(1);
    await world.run(2);
    expect(cache.size).toBe(0);
    expect(await ask('w')).toBe(2);
  });

  it('holds no more than its entries; the oldest goes first', async () => {
    const { cache, ask } = harness({ maxEntries: 2 });
    await ask('w1');
    await ask('w2');
    await ask('w3');
    expect(cache.size).toBe(2);
    expect(await ask('w3')).toBe(3);
    expect(await ask('w1')).toBe(4);
  });

  it('gives copies: a caller that wipes its bytes harms nobody', async () => {
    const { cache } = harness();
    const take = async (): Promise<Uint8Array> => {
      const result = await cache.unwrap(key, 'w', {}, context, () => opened(9));
      return result.kind === 'opened' ? result.dataKey.reveal() : new Uint8Array();
    };
    const calls = await Promise.all([take(), take()]);
    calls[0]?.fill(0);
    expect(calls[1]?.[0]).toBe(9);
    expect((await take())[0]).toBe(9);
  });

  it('calls at one time share one request; failures are not kept', async () => {
    const { ask, asked, cache } = harness();
    expect(await Promise.all([ask('w'), ask('w'), ask('w')])).toEqual([1, 1, 1]);
    expect(asked()).toBe(1);
    const failing = (): Promise<Unwrapped> => Promise.reject(new SottoError('KEY_SERVICE_BUSY', 'busy'));
    await expect(cache.unwrap(key, 'f', {}, context, failing)).rejects.toThrow('busy');
    expect(await cache.unwrap(key, 'f', {}, context, () => opened(5))).toMatchObject({ kind: 'opened' });
    const notMine = (): Promise<Unwrapped> => Promise.resolve({ kind: 'not-mine', reason: 'x' });
    expect(await cache.unwrap(key, 'n', {}, context, notMine)).toMatchObject({ kind: 'not-mine' });
    expect(await cache.unwrap(key, 'n', {}, context, () => opened(5))).toMatchObject({ kind: 'opened' });
  });

  it('a caller that gives up does not take the others with it', async () => {
    const { cache } = harness();
    const first = cache.unwrap(key, 'w', {}, context, () => Promise.reject(aborted()));
    const other = cache.unwrap(key, 'w', {}, context, () => opened(3));
    await expect(first).rejects.toThrow('stopped');
    expect(await other).toMatchObject({ kind: 'opened' });
  });

  it('clear overwrites what it forgets', async () => {
    const { cache, ask } = harness();
    await ask('w');
    cache.clear();
    expect(cache.size).toBe(0);
  });

  let identity: Sensitive<string>;
  beforeAll(() => {
    identity = generateAgeIdentity(systemEntropy);
  });

  it('SOPS-70: serves decrypt', async () => {
    const recipient = ageKey(await ageRecipientOf(identity, context.world));
    const sealed = await encrypt(new TextEncoder().encode('a: x\n'), { ...context, format: 'yaml', groups: [[recipient]] });
    const dataKeys = dataKeyCache({ clock: context.world.clock });
    const credentials = { age: { identities: [{ source: 'test', identity }] } };
    const options = { ...context, format: 'yaml' as const, credentials, dataKeys };
    await decrypt(sealed, options);
    expect(dataKeys.size).toBe(1);
    expect(Buffer.from((await decrypt(sealed, options)).bytes).toString()).toBe('a: x\n');
    await expect(decrypt(sealed, { ...options, credentials: {} })).rejects.toThrow('no key at hand');
    dataKeys.clear();
  });
});
