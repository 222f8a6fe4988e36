/**
 * Random kustomizations, one table entry for each part of kustomize that is drawn: files by their paths.
 */
import type { Draw } from './draw.ts';
import { KINDS, ObjectMaker, type Kind } from './objects.ts';
import { fieldTree } from './fields.ts';
import { replacementTree, jsonPatchTree } from './edits.ts';

export type Files = Readonly<Record<string, string>>;

const OBJECT_NAMES = ['o', 's', 't', 'web'];

/** Every kind of tree by its name. */
export const TREES: Readonly<Record<string, (draw: Draw) => Files>> = {
  merge: mergeTree,
  layers: layerTree,
  component: componentTree,
  fields: fieldTree,
  replacements: replacementTree,
  json6902: jsonPatchTree,
};

/** One object and strategic merge patches for it. */
function mergeTree(draw: Draw): Files {
  const kind = draw.pick(KINDS);
  const again = draw.text(0.1, () => '- path: p.yaml\n');
  return {
    'a.yaml': new ObjectMaker(draw, false).text(kind, 'o'),
    'p.yaml': new ObjectMaker(draw, true).text(kind, 'o'),
    'kustomization.yaml': `resources: [a.yaml]\npatches:\n- path: p.yaml\n${draw.text(0.3, () => '  target: {}\n')}${again}`,
  };
}

/** A base and an overlay with generators, transformers and patches; names are shared on purpose. */
function layerTree(draw: Draw): Files {
  const kinds = draw.some(4, () => draw.pick(KINDS), 1);
  const baseGenerators = draw.text(0.7, () => generators(draw));
  const patches = [0.5, 0.5, 0.3, 0.2]
    .map((probability, index) =>
      draw.text(probability, () => (index === 0 || index === 3 ? jsonPatch(draw) : mergePatch(draw, kinds, index))),
    )
    .join('');
  const overlayGenerators = draw.text(0.6, () => (baseGenerators === '' ? generators(draw) : behaving(draw, baseGenerators)));
  return {
    'base/a.yaml': objects(draw, kinds),
    'base/kustomization.yaml': `resources: [a.yaml]\n${baseGenerators}${transformers(draw)}`,
    'b.yaml': new ObjectMaker(draw, false).text(draw.pick(KINDS), draw.pick(['z', 's'])),
    'p1.yaml': new ObjectMaker(draw, true).text(draw.pick(kinds), 's'),
    'p2.yaml': new ObjectMaker(draw, true).text(draw.pick(kinds), 't'),
    'kustomization.yaml': `resources: [base${draw.text(0.4, () => ', b.yaml')}]\n${overlayGenerators}${transformers(draw)}${
      patches === '' ? '' : `patches:\n${patches}`
    }`,
  };
}

/** Two bases below an overlay that a component changes. */
function componentTree(draw: Draw): Files {
  const kinds = draw.some(3, () => draw.pick(KINDS), 1);
  return {
    'one/a.yaml': objects(draw, kinds),
    'one/kustomization.yaml': `resources: [a.yaml]\n${draw.text(0.5, () => generators(draw))}${transformers(draw)}`,
    'two/a.yaml': new ObjectMaker(draw, false).text(draw.pick(KINDS), draw.pick(['y', 'z'])),
    'two/kustomization.yaml': `resources: [a.yaml]\n${transformers(draw)}`,
    'part/kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n${transformers(draw)}${draw.text(0.5, () => `patches:\n${jsonPatch(draw)}`)}`,
    'kustomization.yaml': `resources: [one, two]\ncomponents: [part]\n${transformers(draw)}${draw.text(0.3, () => `sortOptions: {order: ${draw.pick(['fifo', 'legacy'])}}\n`)}`,
  };
}

function objects(draw: Draw, kinds: readonly Kind[]): string {
  return kinds.map((kind, index) => new ObjectMaker(draw, false).text(kind, OBJECT_NAMES[index] ?? `o${index}`)).join('---\n');
}

function generators(draw: Draw): string {
  const options = draw.text(0.3, () => '  options: {disableNameSuffixHash: true}\n');
  return `secretGenerator:
- name: ${draw.pick(['s', 't'])}
  literals: [a=${draw.int(3)}]
${options}configMapGenerator:
- name: ${draw.pick(['s', 'c'])}
  literals: [a=${draw.int(3)}]
`;
}

/** The base's generators again, changing what they made. */
function behaving(draw: Draw, text: string): string {
  return text.replaceAll(/a=\d/g, 'b=2').replaceAll('  literals', () => `  behavior: ${draw.pick(['merge', 'replace'])}\n  literals`);
}

function transformers(draw: Draw): string {
  const image = (): string => draw.pick(['newTag: v1', 'newName: other', 'digest: sha256:aa', 'tagSuffix: -t']);
  return [
    draw.text(0.5, () => `namePrefix: ${draw.pick(['p-', '"1"'])}\n`),
    draw.text(0.3, () => 'nameSuffix: -s\n'),
    draw.text(0.5, () => `namespace: ${draw.pick(['ns1', 'ns2'])}\n`),
    draw.text(
      0.4,
      () => `labels: [{pairs: {l: "${draw.int(3)}"}, includeSelectors: ${draw.maybe(0.5)}, includeTemplates: ${draw.maybe(0.5)}}]\n`,
    ),
    draw.text(0.2, () => 'commonLabels: {c: d}\n'),
    draw.text(0.3, () => 'commonAnnotations: {n1: "5"}\n'),
    draw.text(0.4, () => `images: [{name: ${draw.pick(['nginx', 'x', 'n.*'])}, ${image()}}]\n`),
    draw.text(0.06, () => `replicas: [{name: ${draw.pick(OBJECT_NAMES)}, count: 3}]\n`),
    draw.text(0.2, () => 'buildMetadata: [originAnnotations]\n'),
  ].join('');
}

function jsonPatch(draw: Draw): string {
  const target = draw.pick([
    `kind: ${draw.pick(KINDS)}`,
    `name: ${draw.pick(OBJECT_NAMES)}`,
    `namespace: ${draw.pick(['default', 'ns1'])}`,
    'labelSelector: l',
  ]);
  const path = draw.pick(['annotations/j', 'annotations/j', 'labels', 'name', 'namespace', 'annotations']);
  const operation = draw.pick(['add', 'add', 'add', 'replace']);
  return `- target: {${target}}\n  patch: |\n    - {op: ${operation}, path: /metadata/${path}, value: ${draw.pick(['jj', '"1"', '{q: "1"}'])}}\n`;
}

function mergePatch(draw: Draw, kinds: readonly Kind[], index: number): string {
  return `- target: {kind: ${draw.pick(kinds)}}\n  path: p${index}.yaml\n`;
}
