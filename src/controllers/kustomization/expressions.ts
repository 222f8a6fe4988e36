import { messageOf } from '../../base/errors/index.ts';
import type { HealthReader } from '../../kube/apply/index.ts';
import type { HealthStatus } from '../../kube/health/index.ts';
import { parseApiVersion, type KubeObject } from '../../kube/objects/index.ts';
import { compileCel, type CelExpression } from '../../text/cel/index.ts';
import { StepFailure } from './failure.ts';
import type { HealthCheckExpr } from './model.ts';

/** How every error of an expression begins. */
export const CONFIGURATION_ERROR = 'Reconciliation failed terminally due to configuration error';

interface Check {
  readonly status: HealthStatus;
  readonly expression: CelExpression;
}

/**
 * `spec.healthCheckExprs` as a health reader (flux/HLT-04): for their kinds the observed generation, then
 * `inProgress`, `failed` and `current` decide, in this order; every other kind goes to `otherwise`.
 *
 * @throws StepFailure InvalidCELExpression
 */
export function healthReader(exprs: readonly HealthCheckExpr[], otherwise: HealthReader): HealthReader {
  if (exprs.length === 0) return otherwise;
  const byKind = new Map<string, readonly Check[]>();
  for (const expr of exprs) {
    const key = kindKey(parseApiVersion(expr.apiVersion).group, expr.kind ?? '');
    if (byKind.has(key)) throw invalid(`duplicate custom health check for ${expr.apiVersion} ${expr.kind ?? ''}`.trimEnd());
    byKind.set(key, checksOf(expr));
  }
  return (object) => {
    const { group } = parseApiVersion(object.apiVersion);
    const checks = byKind.get(kindKey(group, object.kind)) ?? byKind.get(kindKey(group, ''));
    return checks === undefined ? otherwise(object) : evaluate(checks, object);
  };
}

function kindKey(group: string, kind: string): string {
  return `${kind}.${group}`;
}

function checksOf(expr: HealthCheckExpr): Check[] {
  const texts: readonly (readonly [HealthStatus, string | undefined])[] = [
    ['InProgress', expr.inProgress],
    ['Failed', expr.failed],
    ['Current', expr.current],
  ];
  return texts.flatMap(([status, text]) => {
    if (text === undefined || text === '') return [];
    try {
      return [{ status, expression: compileCel(text, { variables: 'any' }) }];
    } catch (error) {
      throw invalid(messageOf(error), error);
    }
  });
}

function invalid(message: string, cause?: unknown): StepFailure {
  return new StepFailure('InvalidCELExpression', `${CONFIGURATION_ERROR}: ${message}`, { next: 'never', isObserved: true, cause });
}

function evaluate(checks: readonly Check[], object: KubeObject): HealthStatus {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const observed = (object['status'] as { observedGeneration?: unknown } | undefined)?.observedGeneration;
  if (Number.isInteger(observed) && observed !== object.metadata.generation) return 'InProgress';
  try {
    const met = checks.find((check) => check.expression.evaluate(object) === true);
    return met?.status ?? 'InProgress';
  } catch {
    return 'Unknown'; // a field that is not there yet: the next look may find it
  }
}
