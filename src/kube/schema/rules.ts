import { messageOf } from '../../base/errors/index.ts';
import { compileCel, type CelBudget, type CelExpression } from '../../text/cel/index.ts';
import type { Json } from '../objects/index.ts';
import { fieldErrors } from './errors.ts';
import { fieldPath } from './path.ts';
import type { FieldError, Schema } from './types.ts';

type Rule = NonNullable<Schema['validations']>[number];

interface CompiledRule {
  readonly rule: Rule;
  readonly expression: CelExpression;
  readonly message: CelExpression | undefined;
}

/** Cost units of one rule and of all rules on one object. */
const RULE_COST_LIMIT = 1_000_000;
export const OBJECT_COST_LIMIT = 10_000_000;
const MAX_MESSAGE_BYTES = 5 * 1024;

const compiled = new WeakMap<Schema, readonly CompiledRule[]>();

function rulesOf(schema: Schema): readonly CompiledRule[] {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const rules = (schema.validations ?? []).map(compileRule);
  compiled.set(schema, rules);
  return rules;
}

/** What a rule may name. */
const DECLARED = { variables: ['self', 'oldSelf'] } as const;
/** `oldValues` holds the old value or nothing: the evaluator takes no optional values from outside, but makes them. */
const RUNNING = { variables: [...DECLARED.variables, 'oldValues'] } as const;

/** With optionalOldSelf the rule sees `oldSelf` as an optional value. */
function expressionText(rule: Rule, text: string): string {
  return rule.optionalOldSelf === true ? `cel.bind(oldSelf, oldValues[?0], ${text})` : text;
}

/** @throws SottoError CEL_* */
function compileRule(rule: Rule): CompiledRule {
  return {
    rule,
    expression: compileCel(expressionText(rule, rule.rule), RUNNING),
    message: rule.messageExpression === undefined ? undefined : compileCel(expressionText(rule, rule.messageExpression), RUNNING),
  };
}

/** The rules of one node that cannot be evaluated here, so that a CRD with them is refused (CRD-06). */
export function checkRules(schema: Schema, path: string): FieldError[] {
  return (schema.validations ?? []).flatMap((rule, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    return [
      ...checkExpression(rule.rule, `${at}.rule`, 'bool'),
      ...checkExpression(rule.messageExpression, `${at}.messageExpression`, 'string'),
    ];
  });
}

function checkExpression(text: string | undefined, path: string, type: string): FieldError[] {
  if (text === undefined) return [];
  try {
    const { resultType } = compileCel(text, DECLARED);
    if (resultType === type || resultType === 'dyn') return [];
    return [fieldErrors.invalid(path, text, `must evaluate to a ${type}`)];
  } catch (error) {
    return [fieldErrors.invalid(path, text, `compilation failed: ${messageOf(error)}`)];
  }
}

/** Evaluates the rules of one node. Rules about a transition wait for an old value. */
export function evaluateRules(schema: Schema, self: Json, old: Json | undefined, path: string, budget: CelBudget): FieldError[] {
  if (schema.validations === undefined) return [];
  return rulesOf(schema).flatMap((rule) => evaluateRule(rule, schema, self, old, path, budget));
}

function evaluateRule(
  compiledRule: CompiledRule,
  schema: Schema,
  self: Json,
  old: Json | undefined,
  path: string,
  budget: CelBudget,
): FieldError[] {
  const { rule, expression } = compiledRule;
  if (expression.variables.includes('oldSelf') && old === undefined && rule.optionalOldSelf !== true) return [];
  const variables = { self, oldSelf: old, oldValues: old === undefined ? [] : [old] };
  const at = rule.fieldPath === undefined ? path : relativePath(path, rule.fieldPath);
  try {
    if (metered(budget, (own) => expression.evaluate(variables, own)) === true) return [];
    return [violation(compiledRule, schema, variables, at, budget)];
  } catch (error) {
    return [fieldErrors.invalid(at, schema.type ?? 'object', `rule ${JSON.stringify(rule.rule)} failed: ${messageOf(error)}`)];
  }
}

/** Runs with at most the units of one rule and takes what was used from the object's. */
function metered<T>(budget: CelBudget, run: (own: CelBudget) => T): T {
  const own = { remaining: Math.min(RULE_COST_LIMIT, budget.remaining) };
  const before = own.remaining;
  try {
    return run(own);
  } finally {
    budget.remaining -= before - own.remaining;
  }
}

function violation(
  compiledRule: CompiledRule,
  schema: Schema,
  variables: Readonly<Record<string, unknown>>,
  at: string,
  budget: CelBudget,
): FieldError {
  const { rule } = compiledRule;
  const message = computedMessage(compiledRule, variables, budget) ?? rule.message ?? `failed rule: ${rule.rule.trim()}`;
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return fieldErrors.forbidden(at, message);
    case 'FieldValueRequired':
      return fieldErrors.required(at, message);
    case 'FieldValueDuplicate':
      return fieldErrors.duplicate(at, schema.type ?? 'object');
    default:
      return fieldErrors.invalid(at, schema.type ?? 'object', message);
  }
}

/** A message that cannot be computed, is empty or too long gives way to the fixed one. */
function computedMessage(rule: CompiledRule, variables: Readonly<Record<string, unknown>>, budget: CelBudget): string | undefined {
  const { message } = rule;
  if (message === undefined) return undefined;
  try {
    const text = metered(budget, (own) => message.evaluate(variables, own));
    if (typeof text !== 'string' || text.trim() === '' || text.includes('\n')) return undefined;
    return Buffer.byteLength(text) <= MAX_MESSAGE_BYTES ? text.trim() : undefined;
  } catch {
    // The rule has failed all the same; only its wording falls back.
    return undefined;
  }
}

function relativePath(path: string, relative: string): string {
  return relative.startsWith('.') ? fieldPath(path, relative.slice(1)) : `${path}${relative}`;
}
