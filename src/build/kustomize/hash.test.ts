import { describe, expect, it } from 'vitest';

import { memoryTree } from '../../base/files/index.ts';
import { build } from './index.ts';

/** The hash suffix of the one object that a generator entry makes. */
function suffixOf(
  field: 'configMapGenerator' | 'secretGenerator',
  entry: string,
  files: Record<string, Uint8Array | string> = {},
  more = '',
): string {
  const text = `${field}:\n- ${entry.replaceAll('\n', '\n  ')}\n${more}`;
  const tree = memoryTree(new Map<string, Uint8Array | string>([['kustomization.yaml', text], ...Object.entries(files)]));
  const [only] = build({ tree, path: '', order: 'fifo', loadRestrictor: 'root-only' }).objects;
  return only?.object.metadata.name?.slice('nm-'.length) ?? '';
}

const literals = (values: readonly string[]): string => `name: nm\nliterals: ${JSON.stringify(values)}`;

describe('KZ-21: hash suffixes of upstream', () => {
  it.each([
    ['configMapGenerator', 'name: nm', '6ct58987ht'],
    ['secretGenerator', 'name: nm', '46f8b28mk5'],
    ['configMapGenerator', literals(['a=b']), '4h2mbtbbt6'],
    ['secretGenerator', literals(['a=b']), 'k695gkmbtk'],
    ['secretGenerator', literals(['a=1']), '25khgmg44c'],
    ['secretGenerator', literals(['a=2']), 'gbt62kg52d'],
    ['secretGenerator', `${literals(['a=1'])}\ntype: kubernetes.io/tls`, 'hm5f724df9'],
    ['secretGenerator', `${literals([`k=${'a'.repeat(75)}`])}\ntype: kubernetes.io/tls`, '6ktgckg478'],
    [
      'secretGenerator',
      literals(['a="x y"', "b='q'", 'c="unbal', 'd=', 'e==eq=', 'f="', 'g=""', `h='a"`, 'i = sp ', 'j=<>&"x']),
      '7m986fkgmd',
    ],
  ] as const)('%s with %j has the suffix %s', (field, entry, suffix) => {
    expect(suffixOf(field, entry)).toBe(suffix);
  });

  it.each([
    [
      'control characters and U+2029',
      'name: nm\nfiles: [k=f]',
      Buffer.from([0, 8, 0xc, 0xb, 0x1f, 0x7f, 0xd, 0xa, 9, 0xe2, 0x80, 0xa9, 0x65, 0x6e, 0x64]),
      'ff8btcg5g7',
    ],
    ['HTML characters and an emoji', 'name: nm\nfiles: [u=f]', '<é>&😀"\\ x\n', '5d6c74c262'],
  ])('a ConfigMap with %s', (_, entry, content, suffix) => {
    expect(suffixOf('configMapGenerator', entry, { f: content })).toBe(suffix);
  });

  it('a ConfigMap with binary data', () => {
    const files = { bin: Buffer.from([0xff, 0xfe, 0, 0x61, 0x62, 0x63]), k2: 'line1\nline2  \n\ttab\n' };
    expect(suffixOf('configMapGenerator', 'name: nm\nfiles: [bin, k2]\nliterals: [z=1]', files)).toBe('f245t82df2');
  });

  it.each([
    ['stringData', '[{"op":"add","path":"/stringData","value":{"x":"y"}},{"op":"add","path":"/data/q","value":"cQ=="}]', 'd42h8tdghd'],
    ['no data', '[{"op":"remove","path":"/data"}]', '8226t8dd99'],
  ])('a Secret that a patch leaves with %s', (_, patch, suffix) => {
    const more = `patches:\n- target: {kind: Secret}\n  patch: '${patch}'\n`;
    expect(suffixOf('secretGenerator', literals(['a=b']), {}, more)).toBe(suffix);
  });

  it('a Secret that a patch gives another type', () => {
    const more = `patches:\n- patch: |\n    {apiVersion: v1, kind: Secret, metadata: {name: nm}, type: foo/bar, data: {z: eg==}}\n`;
    expect(suffixOf('secretGenerator', literals(['a=b']), {}, more)).toBe('8b9md85c7d');
  });

  it('KZ-26: labels, namespace and immutable take no part', () => {
    const entry = `${literals(['a=b'])}\nnamespace: x\noptions: {labels: {l: m}, immutable: true}`;
    expect(suffixOf('secretGenerator', entry)).toBe('k695gkmbtk');
  });
});
