import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../../kube/objects/index.ts';
import { buildFiles, configMap, secretYaml } from './testing.ts';
import type { FleetOptions, KustomizationSpec, VariableSource } from './types.ts';

type PostBuild = NonNullable<KustomizationSpec['postBuild']>;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

const stored: Readonly<Record<string, KubeObject>> = {
  'ConfigMap/a': {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a' },
    data: { x: 'a', y: 'a', z: 'a' },
    binaryData: { b: 'eA==' },
  },
  'Secret/b': { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'b' }, data: { y: base64('b\nb'), z: base64('b') } },
  'ConfigMap/bad': { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'bad' }, data: { 'a.b': 'x' } },
};
const variables: VariableSource = ({ kind, name }) => Promise.resolve(stored[`${kind}/${name}`]);

async function run(data: Readonly<Record<string, string>>, postBuild: PostBuild, options: Partial<FleetOptions> = {}): Promise<unknown> {
  const { objects } = await buildFiles({ 'm.yaml': configMap('m', data) }, { postBuild }, { variables, ...options });
  return objects[0]?.object['data'];
}

describe('variables', () => {
  const from = (...refs: readonly string[]): PostBuild => ({
    substituteFrom: refs.map((ref) => ({
      kind: ref.startsWith('Secret') ? ('Secret' as const) : ('ConfigMap' as const),
      name: ref.split('/')[1] ?? '',
    })),
  });

  it('SUB-01: inline beats references, later references beat earlier ones; line feeds go', async () => {
    const data = { x: '${x}', y: '${y}', z: '${z}' };
    expect(await run(data, { ...from('ConfigMap/a', 'Secret/b'), substitute: { z: 'in\nline' } })).toEqual({
      x: 'a',
      y: 'bb',
      z: 'inline',
    });
    expect(await run(data, from('Secret/b', 'ConfigMap/a'))).toEqual({ x: 'a', y: 'a', z: 'a' });
  });

  it('SUB-01: a missing reference fails unless it is optional', async () => {
    await expect(run({ x: '${x}' }, from('ConfigMap/none'))).rejects.toThrow(
      `post build failed for 'ConfigMap.v1.[noGrp]/m': substitute from 'ConfigMap/none' error: configmaps "none" not found`,
    );
    const optional = { substituteFrom: [{ kind: 'Secret' as const, name: 'none', optional: true }], substitute: { x: '1' } };
    expect(await run({ x: '"v${x}"' }, optional)).toEqual({ x: 'v1' });
  });

  it('BY-18: each reference is read once per build', async () => {
    let reads = 0;
    const counting: VariableSource = (ref) => {
      reads += 1;
      return variables(ref);
    };
    const files = { 'a.yaml': configMap('a'), 'b.yaml': configMap('b'), 'c.yaml': configMap('c') };
    await buildFiles(files, { postBuild: from('ConfigMap/a', 'Secret/b') }, { variables: counting });
    expect(reads).toBe(2);
  });

  it.each([
    [{ substitute: { '1x': 'v' } }, '1x'],
    [{ substitute: { 'a-b': 'v' } }, 'a-b'],
    [from('ConfigMap/bad'), 'a.b'],
  ])('SUB-02: a bad name is an error', async (postBuild, name) => {
    await expect(run({}, postBuild)).rejects.toThrow(`'${name}' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'`);
  });

  it('SUB-03: without variables nothing is substituted, except with strategy Always', async () => {
    const data = { x: '${x:=d}' };
    expect(await run(data, {})).toEqual({ x: '${x:=d}' });
    expect(await run(data, { substituteStrategy: 'Always' })).toEqual({ x: 'd' });
    expect(await run(data, { substitute: { other: '1' } })).toEqual({ x: 'd' });
  });

  it.each([
    ['labels', 'disabled', '${x}'],
    ['annotations', 'disabled', '${x}'],
    ['labels', 'Disabled', 'v'],
  ])('SUB-04: %s with %s', async (field, value, result) => {
    const text = configMap('m', { x: '${x}' }).replace(
      '  name: m',
      `  name: m\n  ${field}: {kustomize.toolkit.fluxcd.io/substitute: ${value}}`,
    );
    const { objects } = await buildFiles({ 'm.yaml': text }, { postBuild: { substitute: { x: 'v' } } });
    expect(objects[0]?.object['data']).toEqual({ x: result });
  });

  it('SUB-05: an unset variable is an error that names object and field; with the gate off it is empty', async () => {
    const postBuild = { substitute: { x: 'v' } };
    await expect(run({ k: 'a${unset}' }, postBuild)).rejects.toThrow(
      `post build failed for 'ConfigMap.v1.[noGrp]/m': envsubst error: variable substitution failed: variable not set (strict mode): "unset" (in data.k)`,
    );
    expect(await run({ k: 'a${unset}' }, postBuild, { strictSubstitution: false })).toEqual({ k: 'a' });
  });

  it('SUB-06: bad expressions are errors that name the field', async () => {
    await expect(run({ k: 'a${x.y}' }, { substitute: { x: 'v' } })).rejects.toThrow('missing closing brace (in data.k)');
  });

  it('SUB-06: keys, kinds and names are text too', async () => {
    const text = 'apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: n-${x}\ndata:\n  ${x}: y\n';
    const { objects } = await buildFiles(
      { 'kustomization.yaml': 'resources: [m.yaml]\n', 'm.yaml': text },
      { postBuild: { substitute: { x: 'v', kind: 'ConfigMap' } } },
    );
    expect(objects[0]?.object).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'n-v' }, data: { v: 'y' } });
  });
});

describe('SUB-07: results are typed by YAML 1.1', () => {
  it.each([
    ['yes', true],
    ['Off', false],
    ['0755', 493],
    ['1_000', 1000],
    ['1e3', 1000],
    ['012345678901', 12345678901],
    ['~', null],
    ['', null],
    ['2020-01-02', '2020-01-02'],
    ['12:30', '12:30'],
    ['text', 'text'],
    ['[1, a]', [1, 'a']],
  ])('%j', async (value, result) => {
    expect(await run({ k: '${x}' }, { substitute: { x: value } })).toEqual({ k: result });
  });

  it('a variable holding a quote makes a string', async () => {
    expect(await run({ k: '${quote}${x}${quote}' }, { substitute: { x: '0755', quote: '"' } })).toEqual({ k: '0755' });
  });

  it('text that is no YAML any more is an error without the text', async () => {
    const error = await run({ k: '${x}' }, { substitute: { x: 'pl4in: text: here' } }).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain("post build failed for 'ConfigMap.v1.[noGrp]/m': envsubst error: the result is no valid YAML: ");
    expect(String(error)).not.toContain('pl4in');
  });
});

describe('secrets', () => {
  it('SUB-06: dollar signs in stringData change, with a warning that names the key', async () => {
    const files = { 's.yaml': secretYaml('s', { a: 'pa$$word', b: 'plain', c: '$ok' }) };
    const { objects, warnings } = await buildFiles(files, { postBuild: { substitute: { x: '1' } } });
    expect(objects[0]?.object['stringData']).toEqual({ a: 'pa$word', b: 'plain', c: '$ok' });
    expect(warnings.map(({ message }) => message)).toEqual([
      "substitution changed '$' in stringData 'a' of Secret 's': write $$ where a dollar sign is meant",
    ]);
  });

  it('an object that lost its name is reported without its content', async () => {
    const text = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${x}\nstringData: {k: pl4intext}\n';
    const error = await buildFiles({ 's.yaml': text }, { postBuild: { substitute: { x: '~' } } }).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(
      "failed to decode Kubernetes apiVersion, kind and name from: apiVersion 'v1', kind 'Secret', name missing",
    );
    expect(String(error)).not.toContain('pl4intext');
  });
});
