import { describe, expect, it } from 'vitest';

import { parseYaml, type YamlValue } from '../../text/yaml/index.ts';
import { generateOverlay } from './index.ts';
import { buildFiles, configMap, tree } from './testing.ts';
import type { KustomizationSpec } from './types.ts';

function overlay(
  files: Readonly<Record<string, string>>,
  spec: KustomizationSpec = {},
  directories: readonly string[] = [],
): Record<string, YamlValue> {
  const { rootFile } = generateOverlay(tree(files, directories), '', spec);
  return parseYaml(rootFile, { profile: 'yaml11' })[0]?.value as Record<string, YamlValue>;
}

describe('KZ-70: a directory without kustomization file', () => {
  it('lists YAML files in lexical order, and directories with a kustomization file as one entry', () => {
    const files = {
      'b.yaml': configMap('b'),
      'a/z.yml': configMap('z'),
      'a/c/kustomization.yaml': 'resources: []',
      'a/c/x.yaml': 'no: manifest',
      'a.yaml': configMap('a'),
      'notes.md': 'x',
      'd.YAML': 'not: read',
    };
    expect(overlay(files)['resources']).toEqual(['./a/c', './a/z.yml', './a.yaml', './b.yaml']);
  });

  it('builds to nothing when it is empty', async () => {
    expect(overlay({}, {}, ['empty'])['namespace']).toBe('_placeholder');
    expect((await buildFiles({ 'README.md': 'x' })).objects).toEqual([]);
  });

  it.each([
    ['a list', '- a\n', 'failed to decode Kubernetes YAML from bad.yaml: a document is no mapping'],
    ['no kind', 'a: 1\n', "failed to decode Kubernetes YAML from bad.yaml: Object 'Kind' is missing"],
    ['no name', 'kind: ConfigMap\n', 'failed to decode Kubernetes YAML from bad.yaml: ConfigMap has no metadata.name'],
    ['broken YAML', 'a: b: c\n', 'failed to decode Kubernetes YAML from bad.yaml: 1:4'],
    [
      'a nameless Kustomize config',
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n',
      'Kustomization has no metadata.name',
    ],
  ])('refuses a file with %s', async (_title, text, message) => {
    await expect(buildFiles({ 'ok.yaml': configMap('a'), 'bad.yaml': text })).rejects.toThrow(message);
  });

  it('accepts empty documents and nameless lists', () => {
    expect(overlay({ 'a.yaml': '---\n---\nkind: ConfigMapList\nitems: []\n' })['resources']).toEqual(['./a.yaml']);
  });

  it('drops named Kustomize configuration after the build', async () => {
    const named = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: x}\n';
    const { objects } = await buildFiles({ 'k.yaml': named, 'a.yaml': configMap('a') });
    expect(objects.map(({ object }) => object.kind)).toEqual(['ConfigMap']);
  });

  it('KZ-73: leaves ignored paths out of the scan and of an existing file', () => {
    const ignore = (path: string): boolean => path.startsWith('ci');
    const files = { 'ci/x.yaml': 'a: 1', 'a.yaml': configMap('a') };
    expect(generateOverlay(tree(files), '', {}, ignore).rootFile).not.toContain('ci/');
    const listed = { ...files, 'kustomization.yaml': 'resources: [./ci/x.yaml, a.yaml]\n' };
    expect(generateOverlay(tree(listed), '', {}, ignore).rootFile).toContain('resources:\n- a.yaml\n');
  });
});

describe('KZ-71: fields of the spec in the root file', () => {
  const base = 'resources: [a.yaml]\nnamespace: old\nnamePrefix: old-\nbuildMetadata: [managedByLabel]\n';
  const files = { 'a.yaml': configMap('a'), 'kustomization.yaml': base };

  it('names and namespace replace what the file has', () => {
    const spec = { targetNamespace: 'new', namePrefix: 'p-', nameSuffix: '-s' };
    expect(overlay(files, spec)).toMatchObject({ namespace: 'new', namePrefix: 'p-', nameSuffix: '-s' });
    expect(overlay(files)).toMatchObject({ namespace: 'old', namePrefix: 'old-' });
  });

  it('patches are appended, an empty target means everything', () => {
    const file = { 'kustomization.yaml': 'resources: [a.yaml]\npatches:\n- path: p.yaml\n' };
    const patches = [{ patch: 'x' }, { patch: 'y', target: { kind: 'ConfigMap' } }, { patch: 'z', target: {} }];
    expect(overlay(file, { patches })['patches']).toEqual([
      { path: 'p.yaml' },
      { patch: 'x' },
      { patch: 'y', target: { kind: 'ConfigMap' } },
      { patch: 'z', target: {} },
    ]);
  });

  it('images merge by name: new name alone, tag and digest as one unit', () => {
    const file = {
      'kustomization.yaml': 'resources: [a.yaml]\nimages:\n- {name: a, newName: b, newTag: v1, digest: d}\n- {name: c, newTag: v1}\n',
    };
    const images = [
      { name: 'a', newTag: 'v2' },
      { name: 'c', newName: 'x' },
      { name: 'n', digest: 'sha256:1' },
    ];
    expect(overlay(file, { images })['images']).toEqual([
      { name: 'a', newName: 'b', newTag: 'v2' },
      { name: 'c', newName: 'x', newTag: 'v1' },
      { name: 'n', digest: 'sha256:1' },
    ]);
  });

  it('components are appended, missing ones dropped only on request', () => {
    const spec = { components: ['../c', './missing'] };
    expect(overlay(files, spec)['components']).toEqual(['../c', './missing']);
    const kept = generateOverlay(tree({ 'x/kustomization.yaml': 'namespace: a', 'c/kustomization.yaml': 'kind: Component' }), 'x', {
      ...spec,
      ignoreMissingComponents: true,
    });
    expect(kept.rootFile).toContain('components:\n- ../c\nk');
  });

  it.each(['/abs', 'https://x/y', 'github.com/x/y', 'git@host:x'])('component %s must be local', async (component) => {
    await expect(buildFiles(files, { components: [component] })).rejects.toThrow(
      `component path '${component}' must be local and relative`,
    );
  });

  it('without resources the file gets originAnnotations, unless the spec says otherwise', () => {
    const file = { 'kustomization.yaml': 'buildMetadata: [managedByLabel]\nconfigMapGenerator: [{name: a}]\n' };
    expect(overlay(file)['buildMetadata']).toEqual(['originAnnotations']);
    expect(overlay(file, { buildMetadata: ['transformerAnnotations'] })['buildMetadata']).toEqual(['transformerAnnotations']);
    expect(overlay(files)['buildMetadata']).toEqual(['managedByLabel']);
  });

  it('unknown fields of the root file vanish with a warning that names file and line', async () => {
    const file = {
      'a.yaml': configMap('a'),
      'kustomization.yaml': 'Resources: [a.yaml]\nresuorces: [b.yaml]\nimages:\n- nam: x\n  name: i\n',
    };
    const { objects, warnings } = await buildFiles(file);
    expect(objects).toHaveLength(1);
    expect(warnings).toEqual([
      { message: 'unknown field "resuorces" has no effect', file: 'kustomization.yaml', line: 2 },
      { message: 'unknown field "images[0].nam" has no effect', file: 'kustomization.yaml', line: 4 },
    ]);
  });

  it('an error in the root file has no line, for kustomize sees it rewritten', async () => {
    const file = { 'kustomization.yaml': '# c\n\nnamePrefix: 1\n' };
    const error = await buildFiles(file).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.stringMatching(/^kustomize build failed: .*cannot unmarshal/),
      at: { file: 'kustomization.yaml' },
    });
    expect(error).not.toHaveProperty('at.line');
  });

  it('further documents of the root file have no effect but a warning', async () => {
    const { warnings } = await buildFiles({ 'kustomization.yaml': 'namespace: a\n---\nnamespace: b\n' });
    expect(warnings).toEqual([{ message: 'only the first document of a kustomization file is read', file: 'kustomization.yaml', line: 3 }]);
  });

  it('the same in a nested file is an error', async () => {
    const nested = { 'kustomization.yaml': 'resources: [d]\n', 'd/kustomization.yaml': 'resuorces: []\n' };
    await expect(buildFiles(nested)).rejects.toThrow(/^kustomize build failed: /);
  });

  it('all of it reaches the objects', async () => {
    const spec = {
      targetNamespace: 'team',
      namePrefix: 'p-',
      patches: [{ patch: '[{"op":"add","path":"/data/x","value":"1"}]', target: { kind: 'ConfigMap' } }],
      commonMetadata: { labels: { l: '1' }, annotations: { a: '2' } },
    };
    const { objects } = await buildFiles({ 'a.yaml': configMap('a', { k: 'v' }) }, spec);
    expect(objects.map(({ object, file }) => ({ object, file }))).toEqual([
      {
        file: 'a.yaml',
        object: {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: 'p-a', namespace: 'team', labels: { l: '1' }, annotations: { a: '2' } },
          data: { k: 'v', x: '1' },
        },
      },
    ]);
  });
});

describe('KZ-72: how Flux calls kustomize', () => {
  it('files may lie anywhere in the tree, objects keep the order of the files', async () => {
    const files = {
      'base/z.yaml': configMap('z'),
      'apps/kustomization.yaml': 'resources: [../base/z.yaml, b.yaml]\n',
      'apps/b.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n',
    };
    const { objects } = await buildFiles(files, { path: './apps' });
    expect(objects.map(({ object }) => object.metadata.name)).toEqual(['z', 'b']);
  });

  it('never outside of it', async () => {
    await expect(buildFiles({ 'kustomization.yaml': 'resources: [../x.yaml]\n' })).rejects.toThrow(/^kustomize build failed: /);
  });

  it.each(['./missing', '../x', 'a.yaml'])('path %s is not found', async (path) => {
    await expect(buildFiles({ 'a.yaml': configMap('a') }, { path })).rejects.toMatchObject({
      code: 'FLEET_PATH',
      message: `kustomization path not found: stat ${path}: no such file or directory`,
    });
  });

  it('KZ-74: an internal failure is an error of this build', async () => {
    const broken = {
      ...tree({ 'kustomization.yaml': 'resources: [a.yaml]\n' }),
      list: (): never => {
        throw new RangeError('s3cret');
      },
    };
    const failing = {
      ...broken,
      read: (): never => {
        throw new RangeError('s3cret');
      },
    };
    await expect(buildFiles({}, {}, { tree: failing })).rejects.toMatchObject({
      code: 'FLEET_BUILD',
      message: 'kustomize build failed: internal error (RangeError)',
    });
  });
});
