import { messageOf } from '../../base/errors/index.ts';
import { apiErrors, cloneJson, parseApiVersion, type ApiError, type KubeObject } from '../../kube/objects/index.ts';
import type { AdmissionRequest, Environment } from '../registry/index.ts';
import {
  celOf,
  conditionsHold,
  matchedVersion,
  namespaceOf,
  objectOrNull,
  requestOf,
  selectsLabels,
  type LabelSelector,
  type MatchCondition,
  type Matching,
  type Rule,
} from './matching.ts';

const GROUP = 'admissionregistration.k8s.io';
const POLICIES = `validatingadmissionpolicies.${GROUP}`;
const BINDINGS = `validatingadmissionpolicybindings.${GROUP}`;

interface MatchResources extends Omit<Matching, 'rules'> {
  readonly resourceRules?: readonly Rule[];
  readonly excludeResourceRules?: readonly Rule[];
}

interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

interface PolicySpec {
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string };
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly MatchCondition[];
  readonly variables?: readonly MatchCondition[];
  readonly validations?: readonly Validation[];
  readonly failurePolicy?: string;
}

interface BindingSpec {
  readonly policyName: string;
  readonly paramRef?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly selector?: LabelSelector;
    readonly parameterNotFoundAction?: string;
  };
  readonly matchResources?: MatchResources;
  readonly validationActions?: readonly string[];
}

interface Denial {
  readonly message: string;
  readonly reason: string;
}

type PolicyEnvironment = Pick<Environment, 'store' | 'catalog'>;

const CODES: Readonly<Record<string, number>> = { Unauthorized: 401, Forbidden: 403, RequestEntityTooLarge: 413, Invalid: 422 };

/** ValidatingAdmissionPolicies and their bindings (ADM-03; apiserver:pkg/admission/plugin/policy). @throws ApiError 401, 403, 413, 422 */
export function admissionPolicies(env: PolicyEnvironment, request: AdmissionRequest): undefined {
  if (request.context.resource.group === GROUP) return undefined;
  for (const binding of env.store.list(BINDINGS)) {
    const { policyName, validationActions = [], paramRef, matchResources } = (binding['spec'] ?? {}) as BindingSpec;
    const policy = env.store.get({ resource: POLICIES, namespace: '', name: policyName });
    const spec = (policy?.['spec'] ?? {}) as PolicySpec;
    if (policy === undefined || !matches(env, request, spec.matchConstraints)) continue;
    if (matchResources !== undefined && !matches(env, request, matchResources, false)) continue;
    for (const denial of denialsOf(env, request, spec, paramRef)) {
      const text = `ValidatingAdmissionPolicy '${policyName}' with binding '${binding.metadata.name ?? ''}' denied request: ${denial.message}`;
      if (validationActions.includes('Warn')) request.context.warn(`Validation failed for ${text.replace(' denied request', '')}`);
      if (validationActions.includes('Deny')) throw refusal(request, denial, text);
    }
  }
  return undefined;
}

/** A binding without rules matches what its policy does. */
function matches(env: PolicyEnvironment, request: AdmissionRequest, resources: MatchResources = {}, needsRules = true): boolean {
  const { resourceRules = [], excludeResourceRules = [], ...rest } = resources;
  const everything: Rule = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] };
  const rules = resourceRules.length > 0 || needsRules ? resourceRules : [everything];
  if (matchedVersion(env, request, { ...rest, rules }) === undefined) return false;
  return excludeResourceRules.length === 0 || matchedVersion(env, request, { ...rest, rules: excludeResourceRules }) === undefined;
}

function refusal({ context, object }: AdmissionRequest, { reason }: Denial, text: string): ApiError {
  const error = apiErrors.forbidden(context.resource, context.name === '' ? (object?.metadata.name ?? '') : context.name, text);
  error.status.reason = reason;
  error.status.code = CODES[reason] ?? 422;
  error.status.details = { ...error.status.details, causes: [{ message: text }] };
  return error;
}

/** What the validations of a policy find, for each of its parameters. */
function denialsOf(env: PolicyEnvironment, request: AdmissionRequest, spec: PolicySpec, paramRef: BindingSpec['paramRef']): Denial[] {
  const isStrict = spec.failurePolicy !== 'Ignore';
  const failed = (message: string): Denial[] => (isStrict ? [{ message, reason: 'Invalid' }] : []);
  const params = spec.paramKind === undefined ? [null] : paramsOf(env, request, spec.paramKind, paramRef);
  if (params === undefined) return failed('failed to configure policy: failed to find resource referenced by paramKind');
  if (params.length === 0) {
    return paramRef?.parameterNotFoundAction === 'Allow'
      ? []
      : failed('failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return params.flatMap((param) => {
    const variables = variablesOf(env, request, spec, param);
    try {
      if (!conditionsHold(spec.matchConditions, variables)) return [];
    } catch (error) {
      return failed(messageOf(error));
    }
    return (spec.validations ?? []).flatMap((validation) => validate(validation, variables, failed));
  });
}

function validate(validation: Validation, variables: Readonly<Record<string, unknown>>, failed: (message: string) => Denial[]): Denial[] {
  const { expression, message, messageExpression, reason = 'Invalid' } = validation;
  try {
    if (celOf(expression).evaluate(variables) === true) return [];
  } catch (error) {
    return failed(`expression '${expression.trim()}' resulted in error: ${messageOf(error)}`);
  }
  return [{ message: messageFrom(messageExpression, variables) ?? message ?? `failed expression: ${expression.trim()}`, reason }];
}

function messageFrom(expression: string | undefined, variables: Readonly<Record<string, unknown>>): string | undefined {
  if (expression === undefined || expression === '') return undefined;
  try {
    const text = celOf(expression).evaluate(variables);
    return typeof text === 'string' && text.trim() !== '' && !text.includes('\n') ? text.trim() : undefined;
  } catch {
    // A message that can't be made falls back to the fixed one.
    return undefined;
  }
}

function paramsOf(
  env: PolicyEnvironment,
  request: AdmissionRequest,
  kind: { apiVersion: string; kind: string },
  ref: BindingSpec['paramRef'],
): KubeObject[] | undefined {
  const resource = env.catalog.findKind(parseApiVersion(kind.apiVersion).group, kind.kind);
  if (resource === undefined) return undefined;
  const namespace = resource.namespaced ? (ref?.namespace ?? request.context.namespace) : '';
  if (ref?.name !== undefined && ref.name !== '') {
    const found = env.store.get({ resource: resource.storeName, namespace, name: ref.name });
    return found === undefined ? [] : [found];
  }
  const all = env.store.list(resource.storeName, resource.namespaced ? namespace : undefined);
  return ref === undefined ? [] : all.filter(({ metadata }) => selectsLabels(ref.selector, metadata.labels ?? {}));
}

/** What expressions may name. Composed variables are evaluated when first used, as one that fails may not be needed. */
function variablesOf(env: PolicyEnvironment, request: AdmissionRequest, spec: PolicySpec, params: unknown): Record<string, unknown> {
  const { context, object, old } = request;
  const namespace = context.resource.namespaced ? namespaceOf(env, context.namespace) : undefined;
  const variables: Record<string, unknown> = {};
  const all = {
    object: objectOrNull(object),
    oldObject: objectOrNull(old),
    request: requestOf(request, context.version, ''),
    params: objectOrNull(params === null ? undefined : cloneJson(params)),
    namespaceObject: objectOrNull(namespace),
    variables,
  };
  for (const { name, expression } of spec.variables ?? []) {
    let known: { readonly value: unknown } | undefined;
    Object.defineProperty(variables, name, {
      enumerable: true,
      get: () => (known ??= { value: celOf(expression).evaluate(all) }).value,
    });
  }
  return all;
}
