import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatDuration, parseDuration, seededRandom, virtualWorld } from './index.ts';

describe('virtualWorld', () => {
  it('a day passes in no time, timers fire in order of due time and creation', async () => {
    const world = virtualWorld({ seed: 1 });
    const start = world.clock.now();
    const fired: string[] = [];
    world.clock.after(86_400_000, () => fired.push('day'));
    world.clock.after(1000, () => fired.push('a'));
    world.clock.after(1000, () => fired.push('b'));
    world.clock.after(500, () => fired.push('never')).cancel();
    await world.run(86_400_000);
    expect(fired).toEqual(['a', 'b', 'day']);
    expect(world.clock.now() - start).toBe(86_400_000);
  });

  it('sleep wakes at its time, and rejects when its signal fires', async () => {
    const world = virtualWorld({ seed: 1 });
    const stop = new AbortController();
    const seen: string[] = [];
    void world.clock.sleep(100).then(() => seen.push(`woke ${world.clock.now() - start}`));
    void world.clock.sleep(5000, stop.signal).catch(() => seen.push('stopped'));
    const start = world.clock.now();
    world.clock.after(50, () => stop.abort());
    await world.run(200);
    expect(seen).toEqual(['stopped', 'woke 100']);
  });

  it('work outside holds time still and completes in call order', async () => {
    const world = virtualWorld({ seed: 1 });
    const start = world.clock.now();
    const seen: string[] = [];
    const real = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
    world.clock.after(1, () => seen.push('timer'));
    void world.outside(() => real(20)).then(() => seen.push(`slow ${world.clock.now() - start}`));
    void world.outside(() => real(1)).then(() => seen.push(`fast ${world.clock.now() - start}`));
    await world.run(10);
    expect(seen).toEqual(['slow 0', 'fast 0', 'timer']);
  });

  it('a failure outside is delivered as a failure', async () => {
    const world = virtualWorld({ seed: 1 });
    const failed = world.outside(() => Promise.reject(new Error('no'))).catch((error: unknown) => String(error));
    await world.run(1);
    await expect(failed).resolves.toBe('Error: no');
  });

  it('turn() resolves before time passes', async () => {
    const world = virtualWorld({ seed: 1 });
    const seen: string[] = [];
    world.clock.after(0, () => seen.push('timer'));
    void world.clock.turn().then(() => seen.push('turn'));
    await world.run(1);
    expect(seen).toEqual(['turn', 'timer']);
  });

  it('run stops when its condition holds', async () => {
    const world = virtualWorld({ seed: 1 });
    let ticks = 0;
    const tick = (): void => {
      ticks += 1;
      world.clock.after(10, tick);
    };
    tick();
    expect(await world.run(1000, () => ticks === 5)).toBe(true);
    expect(ticks).toBe(5);
    expect(await world.run(1000, () => ticks === 1)).toBe(false);
  });

  it('the same seed takes the same steps', async () => {
    const trace = async (seed: number): Promise<string[]> => {
      const world = virtualWorld({ seed });
      const seen: string[] = [];
      const step = (n: number): void => {
        seen.push(`${n}@${world.clock.now()} ${world.random.uuid()}`);
        if (n < 20) world.clock.after(world.random.below(1000), () => step(n + 1));
      };
      step(0);
      await world.run(100_000);
      return seen;
    };
    expect(await trace(7)).toEqual(await trace(7));
    expect(await trace(7)).not.toEqual(await trace(8));
  });
});

describe('seededRandom', () => {
  it('draws numbers in range, evenly enough', () => {
    const random = seededRandom(3);
    const counts = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random.below(10);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
    expect(random.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('durations', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['750ms', 750],
    ['0', 0],
    ['1.5s', 1500],
    ['-2m', -120_000],
    ['1m0.5s', 60_500],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '5', 'abc', '1d', '1h 2m', '.s'])('"%s" is refused with what is expected', (text) => {
    expect(() => parseDuration(text)).toThrow('invalid duration');
  });

  it.each([
    [0, '0s'],
    [1500, '1.5s'],
    [90_000, '1m30s'],
    [3_600_000, '1h0m0s'],
    [0.5, '500µs'],
    [250, '250ms'],
  ])('%d ms prints as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('what is printed parses back', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 10 ** 10 }), (ms) => parseDuration(formatDuration(ms)) === ms));
  });
});
