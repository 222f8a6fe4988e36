import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Attributes, PolicyRule } from '../types.ts';
import { formatRule, mismatch, rulesIn, uncovered } from './rules.ts';

const some = (values: readonly string[]): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const VERBS = ['get', 'list', 'create'];
const GROUPS = ['', 'apps'];
const RESOURCES = ['secrets', 'pods', 'pods/log', 'secrets/log'];
const NAMES = ['a', 'b'];
const PATHS = ['/x', '/x/y', '/z'];

const rule: fc.Arbitrary<PolicyRule> = fc.oneof(
  fc.record({
    verbs: some([...VERBS, '*']),
    apiGroups: some([...GROUPS, '*']),
    resources: some([...RESOURCES, '*', '*/log']),
    resourceNames: fc.oneof(fc.constant([]), some(NAMES)),
  }),
  fc.record({ verbs: some([...VERBS, '*']), nonResourceURLs: some([...PATHS, '*', '/x*', '/x/*']) }),
);
const rules = fc.array(rule, { maxLength: 4 });

const user = { username: 'u', groups: [] };
const requests: readonly Attributes[] = VERBS.flatMap((verb) => [
  ...GROUPS.flatMap((group) =>
    RESOURCES.flatMap((full) =>
      ['', ...NAMES].map((name) => {
        const [resource = '', subresource = ''] = full.split('/');
        return { user, verb, group, version: 'v1', resource, subresource, namespace: '', name };
      }),
    ),
  ),
  ...PATHS.map((path) => ({ user, verb, group: '', version: '', resource: '', subresource: '', namespace: '', name: '', path })),
]);
const allows = (list: readonly PolicyRule[], request: Attributes): boolean => list.some((each) => mismatch(each, request) === undefined);

describe('rules', () => {
  it('RBAC-03: where nothing is missing, no request is allowed that was not allowed before', () => {
    fc.assert(
      fc.property(rules, rules, (owned, wanted) => {
        const missing = uncovered(owned, wanted);
        for (const request of requests) {
          if (allows(wanted, request)) expect(allows([...owned, ...missing], request)).toBe(true);
        }
        expect(uncovered([...owned, ...missing], wanted)).toEqual([]);
      }),
    );
  });

  it('RBAC-03: everything is covered by itself, and by everything', () => {
    const everything = [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ];
    fc.assert(
      fc.property(rules, (list) => {
        expect(uncovered(list, list)).toEqual([]);
        expect(uncovered(everything, list)).toEqual([]);
      }),
    );
  });

  it('RBAC-03: missing permissions of one resource stand in one line', () => {
    const wanted = [
      { verbs: ['get', 'list'], apiGroups: [''], resources: ['secrets', 'pods'] },
      { verbs: ['get'], apiGroups: [''], resources: ['secrets'], resourceNames: ['a'] },
      { verbs: ['get'], nonResourceURLs: ['/x'] },
    ];
    expect(uncovered([{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }], wanted).map(formatRule)).toEqual([
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
      '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["get"]}',
      '{NonResourceURLs:["/x"], Verbs:["get"]}',
    ]);
  });

  it('RBAC-01: what is no rule allows nothing', () => {
    for (const value of [undefined, null, 'x', [null, 1, 'x', {}], [{ verbs: 'get', resources: [1] }]]) {
      expect(requests.some((request) => allows(rulesIn(value), request))).toBe(false);
    }
  });
});
