import { DEFINITIONS, RESOURCES } from './generated/kubernetes.ts';

/** Markers of one field, see scripts/generate-kinds.ts. */
export interface FieldFacts {
  /** `[]T` is a list of T, `{}T` a map with values T. */
  readonly type: string;
  readonly list?: string;
  readonly keys?: readonly string[];
  readonly map?: string;
  readonly patch?: string;
  readonly patchKey?: string;
}

/** What one definition of the table says. */
export interface DefinitionFacts {
  readonly required?: readonly string[];
  readonly map?: string;
  readonly scalar?: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** `[number, JSON field, type, 1 when the message's fields stand in the parent's JSON]`. */
export type ProtoFacts = readonly [number, string, string, 1?];

interface Line {
  readonly facts: string;
  readonly proto: string;
}

let lines: Map<string, Line> | undefined;
let kinds: Map<string, string> | undefined;

/** Splits the table into lines, once; JSON is parsed per definition. */
function loadedLines(): Map<string, Line> {
  if (lines !== undefined) return lines;
  lines = new Map();
  kinds = new Map();
  for (const line of DEFINITIONS.split('\n')) {
    const [name = '', gvks = '', facts = '{}', proto = '[]'] = line.split('\t');
    lines.set(name, { facts, proto });
    for (const gvk of gvks.split(' ')) if (gvk !== '') kinds.set(gvk, name);
  }
  return lines;
}

/** The definition that describes `group/version/Kind`, by its short name. */
export function definitionOfKind(gvk: { readonly group: string; readonly version: string; readonly kind: string }): string | undefined {
  loadedLines();
  return kinds?.get(`${gvk.group}/${gvk.version}/${gvk.kind}`);
}

export function definitionFacts(name: string): DefinitionFacts | undefined {
  const line = loadedLines().get(name);
  return line === undefined ? undefined : (JSON.parse(line.facts) as DefinitionFacts);
}

export function protoFacts(name: string): readonly ProtoFacts[] | undefined {
  const line = loadedLines().get(name);
  return line === undefined ? undefined : (JSON.parse(line.proto) as readonly ProtoFacts[]);
}

/** `TYPE|list=map|keys=a,b|patch=merge|…` */
export function parseField(text: string): FieldFacts {
  const [type = '', ...markers] = text.split('|');
  const found = new Map(markers.map((marker) => [marker.slice(0, marker.indexOf('=')), marker.slice(marker.indexOf('=') + 1)]));
  const marker = (name: string): object => (found.has(name) ? { [name]: found.get(name) } : {});
  const keys = found.get('keys');
  return {
    type,
    ...marker('list'),
    ...marker('map'),
    ...marker('patch'),
    ...marker('patchKey'),
    ...(keys === undefined ? {} : { keys: keys.split(',') }),
  };
}

/** The lines of the resource table, split at tabs. */
export function resourceLines(): readonly (readonly string[])[] {
  return RESOURCES.split('\n').map((line) => line.split('\t'));
}

const PREFIXES: readonly (readonly [string, string])[] = [
  ['^', 'io.k8s.apiextensions-apiserver.pkg.apis.'],
  ['~', 'io.k8s.apimachinery.pkg.'],
];

/** The published name of a definition: `core.v1.Secret` → `io.k8s.api.core.v1.Secret`. */
export function fullName(short: string): string {
  const found = PREFIXES.find(([mark]) => short.startsWith(mark));
  return found === undefined ? `io.k8s.api.${short}` : `${found[1]}${short.slice(1)}`;
}

/** A definition without its group's path: `io.k8s.api.core.v1.Secret` → `core.v1.Secret`. */
export function shortTitle(title: string): string {
  const known = shortTitles.get(title);
  if (known !== undefined) return known;
  const short = title.split('.').slice(-3).join('.');
  // Titles of custom schemas come from users: not without end.
  if (shortTitles.size < KEPT_TITLES) shortTitles.set(title, short);
  return short;
}

const KEPT_TITLES = 5_000;
const shortTitles = new Map<string, string>();
