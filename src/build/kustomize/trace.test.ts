import { describe, expect, it } from 'vitest';

import { memoryTree } from '../../base/files/index.ts';
import { build, type FieldSource } from './index.ts';

const POD = `apiVersion: v1
kind: Pod
metadata: {name: p, annotations: {a.b/c: d}}
spec:
  containers:
  - {name: one, image: "nginx:1", args: [x, y]}
  - {name: two, image: other, envFrom: [{configMapRef: {name: g}}]}
`;

function fieldsOf(files: Readonly<Record<string, string>>, kind: string): ReadonlyMap<string, FieldSource> {
  const tree = memoryTree(new Map(Object.entries(files)));
  const { objects } = build({ tree, path: '', order: 'fifo', loadRestrictor: 'none', explain: true });
  return objects.find(({ object }) => object.kind === kind)?.fields ?? new Map();
}

describe('explain: what set a field', () => {
  const files = {
    'kustomization.yaml': `resources: [base]
images: [{name: nginx, newTag: "2"}]
configMapGenerator: [{name: g, behavior: merge, literals: [b=2]}]
patches: [{path: patch.yaml}]
transformers: [labels.yaml]
`,
    'patch.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: two, image: patched}, {name: one, tty: true}]}\n',
    'labels.yaml':
      'apiVersion: builtin\nkind: LabelTransformer\nmetadata: {name: l}\nlabels: {l: m}\nfieldSpecs: [{path: metadata/labels, create: true}]\n',
    'base/kustomization.yaml': 'resources: [pod.yaml]\nconfigMapGenerator: [{name: g, literals: [a=1]}]\nnamespace: ns\n',
    'base/pod.yaml': POD,
  };

  it.each([
    ['kind', 'resource', 'base/pod.yaml'],
    ['metadata.annotations.[a.b/c]', 'resource', 'base/pod.yaml'],
    ['metadata.namespace', 'NamespaceTransformer', 'base/kustomization.yaml'],
    ['metadata.labels.l', 'LabelTransformer', 'labels.yaml'],
    ['spec.containers[name=one].image', 'ImageTagTransformer', 'kustomization.yaml'],
    ['spec.containers[name=one].args[1]', 'resource', 'base/pod.yaml'],
    ['spec.containers[name=one].tty', 'PatchTransformer', 'patch.yaml'],
    ['spec.containers[name=two].image', 'PatchTransformer', 'patch.yaml'],
    ['spec.containers[name=two].envFrom[0].configMapRef.name', 'name reference', 'kustomization.yaml'],
  ])('%s: %s in %s', (field, by, file) => {
    expect(fieldsOf(files, 'Pod').get(field)).toMatchObject({ by, file });
  });

  it.each([
    ['data.a', 'base/kustomization.yaml', 'ConfigMapGenerator'],
    ['data.b', 'kustomization.yaml', 'ConfigMapGenerator'],
    ['metadata.name', 'kustomization.yaml', 'content hash'],
  ])('a merged generator: %s in %s', (field, file, by) => {
    expect(fieldsOf(files, 'ConfigMap').get(field)).toEqual({ by, file });
  });

  it('is not recorded unless asked for', () => {
    const tree = memoryTree(new Map(Object.entries(files)));
    expect(build({ tree, path: '', order: 'fifo', loadRestrictor: 'none' }).objects.every(({ fields }) => fields === undefined)).toBe(true);
  });
});
