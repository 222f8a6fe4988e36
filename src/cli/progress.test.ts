import { describe, expect, it } from 'vitest';

import { virtualWorld, type Output, type World } from '../base/world/index.ts';
import { startProgress, type Item } from './progress.ts';
import { styleFor } from './style.ts';

const ESCAPE = '\u001b[';
const style = styleFor('never', { LANG: 'en_US.UTF-8' }, true);

/** A world whose stderr is kept. */
function screen(
  isTTY: boolean,
  env: World['env'] = {},
): { world: World; run: (this: void, ms: number) => Promise<boolean>; written: () => string } {
  const base = virtualWorld({ seed: 1 });
  let text = '';
  const stderr: Output = { write: (part) => void (text += part), isTTY, columns: 40 };
  return { world: { ...base, stderr, env }, run: (ms) => base.run(ms), written: () => text };
}

const item = (name: string, state: Item['state'], text: string): Item => ({ name, state, text });

describe('TRM-04: progress', () => {
  it('on a terminal: nothing for 300 ms, then one line each, cleared at the end, the cursor restored', async () => {
    const { world, run, written } = screen(true);
    const progress = startProgress(world, style, false);
    progress.show([item('apps', 'working', 'applying')]);
    await run(250);
    expect(written()).toBe(`${ESCAPE}?25l`);
    await run(100);
    expect(written()).toBe(`${ESCAPE}?25l  ◐ apps  applying\n`);
    progress.end();
    expect(written().endsWith(`${ESCAPE}1A${ESCAPE}J${ESCAPE}?25h`)).toBe(true);
  });

  it('redraws at most ten times a second, and clears before any other line', async () => {
    const { world, run, written } = screen(true);
    const progress = startProgress(world, style, false);
    await run(1000);
    for (let i = 0; i < 100; i++) {
      progress.show([item('apps', 'working', `step ${i}`)]);
      await run(10);
    }
    expect(written().split('step').length - 1).toBeLessThanOrEqual(11);
    progress.line('source  main');
    expect(written().endsWith(`${ESCAPE}1A${ESCAPE}Jsource  main\n`)).toBe(true);
    progress.end();
  });

  it('shows at most eight lines and counts the rest; long texts are cut to the width', async () => {
    const { world, run, written } = screen(true);
    const progress = startProgress(world, style, false);
    progress.show(Array.from({ length: 12 }, (_, i) => item(`app${i}`, 'waiting', 'waits for a very long name of another one')));
    await run(500);
    const lines = written().trimEnd().split('\n');
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('  and 5 more');
    expect(Math.max(...lines.slice(1).map((line) => line.length))).toBeLessThanOrEqual(40);
    progress.end();
  });

  it('piped: one line when something starts to wait and when it ends', () => {
    const { world, written } = screen(false);
    const progress = startProgress(world, style, false);
    progress.show([item('apps', 'working', 'applying')]);
    progress.show([item('apps', 'waiting', 'waits for infra')]);
    progress.show([item('apps', 'waiting', 'waits for infra')]);
    progress.show([item('apps', 'ready', 'ready')]);
    progress.end();
    expect(written()).toBe('apps: waits for infra\napps: ready\n');
  });

  it('ACCESSIBLE=1 never redraws', () => {
    const { world, written } = screen(true, { ACCESSIBLE: '1' });
    const progress = startProgress(world, style, false);
    progress.show([item('apps', 'failed', 'no')]);
    progress.end();
    expect(written()).toBe('apps: no\n');
  });

  it('quiet is quiet', () => {
    const { world, written } = screen(true);
    const progress = startProgress(world, style, true);
    progress.show([item('apps', 'failed', 'no')]);
    progress.line('x');
    progress.end();
    expect(written()).toBe('');
  });
});

it('TRM-02: --progress jsonl writes an object for each change', () => {
  const { world, written } = screen(false);
  const progress = startProgress(world, style, true, 'jsonl');
  progress.show([item('apps', 'working', 'a')]);
  progress.show([item('apps', 'working', 'a')]);
  progress.line('cluster ready');
  const lines = written()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(lines).toEqual([
    { type: 'item', name: 'apps', state: 'working', text: 'a' },
    { type: 'note', text: 'cluster ready' },
  ]);
});
