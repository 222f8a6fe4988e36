import { compileCel, type CelExpression } from '../../text/cel/index.ts';
import { isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import type { AdmissionRequest, Environment, Resource, Version } from '../registry/index.ts';

/** Which writes a webhook or policy sees: the fields that both have. */
export interface Matching {
  readonly rules?: readonly Rule[];
  readonly matchPolicy?: string;
  readonly namespaceSelector?: LabelSelector;
  readonly objectSelector?: LabelSelector;
}

export interface Rule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
  /** Only of policies. */
  readonly resourceNames?: readonly string[];
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
}

export interface MatchCondition {
  readonly name: string;
  readonly expression: string;
}

type Labels = Readonly<Record<string, string>>;

/** Does a selector select these labels? The empty one selects all. */
export function selectsLabels(selector: LabelSelector | undefined, labels: Labels): boolean {
  const has = (key: string): boolean => Object.hasOwn(labels, key);
  return (
    Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => has(key) && labels[key] === value) &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      if (operator === 'In') return has(key) && values.includes(labels[key] ?? '');
      if (operator === 'NotIn') return !has(key) || !values.includes(labels[key] ?? '');
      return operator === 'Exists' ? has(key) : !has(key);
    })
  );
}

const isEmpty = (selector: LabelSelector | undefined): boolean =>
  Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0;

/** The version in which a webhook or policy sees the request; undefined when it doesn't see it. */
export function matchedVersion(env: Pick<Environment, 'store'>, request: AdmissionRequest, matching: Matching): Version | undefined {
  const { resource, version, namespace, name } = request.context;
  if (!selectsNamespace(env, request, matching.namespaceSelector)) return undefined;
  const objects = [request.object, request.old].filter((object) => object !== undefined);
  const isSelected = objects.some(({ metadata }) => selectsLabels(matching.objectSelector, metadata.labels ?? {}));
  if (!isEmpty(matching.objectSelector) && !isSelected) return undefined;
  const others = matching.matchPolicy === 'Exact' ? [] : resource.versions.filter((each) => each.name !== version.name);
  const rules = matching.rules ?? [];
  return [version, ...others].find((each) => rules.some((rule) => fits(rule, request, resource, each.name, namespace, name)));
}

function fits(rule: Rule, request: AdmissionRequest, resource: Resource, version: string, namespace: string, name: string): boolean {
  const has = (values: readonly string[] | undefined, wanted: string): boolean =>
    values?.some((each) => each === '*' || each === wanted) === true;
  const { scope = '*', resourceNames = [] } = rule;
  return (
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, resource.group) &&
    has(rule.apiVersions, version) &&
    (rule.resources ?? []).some((each) => isResource(each, resource.plural, request.context.subresource)) &&
    (scope === '*' || (scope === 'Namespaced') === (resource.namespaced && namespace !== '')) &&
    (resourceNames.length === 0 || resourceNames.includes(name === '' ? (request.object?.metadata.name ?? '') : name))
  );
}

/** `pods`, `pods/status`, `pods/*`, or a star in place of the resource; `*` has no subresources. */
function isResource(pattern: string, plural: string, subresource: string): boolean {
  const [resource, sub = ''] = pattern.split('/');
  return (resource === '*' || resource === plural) && (sub === '*' || sub === subresource);
}

/** Objects of no namespace are always selected; a Namespace by its own labels. */
function selectsNamespace(
  env: Pick<Environment, 'store'>,
  { context, object, old }: AdmissionRequest,
  selector: LabelSelector | undefined,
): boolean {
  if (isEmpty(selector)) return true;
  const { resource, namespace } = context;
  if (resource.group === '' && resource.plural === 'namespaces') return selectsLabels(selector, (object ?? old)?.metadata.labels ?? {});
  if (!resource.namespaced) return true;
  return selectsLabels(selector, namespaceOf(env, namespace)?.metadata.labels ?? {});
}

export function namespaceOf(env: Pick<Environment, 'store'>, name: string): KubeObject | undefined {
  return env.store.get({ resource: 'namespaces', namespace: '', name });
}

const compiled = new Map<string, CelExpression>();
const MOST_COMPILED = 500;

/** An expression of admission, compiled once. @throws SottoError CEL_* */
export function celOf(text: string): CelExpression {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const expression = compileCel(text, { variables: 'any' });
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  compiled.set(text, expression);
  return expression;
}

/** All conditions hold; when none is false but some can't be evaluated, that error is thrown. */
export function conditionsHold(conditions: readonly MatchCondition[] = [], variables: Readonly<Record<string, unknown>>): boolean {
  const errors: unknown[] = [];
  for (const { expression } of conditions) {
    try {
      if (celOf(expression).evaluate(variables) === false) return false;
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return true;
}

/** The `request` of an AdmissionReview, and of CEL, without the objects. */
export function requestOf(request: AdmissionRequest, version: Version, uid: string): Record<string, unknown> {
  const { operation, context } = request;
  const { resource, namespace, subresource, user, dryRun, manager } = context;
  const { group, plural, kind } = resource;
  const name = context.name === '' ? (request.object?.metadata.name ?? '') : context.name;
  const subresources = (field: string): Record<string, string> => (subresource === '' ? {} : { [field]: subresource });
  const options = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }[operation];
  return {
    uid,
    kind: { group, version: version.name, kind },
    resource: { group, version: version.name, resource: plural },
    ...subresources('subResource'),
    requestKind: { group, version: context.version.name, kind },
    requestResource: { group, version: context.version.name, resource: plural },
    ...subresources('requestSubResource'),
    ...(name === '' ? {} : { name }),
    ...(resource.namespaced ? { namespace } : {}),
    operation,
    userInfo: { ...user, groups: [...user.groups] },
    dryRun,
    options: {
      apiVersion: 'meta.k8s.io/v1',
      kind: options,
      ...(dryRun ? { dryRun: ['All'] } : {}),
      ...(operation === 'DELETE' || manager === '' ? {} : { fieldManager: manager }),
    },
  };
}

export function objectOrNull(value: unknown): unknown {
  return isJsonObject(value) ? value : null;
}
