import type { Draw } from './draw.ts';

const SCALARS = ['1', '"1"', "'x'", 'x', 'true', '"true"', '"a b"', '5', '1.5', '80', 'a-b-c', '"h:1/p"', '""', 'yes', 'text # note', '-3'];
const STRUCTURED = [
  `'{"a": {"b": 1, "c": "x"}, "l": [1, "2"]}'`,
  `"k: v\\nl:\\n- one\\n- x: y\\n"`,
  `'[1,2,{"q":"z"}]'`,
  `"# c\\na: 'q' # w\\nb: {c: d}\\n"`,
  `"{\\n  \\"a\\": 1,\\n  \\"b\\": []\\n}"`,
  'plain',
];
const SOURCE_PATHS = [
  'metadata.name',
  'spec.k1',
  'spec.k2',
  'spec.name',
  'spec.list.0.v',
  'spec.list.[name=a]',
  'spec.list.-.v',
  'spec.k3',
  'spec.list',
];
const TARGET_PATHS = [
  'spec.list.[name=a].v',
  'spec.data.a.b',
  'spec.data.k',
  'spec.data.l.0',
  'spec.data.a',
  'spec.data.l',
  'spec.data.0',
  'spec.data.new',
  'metadata.annotations.[x.y/z]',
  'metadata.labels.l',
  'spec.list.*.v',
  'spec.new.a.b',
  'spec.k1',
  'spec.k2.k1',
];
const SEGMENTS = ['k1', 'k2', 'k3', 'name', 'list', 'data', '[name=a]', '[name=b]', '0', '1', '*', 'a', 'b', 'l', 'new'];
const SELECTORS = ['kind: Dst', 'name: d1', 'name: "d."', 'kind: Dst, labelSelector: l=a'];

/** One source object, two targets and replacements between them. */
export function replacementTree(draw: Draw): Readonly<Record<string, string>> {
  const replacements = draw.some(2, () => replacement(draw), 1).join('');
  return { 'a.yaml': objects(draw), 'kustomization.yaml': `resources: [a.yaml]\nreplacements:\n${replacements}` };
}

/** The same objects with a JSON patch. */
export function jsonPatchTree(draw: Draw): Readonly<Record<string, string>> {
  const operations = draw.some(2, () => operation(draw), 1).join('');
  return {
    'a.yaml': objects(draw),
    'kustomization.yaml': `resources: [a.yaml]\npatches:\n- target: {kind: Dst}\n  patch: |\n${operations}`,
  };
}

function replacement(draw: Draw): string {
  const cut = draw.text(0.15, () => `, options: {delimiter: "${draw.pick(['-', ':', '/'])}", index: ${draw.int(3)}}`);
  const source = draw.maybe(0.15)
    ? `sourceValue: ${JSON.stringify(draw.pick(['5', 'text', 'true', 'a: b']))}`
    : `source: {kind: Src, fieldPath: "${draw.pick(SOURCE_PATHS)}"${cut}}`;
  return `- ${source}\n  targets:\n${draw.some(2, () => targetText(draw), 1).join('')}`;
}

function targetText(draw: Draw): string {
  const cut = draw.text(0.2, () => `, delimiter: "${draw.pick(['-', ':'])}", index: ${draw.int(4) - 1}`);
  const paths = [targetPath(draw), ...(draw.maybe(0.2) ? [targetPath(draw)] : [])];
  return `  - select: {${draw.pick(SELECTORS)}}
${draw.text(0.15, () => '    reject: [{name: d2}]\n')}    fieldPaths: [${paths.map((path) => `"${path}"`).join(', ')}]
${draw.text(0.8, () => `    options: {create: ${draw.maybe(0.9)}${cut}}\n`)}`;
}

function targetPath(draw: Draw): string {
  return draw.maybe(0.5) ? draw.pick(TARGET_PATHS) : ['spec', ...draw.some(2, () => draw.pick(SEGMENTS), 1)].join('.');
}

function operation(draw: Draw): string {
  const pointer = (): string =>
    `/spec/${draw.some(2, () => draw.pick(['k1', 'k2', 'k3', 'name', 'list', '0', '1', '-', '-1', 'new']), 1).join('/')}`;
  const op = draw.pick(['add', 'add', 'add', 'replace', 'replace', 'remove', 'copy', 'move', 'test']);
  const from = ['move', 'copy'].includes(op) ? `, from: "${pointer()}"` : '';
  const value = ['add', 'replace', 'test'].includes(op) ? `, value: ${flow(draw, 2)}` : '';
  return `    - {op: ${op}, path: "${pointer()}"${from}${value}}\n`;
}

function objects(draw: Draw): string {
  const source = `apiVersion: example.com/v1
kind: Src
metadata: {name: src}
spec:
  k1: ${draw.pick(SCALARS)}
  k2: ${flow(draw, 2)}
  k3: ${draw.pick(['a-b-c', '"h:1/p"'])}
  name: ${draw.pick(SCALARS)}
  list: [{name: a, v: ${flow(draw, 0)}}, {name: b, v: "2"}]
`;
  const target = (name: string): string =>
    `apiVersion: example.com/v1\nkind: Dst\nmetadata: {name: ${name}, labels: {l: ${draw.pick(['a', 'b'])}}}\nspec:\n${block(draw, 2, 2)}`;
  return [source, target('d1'), target('d2')].join('---\n');
}

/** A value in flow style, without comments. */
function flow(draw: Draw, depth: number): string {
  if (depth <= 0 || draw.maybe(0.55)) return draw.pick(SCALARS).replace(/ # note$/, '');
  if (draw.maybe(0.5)) return `[${draw.some(4, () => flow(draw, depth - 1)).join(', ')}]`;
  const keys = new Set(draw.some(4, () => draw.pick(['k1', 'k2', 'k3', 'name'])));
  return `{${[...keys].map((key) => `${key}: ${flow(draw, depth - 1)}`).join(', ')}}`;
}

/** The fields of a map in block style. */
function block(draw: Draw, depth: number, indent: number): string {
  const pad = ' '.repeat(indent);
  const keys = new Set(draw.some(4, () => draw.pick(['k1', 'k2', 'k3', 'name', 'list', 'data']), 1));
  const element = (): string => `${pad}- {name: ${draw.pick(['a', 'b', '"a"'])}, v: ${flow(draw, 0)}}\n`;
  return [...keys]
    .map((key) => {
      if (key === 'list') return `${pad}list:\n${draw.some(3, element, 1).join('')}`;
      if (key === 'data') return `${pad}data: ${draw.pick(STRUCTURED)}\n`;
      if (depth <= 0 || draw.maybe(0.5)) return `${pad}${key}: ${draw.pick(SCALARS)}\n`;
      return draw.maybe(0.5) ? `${pad}${key}:\n${block(draw, depth - 1, indent + 2)}` : `${pad}${key}: ${flow(draw, 1)}\n`;
    })
    .join('');
}
