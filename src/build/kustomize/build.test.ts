import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { SottoError } from '../../base/errors/index.ts';
import { diskTree, memoryTree } from '../../base/files/index.ts';
import { build, renderYaml, type BuildOptions, type BuildResult } from './index.ts';

type Files = Readonly<Record<string, string>>;

function run(files: Files, options: Partial<BuildOptions> = {}): BuildResult {
  const tree = memoryTree(new Map(Object.entries(files)));
  return build({ tree, path: '', order: 'fifo', loadRestrictor: 'root-only', ...options });
}

function failureOf(files: Files, options: Partial<BuildOptions> = {}): SottoError {
  try {
    run(files, options);
  } catch (error) {
    if (error instanceof SottoError) return error;
    throw error;
  }
  throw new Error('the build did not fail');
}

const SECRET = `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  k: czNjcmV0\n`;
const CONFIG_MAP = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n  k: v\n`;

describe('the result of a build', () => {
  it('says where every object comes from', () => {
    const result = run(
      {
        'over/kustomization.yaml': 'resources: [../base]\nsecretGenerator: [{name: g}]\n',
        'base/kustomization.yaml': 'resources: [all.yaml]\n',
        'base/all.yaml': `${CONFIG_MAP}---\n${SECRET}`,
      },
      { path: 'over' },
    );
    expect(result.objects.map(({ object, origin }) => [object.kind, origin])).toEqual([
      ['ConfigMap', { file: 'base/all.yaml', line: 1 }],
      ['Secret', { file: 'base/all.yaml', line: 8 }],
      ['Secret', { file: 'over/kustomization.yaml', generator: 'SecretGenerator' }],
    ]);
  });

  it('KZ-70: builds with another text for the root file', () => {
    const files = { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': CONFIG_MAP };
    const result = run(files, { rootFile: 'resources: [a.yaml]\nnamePrefix: p-\n' });
    expect(result.objects[0]?.object.metadata.name).toBe('p-c');
    expect(run({ 'a.yaml': CONFIG_MAP }, { rootFile: 'resources: [a.yaml]\n' }).objects).toHaveLength(1);
  });

  it('KZ-B17: is the same when the build runs again', () => {
    const files = {
      'kustomization.yaml':
        'resources: [a.yaml]\nconfigurations: [c.yaml]\nnamePrefix: p-\nlabels: [{pairs: {a: b}, includeSelectors: true}]\n',
      'c.yaml': 'namePrefix: [{path: metadata/name, kind: Secret}]\n',
      'a.yaml': `${CONFIG_MAP}---\n${SECRET}`,
    };
    const first = renderYaml(run(files));
    expect(renderYaml(run(files))).toBe(first);
    expect(renderYaml(run({ 'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: p-\n', 'a.yaml': CONFIG_MAP }))).toContain('name: p-c');
  });

  it('KZ-50: names Sotto as the manager when buildMetadata asks for the label', () => {
    const [only] = run({ 'kustomization.yaml': 'resources: [a.yaml]\nbuildMetadata: [managedByLabel]\n', 'a.yaml': CONFIG_MAP }).objects;
    expect(only?.object.metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'sotto' });
  });

  it('KZ-47: keeps the built-in schema below one of the user when asked to', () => {
    const files = {
      'kustomization.yaml': 'resources: [p.yaml]\nopenapi: {path: s.json}\npatches: [{path: patch.yaml}]\n',
      's.json': '{"definitions": {}}',
      'p.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}\n',
      'patch.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: b}]}\n',
    };
    const names = (result: BuildResult): string[] => {
      const only = result.objects[0]?.object as { spec?: { containers: { name: string }[] } } | undefined;
      return only?.spec?.containers.map(({ name }) => name) ?? [];
    };
    expect(names(run(files))).toEqual(['b']);
    expect(names(run(files, { keepBuiltinSchema: true }))).toEqual(['b', 'a']);
  });

  it('KZ-B8: grows with the number of objects and references, not with its square', () => {
    const count = 2_000;
    const objects = Array.from({ length: count }, (_, i) => [
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c${i}}\n`,
      `apiVersion: v1\nkind: Pod\nmetadata: {name: p${i}}\nspec: {volumes: [{name: v, configMap: {name: c${i}}}]}\n`,
    ]).flat();
    const result = run({ 'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: x-\nnamespace: ns\n', 'a.yaml': objects.join('---\n') });
    const last = result.objects.at(-1)?.object as unknown as { spec: { volumes: { configMap: { name: string } }[] } };
    expect(last.spec.volumes[0]?.configMap.name).toBe(`x-c${count - 1}`);
  }, 20_000);
});

describe('KZ-B3: keys that are no strings', () => {
  it('are strings in generators, labels and objects', () => {
    const result = run({
      'kustomization.yaml':
        'resources: [a.yaml]\nconfigMapGenerator: [{name: g, literals: ["1=a", "true=b", "null=c"], options: {disableNameSuffixHash: true}}]\n',
      'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {1: a, true: b, 1.5: c, ~: d}\n',
    });
    expect(result.objects.map(({ object }) => object['data'])).toEqual([
      { '1': 'a', true: 'b', '1.5': 'c', '~': 'd' },
      { '1': 'a', true: 'b', null: 'c' },
    ]);
    expect(renderYaml(result)).toContain('"1": a');
  });

  it('reach no prototype', () => {
    const result = run({
      'kustomization.yaml':
        'configMapGenerator: [{name: g, literals: ["__proto__=a", "constructor=b"], options: {labels: {__proto__: x}}}]\ncommonAnnotations: {__proto__: z}\n',
    });
    const { object } = result.objects[0] ?? {};
    expect(Object.keys(object?.['data'] ?? {}).toSorted()).toEqual(['__proto__', 'constructor']);
    expect(renderYaml(result)).toContain('__proto__: x');
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

describe('what is refused', () => {
  it.each([
    ['KZ-64: an http file', 'resources: [https://example.com/x.yaml]', 'KUSTOMIZE_REMOTE', 'https://example.com/x.yaml'],
    ['KZ-65: a git root', 'resources: ["github.com/a/b//c?ref=v1"]', 'KUSTOMIZE_REMOTE', 'github.com/a/b//c'],
    ['KZ-65: a git root over ssh', 'resources: ["git@example.com:a/b"]', 'KUSTOMIZE_REMOTE', 'git@example.com:a/b'],
    ['KZ-65: a component from git', 'components: ["https://example.com/a.git"]', 'KUSTOMIZE_REMOTE', 'https://example.com/a.git'],
    [
      'KZ-64: a generator file over http',
      'secretGenerator: [{name: a, files: ["k=https://example.com/x"]}]',
      'KUSTOMIZE_REMOTE',
      'remote resources are not fetched',
    ],
    ['KZ-64: a patch over http', 'patches: [{path: "https://example.com/p"}]', 'KUSTOMIZE_PATCH', 'remote resources are not fetched'],
    ['KZ-51: Helm charts', 'helmCharts: [{name: x}]', 'KUSTOMIZE_HELM', 'must specify --enable-helm'],
    ['KZ-51: Helm globals', 'helmGlobals: {chartHome: x}', 'KUSTOMIZE_HELM', 'helmGlobals'],
    ['KZ-51: the old Helm field', 'helmChartInflationGenerator: [{chartName: x}]', 'KUSTOMIZE_HELM', 'helmChartInflationGenerator'],
  ])('%s', (_, text, code, part) => {
    const failure = failureOf({ 'kustomization.yaml': `${text}\n` });
    expect([failure.code, failure.message]).toEqual([code, expect.stringContaining(part)]);
  });

  it('KZ-65: credentials of a URL stay out of the message', () => {
    const failure = failureOf({ 'kustomization.yaml': 'resources: ["https://user:s3cret@example.com/a.git?token=s3cret"]\n' });
    expect(failure.message).not.toContain('s3cret');
  });

  it.each([['../../outside.yaml'], ['/etc/passwd'], ['../outside']])('KZ-62: %s is outside of the tree, restricted or not', (entry) => {
    const files = { 'a/kustomization.yaml': `resources: ["${entry}"]\n` };
    expect(failureOf(files, { path: 'a', loadRestrictor: 'none' }).code).toMatch(/^KUSTOMIZE_(SECURITY|LOAD)$/);
  });
});

describe('KZ-66: a path in which two entries are joined', () => {
  it('is an error that says so', () => {
    const failure = failureOf({ 'a/kustomization.yaml': 'resources:\n- ../b\n  ../c\n' }, { path: 'a' });
    expect(failure.hint).toMatch(/'..\/b ..\/c' contains '..': are two entries joined/);
  });

  it('is taken as it is where it exists, as by 5.8.1', () => {
    const files = { 'kustomization.yaml': 'resources: [x..y]\n', 'x..y/kustomization.yaml': 'resources: []\n' };
    expect(run(files).objects).toEqual([]);
  });
});

describe('KZ-60, KZ-61, KZ-62: links', () => {
  const root = mkdtempSync(join(tmpdir(), 'sotto-kustomize-'));
  afterAll(() => {
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, 'source/over'), { recursive: true });
  writeFileSync(join(root, 'source/c.yaml'), CONFIG_MAP);
  writeFileSync(join(root, 'outside.yaml'), CONFIG_MAP);
  symlinkSync('../c.yaml', join(root, 'source/over/inside.yaml'));
  symlinkSync('../../outside.yaml', join(root, 'source/over/outside.yaml'));

  const buildOf = (file: string, loadRestrictor: 'root-only' | 'none'): BuildResult =>
    build({ tree: diskTree(join(root, 'source')), path: 'over', order: 'fifo', loadRestrictor, rootFile: `resources: [${file}]\n` });

  it.each([
    ['root-only', 'inside.yaml', /security; file 'inside.yaml' is not in or below 'over'/],
    ['root-only', 'outside.yaml', /no such file/],
    ['none', 'outside.yaml', /no such file/],
  ] as const)('with restriction %s, %s is refused', (restrictor, file, message) => {
    expect(() => buildOf(file, restrictor)).toThrow(message);
  });

  it('a link inside the source is followed without restriction', () => {
    expect(buildOf('inside.yaml', 'none').objects).toHaveLength(1);
  });
});

describe('errors', () => {
  it('stops patches that double an object again and again', () => {
    const copy =
      '{"op":"copy","from":"/data","path":"/data/x"},{"op":"move","from":"/data/x","path":"/data/y"},{"op":"copy","from":"/data","path":"/data/z"}';
    const failure = failureOf({
      'kustomization.yaml': `resources: [a.yaml]\npatches: [{target: {}, patch: '[${Array.from({ length: 15 }, () => copy).join(',')}]'}]\n`,
      'a.yaml': CONFIG_MAP,
    });
    expect(failure.message).toMatch(/copy more than \d+ values/);
  });

  it('stops directories that are entered again and again', () => {
    const files: Record<string, string> = { 'd0/kustomization.yaml': 'resources: []\n' };
    for (let i = 1; i <= 16; i++) files[`d${i}/kustomization.yaml`] = `resources: [../d${i - 1}, ../d${i - 1}]\n`;
    expect(failureOf(files, { path: 'd16' }).code).toBe('KUSTOMIZE_LIMIT');
  });

  it('KZ-14: two objects that patches give one id are an error', () => {
    const failure = failureOf({
      'kustomization.yaml': `resources: [a.yaml]\npatches: [{target: {kind: ConfigMap}, patch: '[{"op":"replace","path":"/metadata/name","value":"same"}]'}]\n`,
      'a.yaml': `${CONFIG_MAP}---\n${CONFIG_MAP.replace('name: c', 'name: d')}`,
    });
    expect(failure.message).toContain('may not add resource with an already registered id: ConfigMap.v1.[noGrp]/same.[noNs]');
  });

  it('KZ-B10: name the file, the line and the directories that led there', () => {
    const failure = failureOf(
      {
        'prod/kustomization.yaml': 'resources: [../base]\n',
        'base/kustomization.yaml': 'resources:\n- deep\n',
        'base/deep/kustomization.yaml': 'resources: []\nnamePrefx: x\n',
      },
      { path: 'prod' },
    );
    expect(failure.at).toMatchObject({ file: 'base/deep/kustomization.yaml', line: 2 });
    expect(failure.message).toContain("(in 'base/deep', included from 'base', 'prod')");
  });

  it('name the line of broken YAML in a file of several documents', () => {
    const failure = failureOf({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': `${CONFIG_MAP}---\nkind: [a\nb: c\n` });
    expect(failure.at).toMatchObject({ file: 'a.yaml' });
    expect(failure.at?.line).toBeGreaterThan(7);
  });

  it.each<[string, Files]>([
    ['a duplicate id', { 'kustomization.yaml': 'resources: [a.yaml, b.yaml]\n', 'a.yaml': SECRET, 'b.yaml': SECRET }],
    [
      'a namespace conflict',
      {
        'kustomization.yaml': 'resources: [a.yaml, b.yaml]\nnamespace: n\n',
        'a.yaml': SECRET,
        'b.yaml': SECRET.replace('name: s', 'name: s\n  namespace: q'),
      },
    ],
    [
      'a merge of other kinds',
      {
        'kustomization.yaml':
          'resources: [a.yaml]\npatches: [{patch: "{apiVersion: v1, kind: Secret, metadata: {name: s}, data: [czNjcmV0]}"}]\n',
        'a.yaml': SECRET,
      },
    ],
    ['a patch that is none', { 'kustomization.yaml': 'resources: [a.yaml]\npatches: [{patch: "password czNjcmV0"}]\n', 'a.yaml': SECRET }],
    [
      'a JSON patch that fails',
      {
        'kustomization.yaml': `resources: [a.yaml]\npatches: [{target: {kind: Secret}, patch: '[{"op":"test","path":"/data/k","value":"czNjcmV0eA=="}]'}]\n`,
        'a.yaml': SECRET,
      },
    ],
    ['a literal without key', { 'kustomization.yaml': 'secretGenerator: [{name: a, literals: ["=czNjcmV0"]}]\n' }],
    ['a broken manifest', { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': `${SECRET}  : czNjcmV0\n\tx` }],
    [
      'a value of another type',
      {
        'kustomization.yaml':
          'resources: [a.yaml]\nreplacements: [{source: {kind: Secret, fieldPath: data.k}, targets: [{select: {kind: Thing}, fieldPaths: [n]}]}]\n',
        'a.yaml': `${SECRET}---\napiVersion: x/v1\nkind: Thing\nmetadata: {name: t}\nn: 1\n`,
      },
    ],
  ])('KZ-74: never show values: %s', (_, files) => {
    const failure = failureOf(files);
    expect(`${failure.message} ${failure.hint ?? ''} ${JSON.stringify(failure.at)}`).not.toContain('czNjcmV0');
  });
});

describe('warnings', () => {
  const messagesOf = (result: BuildResult): string => result.warnings.map(({ message }) => message).join('\n');
  it.each<[string, Files, string]>([
    [
      'KZ-06: deprecated fields',
      { 'kustomization.yaml': 'bases: [b]\n', 'b/kustomization.yaml': 'resources: []\n' },
      "'bases' is deprecated",
    ],
    [
      'KZ-B2: a patch target that matches nothing',
      {
        'kustomization.yaml':
          'resources: [a.yaml]\npatches: [{target: {name: none}, patch: "[]"}, {target: {name: none}, patch: "{kind: A, metadata: {name: b}}"}]\n',
        'a.yaml': SECRET,
      },
      'matches nothing',
    ],
    [
      'KZ-35: an image name that is no expression',
      { 'kustomization.yaml': 'resources: [a.yaml]\nimages: [{name: "a(", newTag: b}]\n', 'a.yaml': SECRET },
      'is no valid expression',
    ],
    [
      'KZ-24: what a merge loses',
      {
        'kustomization.yaml': 'resources: [b]\nsecretGenerator: [{name: s, behavior: merge, literals: [a=b]}]\n',
        'b/kustomization.yaml': 'secretGenerator: [{name: s, type: foo, literals: [c=d]}]\n',
      },
      "its type 'foo'",
    ],
    ['KZ-02: further documents', { 'kustomization.yaml': 'resources: []\n---\nresources: [x]\n' }, 'only the first document'],
    [
      'KZ-37: a patch that takes all annotations away',
      {
        'kustomization.yaml':
          'secretGenerator: [{name: s}]\npatches: [{patch: "{apiVersion: v1, kind: Secret, metadata: {name: s, annotations: null}}"}]\n',
      },
      'its hash suffix',
    ],
    ['KZ-02: a key that stands twice', { 'kustomization.yaml': 'namePrefix: a\nnamePrefix: b\n' }, 'the later one counts'],
    ['KZ-35: a tagSuffix', { 'kustomization.yaml': 'images: [{name: a, tagSuffix: b}]\n' }, 'is added twice'],
    [
      'KZ-31: a namespace on a cluster-scoped kind',
      {
        'kustomization.yaml': 'namespace: ns\nresources: [a.yaml]\n',
        'a.yaml': 'apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: i}\n',
      },
      'although its kind is cluster-scoped',
    ],
    [
      'KZ-31: a namespace on a kind that a definition in the build calls cluster-scoped',
      {
        'kustomization.yaml': 'namespace: ns\nresources: [a.yaml]\n',
        'a.yaml':
          'apiVersion: x/v1\nkind: Thing\nmetadata: {name: i}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: t}\nspec: {group: x, scope: Cluster, names: {kind: Thing}}\n',
      },
      'although its kind is cluster-scoped',
    ],
    [
      'KZ-18: an unquoted date',
      { 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': 'kind: A\nmetadata: {name: b}\nspec:\n  day: 2020-01-02\n' },
      'the unquoted date at spec.day becomes a time',
    ],
    [
      'KZ-37: directives that kustomize does not know',
      {
        'kustomization.yaml': `resources: [a.yaml]\npatches: [{patch: '{apiVersion: v1, kind: Secret, metadata: {name: s}, data: {"$retainKeys": [k]}}'}]\n`,
        'a.yaml': SECRET,
      },
      '$retainKeys is not carried out',
    ],
    [
      'KZ-37: replace at the root',
      {
        'kustomization.yaml':
          'resources: [a.yaml]\npatches: [{patch: "{apiVersion: v1, kind: Secret, metadata: {name: s}, $patch: replace}"}]\n',
        'a.yaml': SECRET,
      },
      'no effect at the root',
    ],
    [
      'KZ-37: a null in the labels of a patch with a target',
      {
        'kustomization.yaml':
          'resources: [a.yaml]\npatches: [{target: {kind: Secret}, patch: "{kind: A, metadata: {name: b, labels: {x: null}}}"}]\n',
        'a.yaml': SECRET,
      },
      'deletes nothing',
    ],
    [
      'KZ-37: elements that collapse',
      {
        'kustomization.yaml': 'resources: [a.yaml]\npatches: [{target: {}, patch: "{kind: A, metadata: {name: b}}"}]\n',
        'a.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, env: [{name: A}, {name: A}]}]}\n',
      },
      'spec.containers.env with equal name collapse',
    ],
    [
      'KZ-37: elements with some of the keys',
      {
        'kustomization.yaml':
          'resources: [a.yaml]\npatches: [{patch: "{apiVersion: v1, kind: Service, metadata: {name: p}, spec: {ports: [{port: 80, protocol: TCP}]}}"}]\n',
        'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: p}\nspec: {ports: [{port: 80}]}\n',
      },
      'spec.ports lack one of port, protocol',
    ],
    [
      'KZ-43: a User that is renamed like a ServiceAccount',
      {
        'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: p-\n',
        'a.yaml':
          'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: joe}\n---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: rb}\nsubjects: [{kind: User, name: joe}]\n',
      },
      'subject of kind User',
    ],
  ])('%s', (_, files, part) => {
    expect(messagesOf(run(files))).toContain(part);
  });
});
