import type { Output, World } from '../base/world/index.ts';
import { stringifyJson } from '../kube/objects/index.ts';
import type { State, Style } from './style.ts';

/** One thing under way. */
export interface Item {
  readonly name: string;
  readonly state: State;
  readonly text: string;
}

/** Progress on stderr: redrawn lines on a terminal, plain lines elsewhere, nothing when quiet (TRM-04). */
export interface Progress {
  /** Shows what is under way now. */
  show(items: readonly Item[]): void;
  /** A line that stays. */
  line(text: string): void;
  /** Clears the live lines and restores the cursor. */
  end(): void;
}

const MAX_LINES = 8;
const FIRST_AFTER_MS = 300;
const REDRAW_MS = 100;
const ESCAPE = '\u001b[';

const silentProgress: Progress = { show: () => {}, line: () => {}, end: () => {} };

/** How progress is written: for whoever looks at stderr, or as one JSON object a line for programs (TRM-02). */
export type ProgressMode = 'auto' | 'jsonl';

/** Progress for this terminal, pipe or reader. */
export function startProgress(world: World, style: Style, quiet: boolean, mode: ProgressMode = 'auto'): Progress {
  if (mode === 'jsonl') return jsonProgress(world.stderr);
  if (quiet) return silentProgress;
  return world.stderr.isTTY && world.env['ACCESSIBLE'] !== '1' ? liveProgress(world, style) : plainProgress(world.stderr);
}

/** A line when something starts to wait or changes state, and when it ends. */
function plainProgress(output: Output): Progress {
  const seen = new Map<string, string>();
  return {
    show: (items) => {
      for (const item of items) {
        const text = `${item.name}: ${item.text}`;
        if (item.state !== 'working' && seen.get(item.name) !== text) output.write(`${text}\n`);
        if (item.state !== 'working') seen.set(item.name, text);
      }
    },
    line: (text) => output.write(`${text}\n`),
    end: () => {},
  };
}

/** A line for every change of every item. */
function jsonProgress(output: Output): Progress {
  const seen = new Map<string, string>();
  return {
    show: (items) => {
      for (const { name, state, text } of items) {
        const line = stringifyJson({ type: 'item', name, state, text });
        if (seen.get(name) !== line) output.write(`${line}\n`);
        seen.set(name, line);
      }
    },
    line: (text) => output.write(`${stringifyJson({ type: 'note', text })}\n`),
    end: () => {},
  };
}

function liveProgress(world: World, style: Style): Progress {
  const { stderr: output, clock } = world;
  const started = clock.monotonic();
  let drawn = 0;
  let latest: readonly Item[] = [];
  let timer: { cancel(): void } | undefined;

  const clear = (): void => {
    if (drawn > 0) output.write(`${ESCAPE}${drawn}A${ESCAPE}J`);
    drawn = 0;
  };
  const draw = (): void => {
    timer = undefined;
    clear();
    const under = latest.filter((item) => item.state !== 'ready');
    const shown = under.slice(0, under.length > MAX_LINES ? MAX_LINES - 1 : MAX_LINES).map((item) => lineOf(item, style, output.columns));
    if (under.length > MAX_LINES) shown.push(`  and ${under.length - MAX_LINES + 1} more`);
    if (shown.length > 0) output.write(`${shown.join('\n')}\n`);
    drawn = shown.length;
  };
  const schedule = (): void => {
    if (timer !== undefined) return;
    const quietFor = Math.max(0, FIRST_AFTER_MS - (clock.monotonic() - started));
    timer = clock.after(Math.max(REDRAW_MS, quietFor), draw);
  };
  const hide = (): void => output.write(`${ESCAPE}?25l`);
  const restore = (): void => output.write(`${ESCAPE}?25h`);
  hide();
  return {
    show: (items) => {
      latest = items;
      schedule();
    },
    line: (text) => {
      clear();
      output.write(`${text}\n`);
      schedule();
    },
    end: () => {
      timer?.cancel();
      clear();
      restore();
    },
  };
}

function lineOf(item: Item, style: Style, columns: number): string {
  const text = `${item.name}  ${item.text}`.replaceAll(/\s*\n\s*/g, ' ');
  const glyph = style.glyph(item.state);
  const room = Math.max(20, columns - glyph.length - 4);
  return `  ${style.paint(item.state, glyph)} ${text.length > room ? `${text.slice(0, room - 1)}…` : text}`;
}
