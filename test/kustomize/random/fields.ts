import type { Draw } from './draw.ts';
import { KINDS, ObjectMaker } from './objects.ts';

const LITERALS = ['a=b', 'b="quoted"', "c='single'", 'd=', 'e=x=y', 'f=true', 'g=007', 'h=grün', 'i=a: b', 'j=- x', 'k= lead'];
const FILES = {
  'one.txt': 'one\ntwo\n',
  'two.txt': 'no end',
  'blank.txt': '\n\n',
  'tab.txt': 'a\ttab: x\n',
  'long.txt': `${'word '.repeat(40)}\n`,
};
const ENVIRONMENT = 'A=1\n# comment\n\nB=two words\nC="q"\n';

/** The fields that the other trees leave out, in three nested directories. */
export function fieldTree(draw: Draw): Readonly<Record<string, string>> {
  const directories = ['', 'mid/', 'mid/low/'];
  const next = ['mid', 'low', ''];
  const files: Record<string, string> = {};
  for (const [index, at] of directories.entries()) {
    const resources = [next[index], 'a.yaml'].filter((entry) => entry !== '');
    files[`${at}a.yaml`] = documents(draw, index);
    files[`${at}kustomization.yaml`] = `resources: [${resources.join(', ')}]\n${fields(draw, index)}`;
    files[`${at}conf.yaml`] = configuration(draw);
    files[`${at}plugin.yaml`] = plugins(draw);
    files[`${at}e.env`] = ENVIRONMENT;
    for (const [name, text] of Object.entries(FILES)) files[at + name] = text;
  }
  return files;
}

/** Objects, a List, one for the build only, and an empty document. */
function documents(draw: Draw, index: number): string {
  const local = '  annotations: {config.kubernetes.io/local-config: "true"}\n';
  const map = (name: string, more = ''): string =>
    `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}data: {k: ${draw.int(9)}x}\n`;
  const user = `apiVersion: v1
kind: Pod
metadata: {name: user${index}}
spec:
  containers: [{name: c, image: "nginx:1", args: ["$(VAR)", "x$(OTHER)"], envFrom: [{configMapRef: {name: ${draw.pick(['gen', 'm0', 'm1'])}}}, {secretRef: {name: sec}}]}]
`;
  return [
    new ObjectMaker(draw, false).text(draw.pick(KINDS), `o${index}`),
    map(`m${index}`),
    ...(index === 2 || draw.maybe(0.5) ? [user] : []),
    ...(draw.maybe(0.3) ? [map(`local${index}`, local)] : []),
    ...(draw.maybe(0.3) ? ['# nothing\n'] : []),
    ...(draw.maybe(0.3)
      ? [`apiVersion: v1\nkind: ConfigMapList\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: l${index}}}\n`]
      : []),
  ].join('---\n');
}

function fields(draw: Draw, index: number): string {
  const isInnermost = index === 2;
  const order = (): string =>
    draw.pick([
      '{order: fifo}',
      '{order: legacy}',
      '{order: legacy, legacySortOptions: {orderFirst: [Pod], orderLast: [ConfigMap, Secret]}}',
    ]);
  const metadata = draw.some(2, () => draw.pick(['originAnnotations', 'transformerAnnotations']), 1);
  return [
    draw.text(isInnermost ? 1 : 0.5, () => generator(draw, 'configMapGenerator', 'gen', index)),
    draw.text(isInnermost ? 1 : 0.4, () => generator(draw, 'secretGenerator', 'sec', index)),
    draw.text(0.3, () => `generatorOptions: {labels: {go: "1"}, disableNameSuffixHash: ${draw.maybe(0.3)}}\n`),
    draw.text(0.5, () => `namePrefix: ${draw.pick(['a-', 'b-'])}\n`),
    draw.text(0.3, () => `nameSuffix: ${draw.pick(['-x', '-z'])}\n`),
    draw.text(0.3, () => `namespace: ${draw.pick(['ns1', 'ns2'])}\n`),
    draw.text(0.3, () => 'configurations: [conf.yaml]\n'),
    draw.text(0.4, () => 'transformers: [plugin.yaml]\n'),
    draw.text(isInnermost ? 0 : 0.3, () => variable(index === 0 ? 'VAR' : 'OTHER')),
    draw.text(0.3, () => `sortOptions: ${order()}\n`),
    draw.text(0.3, () => `buildMetadata: [${[...new Set(metadata)].join(', ')}]\n`),
    draw.text(0.3, () => 'images: [{name: nginx, newName: reg.io/n, newTag: "2"}]\n'),
  ].join('');
}

function variable(name: string): string {
  return `vars: [{name: ${name}, objref: {apiVersion: v1, kind: ConfigMap, name: m2}}]\n`;
}

/** The innermost directory makes an object that the others mostly change. */
function generator(draw: Draw, field: string, usual: string, index: number): string {
  const changes = index < 2 && draw.maybe(0.7);
  const name = changes || index === 2 ? usual : `${usual}${index}`;
  const literals = [...new Set(draw.some(5, () => draw.pick(LITERALS)))];
  const files = [...new Set(draw.some(3, () => draw.pick(Object.keys(FILES))))];
  const sources = files.map((file) => (draw.maybe(0.3) ? `k-${file}=${file}` : file));
  return `${field}:
- name: ${name}
${changes ? `  behavior: ${draw.pick(['merge', 'replace'])}\n` : ''}${draw.text(0.03, () => '  namespace: ns1\n')}  literals: [${literals.map((literal) => JSON.stringify(literal)).join(', ')}]
  files: [${sources.join(', ')}]
${draw.text(0.3, () => '  envs: [e.env]\n')}${draw.text(0.3, () => `  options: {immutable: ${draw.maybe(0.5)}, annotations: {o: p}}\n`)}`;
}

function configuration(draw: Draw): string {
  return [
    draw.text(
      0.5,
      () => 'nameReference: [{kind: ConfigMap, version: v1, fieldSpecs: [{kind: Thing, path: spec/template/metadata/name}]}]\n',
    ),
    draw.text(0.5, () => 'commonAnnotations: [{kind: Thing, path: spec/anno, create: true}]\n'),
    draw.text(0.5, () => 'namePrefix: [{kind: Secret, path: metadata/name}]\n'),
    draw.text(0.5, () => 'varReference: [{kind: Pod, path: spec/containers/image}]\n'),
  ].join('');
}

function plugins(draw: Draw): string {
  return [...new Set(draw.some(2, () => draw.pick(PLUGINS), 1))].map((text) => `apiVersion: builtin\n${text}`).join('---\n');
}

const PLUGINS = [
  'kind: PrefixTransformer\nmetadata: {name: a}\nprefix: pl-\nfieldSpecs: [{path: metadata/name}]\n',
  'kind: LabelTransformer\nmetadata: {name: b}\nlabels: {pl: "1"}\nfieldSpecs: [{path: metadata/labels, create: true}]\n',
  'kind: AnnotationsTransformer\nmetadata: {name: c}\nannotations: {an: "2"}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n',
  'kind: NamespaceTransformer\nmetadata: {name: d, namespace: pln}\nunsetOnly: true\nfieldSpecs: [{path: metadata/namespace, create: true}]\n',
  'kind: PatchTransformer\nmetadata: {name: e}\ntarget: {kind: ConfigMap}\npatch: "{apiVersion: v1, kind: ConfigMap, metadata: {name: any}, data: {plugged: in}}"\n',
];
