import type { UserInfo } from '../../../kube/client/index.ts';
import type { Store } from '../../store/index.ts';
import type { AccessExplanation, Attributes, Authorize, Decision, PolicyRule, UserRules } from '../types.ts';
import { grantsOf } from './bindings.ts';
import { mismatch } from './rules.ts';

/** Members may do everything, whatever the bindings say. */
const PRIVILEGED = 'system:masters';

type Readable = Pick<Store, 'get' | 'list'>;

/**
 * Decides by the roles and bindings that are stored (RBAC-01, RBAC-02;
 * kubernetes:plugin/pkg/auth/authorizer/rbac/rbac.go). Also answers what a user may do at all, and explains.
 */
export function rbacAuthorizer(store: Readable): Authorize {
  return Object.assign((attributes: Attributes) => decide(store, attributes), {
    rulesFor: (user: UserInfo, namespace: string) => rulesFor(store, user, namespace),
    explain: (attributes: Attributes) => explainAccess(store, attributes),
  });
}

function decide(store: Readable, attributes: Attributes): Decision {
  if (attributes.user.groups.includes(PRIVILEGED)) return { allowed: true };
  const problems: string[] = [];
  for (const { text, rules, problem } of grantsOf(store, attributes.user, namespaceOf(attributes))) {
    if (problem !== undefined) problems.push(problem);
    if (rules.some((rule) => mismatch(rule, attributes) === undefined)) return { allowed: true, reason: `RBAC: allowed by ${text}` };
  }
  return { allowed: false, ...(problems.length === 0 ? {} : { reason: `RBAC: ${aggregate(problems)}` }) };
}

/** Only bindings of the whole cluster count for paths. */
function namespaceOf({ path, namespace }: Attributes): string {
  return path === undefined ? namespace : '';
}

/** Several problems as apimachinery's aggregate shows them. */
function aggregate(problems: readonly string[]): string {
  const distinct = [...new Set(problems)];
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`;
}

function rulesFor(store: Readable, user: UserInfo, namespace: string): UserRules {
  const grants = [...grantsOf(store, user, namespace)];
  const problems = grants.flatMap(({ problem }) => problem ?? []);
  const rules = grants.flatMap((grant) => grant.rules);
  return { rules, ...(problems.length === 0 ? {} : { problem: aggregate(problems) }) };
}

/**
 * Why a request is allowed or not: every binding that names the user, and for each of its rules the field that keeps
 * it from matching.
 *
 * @example
 * ```ts
 * explainAccess(cluster.store, { user, verb: 'get', group: '', version: 'v1', resource: 'secrets', subresource: '', namespace: 'a', name: 'b' });
 * // { allowed: false, reason: 'no rule of 2 bindings allows it', grants: [{ binding: 'RoleBinding "r/a" of …', rules: [{ …, fails: 'verbs' }] }] }
 * ```
 */
export function explainAccess(store: Readable, attributes: Attributes): AccessExplanation {
  const { allowed, reason } = decide(store, attributes);
  const grants = [...grantsOf(store, attributes.user, namespaceOf(attributes))].map(({ text, rules, problem }) => ({
    binding: text,
    ...(problem === undefined ? {} : { problem }),
    rules: rules.map((rule) => explainRule(rule, attributes)),
  }));
  const isPrivileged = attributes.user.groups.includes(PRIVILEGED);
  return { allowed, reason: isPrivileged ? `member of the group ${PRIVILEGED}` : (reason ?? refusal(grants.length)), grants };
}

function explainRule(rule: PolicyRule, attributes: Attributes): AccessExplanation['grants'][number]['rules'][number] {
  const fails = mismatch(rule, attributes);
  return fails === undefined ? { rule } : { rule, fails };
}

function refusal(count: number): string {
  return count === 0 ? 'no binding names the user or one of its groups' : `no rule of ${count} bindings allows it`;
}
