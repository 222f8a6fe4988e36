import { isJsonObject } from '../../../kube/objects/index.ts';
import type { Attributes, PolicyRule } from '../types.ts';

type Texts = readonly string[];

/** The rules in a stored field; what is not a rule is left out. */
export function rulesIn(value: unknown): PolicyRule[] {
  return Array.isArray(value) ? value.filter(isJsonObject).map(ruleOf) : [];
}

function ruleOf(value: Readonly<Record<string, unknown>>): PolicyRule {
  const texts = (name: string): Record<string, string[]> => {
    const list = value[name];
    return Array.isArray(list) && list.length > 0 ? { [name]: list.filter((item) => typeof item === 'string') } : {};
  };
  return {
    ...texts('apiGroups'),
    ...texts('resources'),
    ...texts('resourceNames'),
    ...texts('nonResourceURLs'),
    verbs: texts('verbs')['verbs'] ?? [],
  };
}

/** The conditions of a rule, in order, and how the first that fails is told. */
const CONDITIONS: readonly (readonly [string, (rule: PolicyRule, asked: Attributes) => boolean])[] = [
  ['verbs', ({ verbs }, { verb }) => hasOrAll(verbs, verb)],
  ['nonResourceURLs', ({ nonResourceURLs = [] }, { path }) => path === undefined || nonResourceURLs.some((url) => coversPath(url, path))],
  ['apiGroups', ({ apiGroups = [] }, { path, group }) => path !== undefined || hasOrAll(apiGroups, group)],
  [
    'resources',
    ({ resources = [] }, { path, resource, subresource }) => path !== undefined || coversResource(resources, resource, subresource),
  ],
  [
    'resourceNames',
    ({ resourceNames = [] }, { path, name }) => path !== undefined || resourceNames.length === 0 || resourceNames.includes(name),
  ],
];

/** The field of a rule that keeps it from allowing a request; undefined when it allows it (RBAC-01). */
export function mismatch(rule: PolicyRule, asked: Attributes): string | undefined {
  return CONDITIONS.find(([, holds]) => !holds(rule, asked))?.[0];
}

function hasOrAll(list: Texts, wanted: string): boolean {
  return list.includes('*') || list.includes(wanted);
}

function coversResource(resources: Texts, resource: string, subresource: string): boolean {
  if (subresource === '') return hasOrAll(resources, resource);
  return hasOrAll(resources, `${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

function coversPath(url: string, path: string): boolean {
  return url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')));
}

/**
 * The parts of `wanted` that no rule of `owned` allows, as small as rules can be, those of one resource together
 * (component-helpers:auth/rbac/validation/policy_comparator.go).
 */
export function uncovered(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return compact(wanted.flatMap(atoms).filter((atom) => !owned.some((rule) => coversAtom(rule, atom))));
}

/** A rule as rules with one verb, one resource or path, and one name. */
function atoms({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): PolicyRule[] {
  const names = resourceNames.length === 0 ? [{}] : resourceNames.map((name) => ({ resourceNames: [name] }));
  return [
    ...apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => names.map((name) => ({ apiGroups: [group], resources: [resource], ...name, verbs: [verb] }))),
      ),
    ),
    ...nonResourceURLs.flatMap((url) => verbs.map((verb) => ({ nonResourceURLs: [url], verbs: [verb] }))),
  ];
}

function coversAtom(rule: PolicyRule, atom: PolicyRule): boolean {
  const [verb = ''] = atom.verbs;
  if (!hasOrAll(rule.verbs, verb)) return false;
  const [url] = atom.nonResourceURLs ?? [];
  if (url !== undefined) return (rule.nonResourceURLs ?? []).some((own) => coversPath(own, url));
  const [group = ''] = atom.apiGroups ?? [];
  const [full = ''] = atom.resources ?? [];
  const [resource = '', subresource = ''] = full.split('/', 2);
  const [name] = atom.resourceNames ?? [];
  const names = rule.resourceNames ?? [];
  return (
    hasOrAll(rule.apiGroups ?? [], group) &&
    coversResource(rule.resources ?? [], resource, subresource) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  );
}

function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const groups = Map.groupBy(rules, ({ verbs: _verbs, ...rest }) => JSON.stringify(rest));
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined ? [] : [{ ...first, verbs: [...new Set(same.flatMap(({ verbs }) => verbs))] }];
  });
}

/** A rule in one line: `{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`. */
export function formatRule(rule: PolicyRule): string {
  const parts: readonly (readonly [string, Texts | undefined])[] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  return `{${parts.flatMap(([name, list]) => (list === undefined || list.length === 0 ? [] : `${name}:${formatTexts(list)}`)).join(', ')}}`;
}

/** Texts as Go's `%q` shows a list. */
export function formatTexts(texts: Texts): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;
}
