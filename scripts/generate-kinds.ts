/**
 * Compacts the facts of the Kubernetes API (fields, types, protobuf numbers, list and patch keys) into
 * src/kube/schema/generated/kubernetes.ts. Input: a JSON file with the facts of a Kubernetes release
 * (types, protobuf numbers, resources), condensed from its OpenAPI description and protobuf definitions.
 *
 *     npm run generate:kinds -- --data FILE [--out FILE]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

type TypeName = string | readonly ['list' | 'map', TypeName];

interface Field {
  readonly t: TypeName;
  readonly list?: string;
  readonly keys?: readonly string[];
  readonly map?: string;
  readonly patch?: string;
  readonly patchKey?: string;
}

interface Definition {
  readonly gvk?: readonly string[] | string;
  readonly required?: readonly string[];
  readonly map?: string;
  readonly scalar?: string;
  readonly fields?: Readonly<Record<string, Field>>;
}

type ProtoField = readonly [number, string, TypeName, 'inline'?];

interface Subresource {
  readonly kind: string;
  readonly verbs: readonly string[];
}

interface Resource {
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: Readonly<Record<string, Subresource>>;
}

interface Data {
  readonly source: unknown;
  readonly types: Readonly<Record<string, Definition>>;
  readonly proto: Readonly<Record<string, readonly ProtoField[]>>;
  readonly resources: Readonly<Record<string, Resource>>;
}

/** Served by other programs, or meaningless without a kubelet (parity: APIS-01, REST-14). */
const LEFT_OUT = new Set(['ComponentStatus', 'Binding', 'APIService']);
const SUBRESOURCES = new Set(['status', 'scale', 'finalize', 'token', 'approval', 'ephemeralcontainers', 'resize']);
/** Kinds that no resource path names but that requests carry. */
const ALSO = [
  'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  'io.k8s.api.policy.v1.Eviction',
  'io.k8s.api.autoscaling.v1.Scale',
  'io.k8s.api.authentication.v1.TokenRequest',
];

const PREFIXES: readonly (readonly [string, string])[] = [
  ['io.k8s.apiextensions-apiserver.pkg.apis.', '^'],
  ['io.k8s.apimachinery.pkg.', '~'],
  ['io.k8s.api.', ''],
];

function short(name: string): string {
  const found = PREFIXES.find(([prefix]) => name.startsWith(prefix));
  return found === undefined ? name : `${found[1]}${name.slice(found[0].length)}`;
}

/** `[]T` is a list of T, `{}T` a map with values T. */
function typeText(type: TypeName): string {
  if (typeof type === 'string') return short(type);
  return `${type[0] === 'list' ? '[]' : '{}'}${typeText(type[1])}`;
}

function leafOf(type: TypeName): string {
  return typeof type === 'string' ? type : leafOf(type[1]);
}

/** `TYPE|list=map|keys=a,b|patch=merge|patchKey=a|map=atomic`; an atomic list is what no marker means. */
function fieldText(field: Field): string {
  const markers = {
    list: field.list === 'atomic' ? undefined : field.list,
    keys: field.keys?.join(','),
    patch: field.patch,
    patchKey: field.patchKey,
    map: field.map,
  };
  const texts = Object.entries(markers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  return [typeText(field.t), ...texts].join('|');
}

function kindsOf(definition: Definition | undefined): readonly string[] {
  const gvk = definition?.gvk;
  if (gvk === undefined) return [];
  return typeof gvk === 'string' ? [gvk] : gvk;
}

/** Everything that the named definitions lead to, in the JSON table and the protobuf table. */
function reachable(data: Data, roots: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const queue = [...roots];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const fields = Object.values(data.types[name]?.fields ?? {}).map((field) => leafOf(field.t));
    const proto = (data.proto[name] ?? []).map((field) => leafOf(field[2]));
    queue.push(...[...fields, ...proto].filter((type) => type.startsWith('io.')));
  }
  return seen;
}

function definitionLine(data: Data, name: string): string {
  const definition = data.types[name];
  const fields = Object.entries(definition?.fields ?? {}).map(([field, facts]) => [field, fieldText(facts)] as const);
  const facts = {
    ...(definition?.required === undefined ? {} : { required: definition.required }),
    ...(definition?.map === undefined ? {} : { map: definition.map }),
    ...(definition?.scalar === undefined ? {} : { scalar: definition.scalar }),
    ...(fields.length === 0 ? {} : { fields: Object.fromEntries(fields) }),
  };
  const proto = (data.proto[name] ?? []).map(([number, field, type, inline]) => [
    number,
    field,
    typeText(type),
    ...(inline === undefined ? [] : [1]),
  ]);
  const kinds = kindsOf(definition).filter((kind) => kind.includes('/'));
  return [short(name), kinds.join(' '), JSON.stringify(facts), JSON.stringify(proto)].join('\t');
}

function resourceLine(path: string, resource: Resource): string {
  const parts = path.split('/');
  const subresources = Object.entries(resource.subresources)
    .filter(([name]) => SUBRESOURCES.has(name))
    .map(([name, facts]) => [name, facts.kind, facts.verbs.join(',')].join(' '));
  return [
    parts[0] === 'api' ? '' : parts[1],
    parts.at(-2),
    parts.at(-1),
    resource.kind,
    resource.namespaced ? 'namespaced' : 'cluster',
    resource.verbs.join(','),
    subresources.join(';'),
  ].join('\t');
}

function main(): void {
  const { values } = parseArgs({ options: { data: { type: 'string' }, out: { type: 'string' } } });
  if (values.data === undefined) throw new Error('usage: generate-kinds --data FILE [--out FILE]');
  const data = JSON.parse(readFileSync(values.data, 'utf8')) as Data;
  const byKind = new Map(Object.entries(data.types).flatMap(([name, type]) => kindsOf(type).map((kind) => [kind, name] as const)));

  const served = Object.entries(data.resources).filter(([path, resource]) => {
    const parts = path.split('/');
    const kind = `${parts[0] === 'api' ? '' : parts[1]}/${parts.at(-2)}/${resource.kind}`;
    return byKind.has(kind) && !LEFT_OUT.has(resource.kind);
  });
  const roots = served.map(([path, resource]) => {
    const parts = path.split('/');
    return byKind.get(`${parts[0] === 'api' ? '' : parts[1]}/${parts.at(-2)}/${resource.kind}`) ?? '';
  });
  const names = [...reachable(data, [...roots, ...ALSO])].toSorted();

  const out = values.out ?? new URL('../src/kube/schema/generated/kubernetes.ts', import.meta.url).pathname;
  const text = [
    `// Generated by scripts/generate-kinds.ts; do not edit. Source: ${JSON.stringify(data.source)}`,
    `export const DEFINITIONS = \`${names.map((name) => definitionLine(data, name)).join('\n')}\`;`,
    `export const RESOURCES = \`${served.map(([path, resource]) => resourceLine(path, resource)).join('\n')}\`;`,
    '',
  ].join('\n');
  writeFileSync(out, text);
}

main();
