import type { Draw } from './draw.ts';
import { fieldsOf, mapText, unique, type Fields, type Value } from './yaml.ts';

const SCALARS = [
  '1',
  '"1"',
  "'x'",
  'x',
  'true',
  '"true"',
  'yes',
  '~',
  'null',
  '',
  '5',
  '1.5',
  '80',
  '"80"',
  'TCP',
  '2020-01-02',
  '|-\n__text',
  '0x10',
  '"a b"',
];
const NAMES = ['a', 'b', 'c'];
const API_VERSIONS = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  CronJob: 'batch/v1',
  Service: 'v1',
  Pod: 'v1',
  PodTemplate: 'v1',
  ConfigMap: 'v1',
  Thing: 'example.com/v1',
} as const;
export type Kind = keyof typeof API_VERSIONS;
export const KINDS = Object.keys(API_VERSIONS) as readonly Kind[];

type Entry = readonly [string, Value];

/** Draws objects, and patches for them, which have directives. */
export class ObjectMaker {
  readonly #draw: Draw;
  readonly #patch: boolean;

  constructor(draw: Draw, isPatch: boolean) {
    this.#draw = draw;
    this.#patch = isPatch;
  }

  /** An object as YAML text. */
  text(kind: Kind, name: string): string {
    const draw = this.#draw;
    const root: Entry[] = [
      ['apiVersion', API_VERSIONS[kind]],
      ['kind', kind],
      ['metadata', this.#metadata(name)],
    ];
    if (this.#patch && draw.maybe(0.03)) root.push(['$patch', draw.pick(['delete', 'replace', 'merge'])]);
    return mapText({ fields: [...root, ...this.#body(kind)] });
  }

  #body(kind: Kind): Entry[] {
    const draw = this.#draw;
    const template = (): Fields => fieldsOf(['metadata', this.#metadata('t')], ['spec', this.#podSpec()]);
    if (kind === 'Service') {
      const selector: Entry[] = draw.maybe(0.3) ? [['selector', this.#map(1)]] : [];
      return [['spec', { fields: [['ports', this.#ports('port')], ...selector] }]];
    }
    if (kind === 'Pod') return [['spec', this.#podSpec()]];
    if (kind === 'ConfigMap') return [['data', this.#map(2)]];
    if (kind === 'PodTemplate') return [['template', fieldsOf(['spec', this.#podSpec()])]];
    if (kind === 'CronJob') {
      return [['spec', fieldsOf(['jobTemplate', fieldsOf(['spec', fieldsOf(['template', fieldsOf(['spec', this.#podSpec()])])])])]];
    }
    const spec: Entry[] = [];
    if (draw.maybe(0.4)) spec.push(['replicas', draw.pick(['1', '"2"', 'null'])]);
    if (draw.maybe(0.3)) spec.push(['strategy', draw.maybe(0.8) ? this.#map(2) : this.#scalar()]);
    spec.push(['template', template()]);
    const body: Entry[] = [['spec', { fields: spec }]];
    if (draw.maybe(0.2)) body.push(['status', fieldsOf(['conditions', this.#elements('type', () => [['status', this.#scalar()]])])]);
    return body;
  }

  #scalar(): string {
    return this.#draw.pick(SCALARS);
  }

  #directive(probability: number, choices: readonly string[] = ['delete', 'replace', 'merge', 'replace']): Entry[] {
    return this.#patch && this.#draw.maybe(probability) ? [['$patch', this.#draw.pick(choices)]] : [];
  }

  #map(depth: number): Fields {
    const draw = this.#draw;
    const fields = draw.some(4, (): Entry => [draw.pick(['k1', 'k2', 'k3', 'z']), this.#value(depth - 1)]);
    return unique([...fields, ...this.#directive(0.1)]);
  }

  #value(depth: number): Value {
    const draw = this.#draw;
    if (depth <= 0 || draw.maybe(0.6)) return this.#scalar();
    return draw.maybe(0.5) ? this.#map(depth) : draw.some(3, () => this.#scalar());
  }

  /** A list whose elements are told apart by `key`, which some lack. */
  #elements(key: string, more: () => Entry[]): Value[] {
    const draw = this.#draw;
    const list: Value[] = draw.some(4, () => {
      if (draw.maybe(0.01)) return draw.pick(['null', 'text', '~']);
      const own: Entry[] = draw.maybe(0.08) ? [] : [[key, draw.pick(NAMES)]];
      return unique([...own, ...more(), ...this.#directive(0.12, ['delete', 'replace'])]);
    });
    const directive = this.#directive(0.08, ['replace', 'delete', 'merge']);
    if (directive.length > 0) list.splice(draw.int(list.length + 1), 0, { fields: directive });
    return list;
  }

  #ports(key: string): Value[] {
    const draw = this.#draw;
    return draw.some(4, () => {
      const port: Entry[] = draw.maybe(0.08) ? [] : [[key, draw.pick(['80', '81', '"80"'])]];
      if (draw.maybe(0.5)) port.push(['protocol', draw.pick(['TCP', 'UDP', '""'])]);
      if (draw.maybe(0.6)) port.push(['name', draw.pick(NAMES)]);
      return { fields: [...port, ...this.#directive(0.1, ['delete'])] };
    });
  }

  #container(): Entry[] {
    const draw = this.#draw;
    const fromSecret = (): Entry => ['valueFrom', fieldsOf(['secretKeyRef', fieldsOf(['name', draw.pick(['s', 't'])])])];
    const entries: Entry[] = [];
    if (draw.maybe(0.7)) entries.push(['image', draw.pick(['nginx', 'nginx:1', '"x:2"'])]);
    if (draw.maybe(0.5)) entries.push(['env', this.#elements('name', () => [draw.maybe(0.8) ? ['value', this.#scalar()] : fromSecret()])]);
    if (draw.maybe(0.4)) entries.push(['ports', this.#ports('containerPort')]);
    if (draw.maybe(0.4)) entries.push(['volumeMounts', this.#elements('mountPath', () => [['name', draw.pick(NAMES)]])]);
    if (draw.maybe(0.3)) entries.push(['args', draw.some(3, () => this.#scalar())]);
    if (draw.maybe(0.2)) entries.push(['resources', this.#map(2)]);
    return entries;
  }

  #podSpec(): Fields {
    const draw = this.#draw;
    const spec: Entry[] = [];
    if (draw.maybe(0.9)) spec.push(['containers', this.#elements('name', () => this.#container())]);
    if (draw.maybe(0.3)) spec.push(['initContainers', this.#elements('name', () => this.#container())]);
    if (draw.maybe(0.5)) {
      const source = (): Entry => [draw.pick(['emptyDir', 'configMap', 'secret']), this.#map(1)];
      spec.push(['volumes', this.#elements('name', () => [source()])]);
    }
    if (draw.maybe(0.3)) spec.push(['imagePullSecrets', this.#elements('name', () => [])]);
    if (draw.maybe(0.3)) spec.push(['tolerations', [fieldsOf(['key', draw.pick(NAMES)])]]);
    if (draw.maybe(0.3)) spec.push(['nodeSelector', draw.maybe(0.8) ? this.#map(1) : this.#scalar()]);
    return { fields: [...spec, ...this.#directive(0.05)] };
  }

  #metadata(name: string): Fields {
    const draw = this.#draw;
    const texts = (): Fields => unique(draw.some(1, (): Entry => [draw.pick(['a', 'b']), this.#scalar()], 2));
    const fields: Entry[] = [['name', name]];
    if (draw.maybe(0.3)) fields.push(['labels', texts()]);
    if (draw.maybe(0.4)) fields.push(['annotations', texts()]);
    if (draw.maybe(0.2)) fields.push(['finalizers', draw.some(3, () => draw.pick(NAMES))]);
    if (draw.maybe(0.1)) fields.push(['ownerReferences', this.#elements('uid', () => [['name', draw.pick(NAMES)]])]);
    return { fields };
  }
}
