import type { World } from '../base/world/index.ts';

export type State = 'ready' | 'failed' | 'waiting' | 'working' | 'suspended' | 'warning';

/** How words of state look on this output. */
export interface Style {
  readonly colour: boolean;
  /** A glyph, or '' for readers that do not want one. */
  glyph(state: State): string;
  /** Text in the colour of a state. */
  paint(state: State, text: string): string;
  heading(text: string): string;
}

const GLYPHS: Readonly<Record<State, string>> = { ready: '✓', failed: '✕', waiting: '◷', working: '◐', suspended: '‖', warning: '▲' };
const ASCII: Readonly<Record<State, string>> = { ready: '+', failed: 'x', waiting: '.', working: '~', suspended: '=', warning: '!' };
/** SGR codes of the 16-colour palette. */
const COLOURS: Readonly<Record<State, number>> = { ready: 32, failed: 31, waiting: 33, working: 36, suspended: 90, warning: 33 };
const BOLD = 1;

/** Whether to colour: `--color`, then NO_COLOR, CLICOLOR_FORCE, TERM=dumb, and whether the output is a terminal (TRM-03). */
export function wantsColour(choice: string | undefined, env: World['env'], isTTY: boolean): boolean {
  if (choice === 'always') return true;
  if (choice === 'never' || (env['NO_COLOR'] ?? '') !== '') return false;
  if ((env['CLICOLOR_FORCE'] ?? '0') !== '0') return true;
  return isTTY && env['TERM'] !== 'dumb';
}

/** Glyphs and colours for an output. ASCII words when the locale is not UTF-8; no glyph with ACCESSIBLE=1. */
export function styleFor(choice: string | undefined, env: World['env'], isTTY: boolean): Style {
  const colour = wantsColour(choice, env, isTTY);
  const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? '';
  const ascii = env['SOTTO_ASCII'] === '1' || (locale !== '' && !/utf-?8/i.test(locale));
  const glyphs = ascii ? ASCII : GLYPHS;
  const sgr = (code: number, text: string): string => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  return {
    colour,
    glyph: (state) => (env['ACCESSIBLE'] === '1' ? '' : glyphs[state]),
    paint: (state, text) => sgr(COLOURS[state], text),
    heading: (text) => sgr(BOLD, text),
  };
}
