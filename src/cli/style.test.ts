import { describe, expect, it } from 'vitest';

import { styleFor, wantsColour } from './style.ts';

describe('TRM-03: colour', () => {
  it.each([
    ['auto', {}, true, true],
    ['auto', {}, false, false],
    ['auto', { NO_COLOR: '1' }, true, false],
    ['auto', { CLICOLOR_FORCE: '1' }, false, true],
    ['auto', { TERM: 'dumb' }, true, false],
    ['never', { CLICOLOR_FORCE: '1' }, true, false],
    ['always', { NO_COLOR: '1' }, false, true],
  ])('--color %s, environment %o, terminal %s → %s', (choice, env, isTTY, expected) => {
    expect(wantsColour(choice, env, isTTY)).toBe(expected);
  });

  it('glyphs: UTF-8, ASCII words elsewhere, none for screen readers', () => {
    expect(styleFor('never', { LANG: 'en_US.UTF-8' }, true).glyph('ready')).toBe('✓');
    expect(styleFor('never', { LANG: 'C' }, true).glyph('ready')).toBe('+');
    expect(styleFor('never', { SOTTO_ASCII: '1' }, true).glyph('failed')).toBe('x');
    expect(styleFor('never', { ACCESSIBLE: '1' }, true).glyph('ready')).toBe('');
  });
});
