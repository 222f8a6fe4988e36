import { describe, expect, it } from 'vitest';

import { systemEntropy } from '../../../base/world/index.ts';
import { cipherKey } from '../cipher.ts';
import { compileSelection } from '../selection.ts';
import { decryptTree, encryptTree } from '../transform.ts';
import { yamlStore } from './yaml.ts';

const key = cipherKey(new Uint8Array(32));
const context = { warn: () => undefined };
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** What the encrypted document looks like, and what comes back after reading it again. */
function roundTrip(plain: string, rule: Parameters<typeof compileSelection>[0] = {}): { readonly sealed: string; readonly opened: string } {
  const selector = compileSelection(rule, () => undefined);
  const options = { dataKey: key, selector, mac: { onlyEncrypted: false }, warn: context.warn, entropy: systemEntropy };
  const encrypted = yamlStore.emitPlain(encryptTree(yamlStore.parsePlain(Buffer.from(plain), context), options).tree, context);
  const opened = yamlStore.emitPlain(decryptTree(yamlStore.parsePlain(encrypted, context), options).tree, context);
  return { sealed: text(encrypted).replaceAll(/ENC\[[^\]]*type:(\w+)\]/g, '<$1>'), opened: text(opened) };
}

describe('SOPS-12, c7: comments in YAML', () => {
  const cases: [name: string, plain: string, sealed: string, opened: string][] = [
    ['above a key', '# c\na: 1\n', '#<comment>\na: <int>\n', '# c\na: 1\n'],
    ['a blank line of comment in a mapping', '#\na: 1\n', '#\na: <int>\n', '#\na: 1\n'],
    ['behind a scalar: inline when encrypted, a line above when decrypted', 'a: x # c\n', 'a: <str> #<comment>\n', '# c\na: x\n'],
    ['behind the key of a mapping: above it', 'a: # c\n  b: 1\n', '#<comment>\na:\n    b: <int>\n', '# c\na:\n    b: 1\n'],
    ['behind a flow list: the first element inside', 'a: [1] # c\n', 'a:\n    - <comment>\n    - <int>\n', 'a:\n    # c\n    - 1\n'],
    ['behind a flow mapping: the first line inside', 'a: {x: 1} # c\n', 'a:\n    #<comment>\n    x: <int>\n', 'a:\n    # c\n    x: 1\n'],
    [
      'between list items: an element',
      'a:\n  - 1\n  # c\n  - 2\n',
      'a:\n    - <int>\n    - <comment>\n    - <int>\n',
      'a:\n    - 1\n    # c\n    - 2\n',
    ],
    ['behind a list item: an element before it', 'a:\n  - 1 # c\n', 'a:\n    - <comment>\n    - <int>\n', 'a:\n    # c\n    - 1\n'],
    ['at the end of a list', 'a:\n  - 1\n  # c\nb: 2\n', 'a:\n    - <int>\n    - <comment>\nb: <int>\n', 'a:\n    - 1\n    # c\nb: 2\n'],
    ['at the end of the document', 'a: 1\n# c\n', 'a: <int>\n#<comment>\n', 'a: 1\n# c\n'],
  ];
  it.each(cases)('%s', (_name, plain, sealed, opened) => {
    expect(roundTrip(plain)).toEqual({ sealed, opened });
  });

  it('reads the empty map with a comment that upstream writes with its bracket in the first column', () => {
    const upstream = 'm:\n    a: {\n        # c\n}\n    b: 1\n';
    const tree = yamlStore.parsePlain(Buffer.from(upstream), context);
    expect(text(yamlStore.emitPlain(tree, context))).toBe('m:\n    a: {}\n    b: 1\n');
    const script = 'run: |\n    f {\n    # c\n    }\n';
    expect(text(yamlStore.emitPlain(yamlStore.parsePlain(Buffer.from(script), context), context))).toBe(script);
  });

  it('a comment in an empty list follows it, and is an element when encrypted', () => {
    expect(roundTrip('a: [] # c\nb: 1\n')).toEqual({ sealed: 'a:\n    - <comment>\nb: <int>\n', opened: 'a: []\n# c\nb: 1\n' });
  });

  it('SOPS-13: the comment rules govern what follows and what is inside', () => {
    const plain = '# hide\na: 1\nb: 2\n# hide\nm:\n  c: 3\n  # note\n  d: 4\n';
    expect(roundTrip(plain, { encryptedCommentRegex: '^ hide$' }).sealed).toBe(
      '# hide\na: <int>\nb: 2\n# hide\nm:\n    c: <int>\n    #<comment>\n    d: <int>\n',
    );
    expect(roundTrip(plain, { unencryptedCommentRegex: '^ hide$' }).sealed).toBe(
      '# hide\na: 1\nb: <int>\n# hide\nm:\n    c: 3\n    # note\n    d: 4\n',
    );
  });
});

describe('SOPS-07, c6.1: scalars of YAML', () => {
  const scalars: [name: string, plain: string, opened: string][] = [
    ['octal and hexadecimal integers become decimal', 'a: 0644\nb: 0x1F\nc: 1_000\n', 'a: 420\nb: 31\nc: 1000\n'],
    ['yes and no stay strings', 'a: yes\nb: No\n', 'a: "yes"\nb: "No"\n'],
    ['dates become times', 'a: 2024-01-01\n', 'a: 2024-01-01T00:00:00Z\n'],
    ['floats print as Go prints them', 'a: 1000000.0\nb: 1.50\nc: .inf\n', 'a: 1e+06\nb: 1.5\nc: .inf\n'],
    ['core tags convert', 'a: !!int "5"\nb: !!str 5\nc: !!float 5\n', 'a: 5\nb: "5"\nc: 5\n'],
    ['aliases are expanded', 'a: &x {k: 1}\nb: *x\n', 'a:\n    k: 1\nb:\n    k: 1\n'],
    ['a merge key stays a key', 'a: &x {k: 1}\nb:\n  <<: *x\n', 'a:\n    k: 1\nb:\n    !!merge <<:\n        k: 1\n'],
    ['binary that is text becomes text, other bytes stay binary', 'a: !!binary aGk=\nb: !!binary /w==\n', 'a: hi\nb: !!binary /w==\n'],
    ['null, empty map, empty list', 'a: ~\nb: {}\nc: []\n', 'a: null\nb: {}\nc: []\n'],
    ['an empty document', '---\n', '{}\n'],
  ];
  it.each(scalars)('%s', (_name, plain, opened) => {
    expect(roundTrip(plain).opened).toBe(opened);
  });

  it('a literal block that starts with a blank can be read again, where upstream writes a wrong indicator', () => {
    const { opened } = roundTrip('l:\n  - "\\n lead"\n');
    expect(opened).toBe('l:\n    - |2-\n\n       lead\n');
    expect(roundTrip(opened).opened).toBe(opened);
  });

  it('refuses a key << with a plain value', () => {
    expect(() => roundTrip('"<<": x\n')).toThrow("a key '<<' with a plain value");
  });
});
