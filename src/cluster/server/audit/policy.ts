import { SottoError } from '../../../base/errors/index.ts';
import { isJsonObject } from '../../../kube/objects/index.ts';
import type { UserInfo } from '../../../kube/client/index.ts';
import type { RequestInfo } from '../requestInfo.ts';
import type { AuditLevel, AuditPolicy, AuditRule, AuditStage } from './types.ts';

/** Who did what and when, never contents: of Secrets, ConfigMaps and tokens the contents are the secret (AUD-02). */
export const DEFAULT_POLICY: AuditPolicy = {
  omitStages: ['RequestReceived'],
  rules: [
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
      ],
    },
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version', '/openapi/*'] },
    { level: 'Metadata' },
  ],
};

/** What a policy says about one request. */
export interface Verdict {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

const NOTHING: Verdict = { level: 'None', omitStages: [], omitManagedFields: false };

/** The first rule that matches decides; none means nothing is recorded (apiserver:pkg/audit/policy/checker.go). */
export function verdictFor(policy: AuditPolicy, user: UserInfo, info: RequestInfo): Verdict {
  const rule = policy.rules.find((each) => MATCHERS.every((matches) => matches(each, user, info)));
  if (rule === undefined) return NOTHING;
  return {
    level: rule.level,
    omitStages: [...(policy.omitStages ?? []), ...(rule.omitStages ?? [])],
    omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

type Matcher = (rule: AuditRule, user: UserInfo, info: RequestInfo) => boolean;

const isEmpty = (list: readonly unknown[] | undefined): boolean => list === undefined || list.length === 0;
const allows = (list: readonly string[] | undefined, value: string): boolean => list === undefined || isEmpty(list) || list.includes(value);

const MATCHERS: readonly Matcher[] = [
  ({ users }, { username }) => allows(users, username),
  ({ userGroups = [] }, { groups }) => isEmpty(userGroups) || groups.some((group) => userGroups.includes(group)),
  ({ verbs }, _user, { verb }) => allows(verbs, verb),
  matchesTarget,
];

function matchesTarget(rule: AuditRule, _user: UserInfo, info: RequestInfo): boolean {
  const { namespaces, resources = [], nonResourceURLs = [] } = rule;
  if (!isEmpty(namespaces) || !isEmpty(resources)) {
    return (
      info.isResource && allows(namespaces, info.namespace) && (isEmpty(resources) || resources.some((each) => matchesResource(each, info)))
    );
  }
  if (isEmpty(nonResourceURLs)) return true;
  return !info.isResource && nonResourceURLs.some((url) => matchesPath(url, info.path));
}

function matchesResource(
  { group = '', resources = [], resourceNames }: NonNullable<AuditRule['resources']>[number],
  { group: asked, resource, subresource, name }: RequestInfo,
): boolean {
  if (group !== asked) return false;
  if (resources.length === 0) return true;
  if (!allows(resourceNames, name)) return false;
  const full = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some(
    (each) => each === '*' || each === full || each === `${resource}/*` || (subresource !== '' && each === `*/${subresource}`),
  );
}

function matchesPath(url: string, path: string): boolean {
  return url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.replace(/\*+$/, '')));
}

const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'];
const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'];

/**
 * Reads a Policy document.
 *
 * @throws SottoError AUDIT_POLICY_INVALID
 */
export function parseAuditPolicy(value: unknown): AuditPolicy {
  if (!isJsonObject(value) || value['kind'] !== 'Policy' || value['apiVersion'] !== 'audit.k8s.io/v1') {
    throw invalid('expected apiVersion audit.k8s.io/v1, kind Policy');
  }
  const rules = value['rules'];
  if (!Array.isArray(rules) || rules.length === 0) throw invalid('rules: expected at least one');
  for (const [index, rule] of rules.entries()) {
    const at = `rules[${index}]`;
    if (!isJsonObject(rule)) throw invalid(`${at}: expected object`);
    if (!isOneOf(LEVELS, rule['level'])) throw invalid(`${at}.level: expected one of ${LEVELS.join(', ')}`);
    checkStages(rule['omitStages'], `${at}.omitStages`);
    const isMixed = Array.isArray(rule['nonResourceURLs']) && (Array.isArray(rule['resources']) || Array.isArray(rule['namespaces']));
    if (isMixed) throw invalid(`${at}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`);
  }
  checkStages(value['omitStages'], 'omitStages');
  return value as unknown as AuditPolicy;
}

function checkStages(value: unknown, at: string): void {
  if (value === undefined) return;
  const isRight = Array.isArray(value) && value.every((stage) => isOneOf(STAGES, stage));
  if (!isRight) throw invalid(`${at}: expected stages among ${STAGES.join(', ')}`);
}

function isOneOf(allowed: readonly string[], value: unknown): boolean {
  return typeof value === 'string' && allowed.includes(value);
}

function invalid(problem: string): SottoError {
  return new SottoError('AUDIT_POLICY_INVALID', `the audit policy is not valid: ${problem}`);
}
