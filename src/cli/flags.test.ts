import { describe, expect, it } from 'vitest';

import { normaliseGoFlags, parseArguments, type Flag } from './flags.ts';

const FLAGS: readonly Flag[] = [
  { name: 'pq', help: '' },
  { name: 'output', short: 'o', value: 'F', default: 'table', choices: ['table', 'json'], help: '' },
  { name: 'once', help: '' },
  { name: 'set', value: 'X', repeat: true, help: '' },
  { name: 'no-simulate', help: '' },
];

describe('Go-style flags', () => {
  it.each([
    [['-pq'], ['--pq']],
    [
      ['-output', 'json'],
      ['--output', 'json'],
    ],
    [['-output=json'], ['--output=json']],
    [['--once=true'], ['--once']],
    [['--once=false'], []],
    [
      ['-o', 'json'],
      ['-o', 'json'],
    ],
    [
      ['--', '-pq'],
      ['--', '-pq'],
    ],
    [
      ['-', 'x'],
      ['-', 'x'],
    ],
  ])('%o → %o', (argv, result) => {
    expect(normaliseGoFlags(argv, FLAGS)).toEqual(result);
  });
});

describe('parseArguments', () => {
  it('flags stand before or after arguments, defaults apply', async () => {
    const args = await parseArguments(['--once', 'a', '-pq', 'b', '--set', '1', '--set=2'], FLAGS);
    expect(args.positional).toEqual(['a', 'b']);
    expect([args.has('once'), args.has('pq'), args.has('no-simulate'), args.text('output'), args.list('set')]).toEqual([
      true,
      true,
      false,
      'table',
      ['1', '2'],
    ]);
    expect((await parseArguments(['--no-simulate'], FLAGS)).has('no-simulate')).toBe(true);
  });

  it.each([
    [['--onec'], 'unknown flag --onec', 'did you mean --once?'],
    [['--set'], '--set needs a value', undefined],
    [['--once=perhaps'], 'invalid value for --once', undefined],
    [['-o', 'toml'], 'Allowed choices are table, json', undefined],
  ])('TRM-08: %o fails with the nearest name', async (argv, message, hint) => {
    await expect(parseArguments(argv, FLAGS)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(message) as string,
      hint,
    });
  });
});
