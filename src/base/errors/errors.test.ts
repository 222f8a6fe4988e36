import { describe, expect, it } from 'vitest';

import { aborted, codeOf, formatPosition, isAbort, messageOf, SottoError, Terminal } from './index.ts';

describe('SottoError', () => {
  it('carries code, hint, position and whether to retry', () => {
    const error = new SottoError('X_BROKEN', 'broken', { hint: 'mend it', at: { file: 'a.yaml', line: 3, column: 5 }, retry: true });
    expect({ code: error.code, hint: error.hint, retry: error.retry }).toEqual({ code: 'X_BROKEN', hint: 'mend it', retry: true });
    expect(messageOf(error)).toBe('a.yaml:3:5: broken');
  });

  it('keeps its cause for debugging without putting it into the message', () => {
    const error = new SottoError('X_BROKEN', 'broken', { cause: new Error('inner secret') });
    expect(messageOf(error)).toBe('broken');
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('a Terminal error is told apart from one that is retried', () => {
    expect(new Terminal('X', 'x')).toBeInstanceOf(SottoError);
    expect(new SottoError('X', 'x')).not.toBeInstanceOf(Terminal);
  });
});

describe('any thrown value', () => {
  it.each([
    [new SottoError('A_B', 'm'), 'A_B'],
    [Object.assign(new Error('m'), { code: 'ENOENT' }), 'ENOENT'],
    [new Error('m'), 'INTERNAL'],
    ['text', 'INTERNAL'],
    [undefined, 'INTERNAL'],
  ])('%s has a code', (thrown, code) => {
    expect(codeOf(thrown)).toBe(code);
  });

  it('an abort is recognised however it was made', () => {
    const controller = new AbortController();
    controller.abort();
    expect(isAbort(aborted())).toBe(true);
    expect(isAbort(controller.signal.reason)).toBe(true);
    expect(isAbort(new Error('other'))).toBe(false);
  });
});

describe('formatPosition', () => {
  it.each([
    [{ file: 'a', line: 1, column: 2 }, 'a:1:2'],
    [{ file: 'a', line: 1 }, 'a:1'],
    [{ file: 'a', column: 2 }, 'a'],
    [{ line: 4 }, '4'],
    [undefined, ''],
  ])('%o → %s', (at, text) => {
    expect(formatPosition(at)).toBe(text);
  });
});
