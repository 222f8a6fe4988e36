import { describe, expect, it } from 'vitest';

import { parseEnvFile, parseFileSource, parseLiteral } from './pairs.ts';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');

describe('KZ-20: literals', () => {
  it.each([
    ['a=b', 'a', 'b'],
    ['a=b=c', 'a', 'b=c'],
    ['a=', 'a', ''],
    ['a="x y"', 'a', 'x y'],
    [`a='q'`, 'a', 'q'],
    ['a="unbalanced', 'a', '"unbalanced'],
    ['a="', 'a', '"'],
    ['a=""', 'a', ''],
    [`a=""b""`, 'a', '"b"'],
    [`a='x"`, 'a', `'x"`],
    [' k k = v ', ' k k ', ' v '],
  ])('%j is the key %j with the value %j', (source, key, value) => {
    const [name, bytes] = parseLiteral(source);
    expect([name, text(bytes)]).toEqual([key, value]);
  });

  it.each(['=x', 'no equals sign, but a s3cret', ''])('%j is refused without being quoted', (source) => {
    expect(() => parseLiteral(source)).toThrow(/^invalid literal source (?!.*s3cret)/);
  });
});

describe('KZ-20: file sources', () => {
  it.each([
    ['dir/app.conf', 'app.conf', 'dir/app.conf'],
    ['key=dir/app.conf', 'key', 'dir/app.conf'],
  ])('%j is the key %j of the file %j', (source, key, path) => {
    expect(parseFileSource(source)).toEqual([key, path]);
  });

  it.each([
    ['=path', /missing key name for file path "path"/],
    ['key=', /missing file path for key name "key"/],
    ['a=b=c', /key name or file path contains '='/],
  ])('%j is refused', (source, message) => {
    expect(() => parseFileSource(source)).toThrow(message);
  });
});

describe('KZ-20: env files', () => {
  const pairs = (content: string): [string, string][] =>
    parseEnvFile(Buffer.from(content), 'e.env').map(([key, value]) => [key, text(value)]);

  it.each([
    ['comments and empty lines', '# c\n\n  # d\nA=1\n', [['A', '1']]],
    ['a byte order mark', '\ufeffA=1\n', [['A', '1']]],
    ['white space before the key only', '  A=1  \n', [['A', '1  ']]],
    ['no equals sign', 'A\n', [['A', '']]],
    ['an empty key', '=x\nB=2', [['B', '2']]],
    ['quotes and export, which stay', 'export A="x"\n', [['export A', '"x"']]],
    [
      'CRLF',
      'A=1\r\nB=2\r\n',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    ['several equals signs', 'A=b=c\n', [['A', 'b=c']]],
  ])('%s', (_, content, expected) => {
    expect(pairs(content)).toEqual(expected);
  });

  it('reads lines longer than 64 KiB, and those after them', () => {
    const long = 'x'.repeat(100_000);
    expect(pairs(`A=${long}\nB=2\n`)).toEqual([
      ['A', long],
      ['B', '2'],
    ]);
  });

  it('names the line of invalid UTF-8, not its content', () => {
    const bytes = Buffer.concat([Buffer.from('OK=1\nSECRET='), Buffer.from([0xff, 0xfe]), Buffer.from('\n')]);
    expect(() => parseEnvFile(bytes, 'e.env')).toThrow(
      expect.objectContaining({ message: 'line 2 has invalid utf8 bytes', at: { file: 'e.env', line: 2 } }),
    );
  });
});
