import { messageOf } from '../../base/errors/index.ts';
import { formatDuration } from '../../base/world/index.ts';
import { findCondition, isNotFound, type KubeObject } from '../../kube/objects/index.ts';
import { compileCel, type CelExpression } from '../../text/cel/index.ts';
import { CONFIGURATION_ERROR } from './expressions.ts';
import { StepFailure } from './failure.ts';
import { artifactOf, dependenciesOf, sourceRefOf, statusOfKustomization } from './model.ts';
import type { Pass } from './pass.ts';

/**
 * Makes sure that everything in `spec.dependsOn` is ready (flux/KS-03). Dependencies are read live; while one is not
 * ready, a change of any of them wakes the reconciliation (BY-10).
 *
 * @throws StepFailure DependencyNotReady, or InvalidCELExpression for a readyExpr that does not compile
 */
export async function checkDependencies(pass: Pass, source: KubeObject): Promise<void> {
  const dependencies = dependenciesOf(pass.object);
  for (const dependency of dependencies) {
    const problem = await problemOf(pass, source, dependency);
    if (problem === undefined) continue;
    const retry = formatDuration(pass.controls.flags.requeueDependencyMs);
    throw new StepFailure('DependencyNotReady', problem, {
      next: 'requeue-dependency',
      announce: 'info',
      announcement: `Dependencies do not meet ready condition, retrying in ${retry}`,
      waitFor: dependencies,
    });
  }
}

async function problemOf(pass: Pass, source: KubeObject, ref: ReturnType<typeof dependenciesOf>[number]): Promise<string | undefined> {
  const named = `dependency '${ref.namespace}/${ref.name}'`;
  let dependency: KubeObject;
  try {
    dependency = await pass.controls.cluster.get(ref, { signal: pass.signal });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return `${named} not found: ${messageOf(error)}`;
  }
  if (ref.readyExpr !== undefined) {
    const problem = evaluateReady(compileReadyExpr(ref.readyExpr), dependency, pass.object, named);
    if (problem !== undefined || !pass.controls.flags.gates.additiveCelDependencyCheck) return problem;
  }
  if (!isReady(dependency)) return `${named} is not ready`;
  return isBehind(dependency, pass.object, source) ? `${named} revision is not up to date` : undefined;
}

/** Has conditions, is observed at its generation, and is Ready. */
function isReady(dependency: KubeObject): boolean {
  const status = statusOfKustomization(dependency);
  return status.observedGeneration === dependency.metadata.generation && findCondition(dependency, 'Ready')?.status === 'True';
}

/** Both come from the same source, and the dependency has not applied its current revision. */
function isBehind(dependency: KubeObject, dependent: KubeObject, source: KubeObject): boolean {
  const [theirs, ours] = [sourceRefOf(dependency), sourceRefOf(dependent)];
  const isSame = theirs.kind === ours.kind && theirs.namespace === ours.namespace && theirs.name === ours.name;
  return isSame && statusOfKustomization(dependency).lastAppliedRevision !== artifactOf(source)?.revision;
}

/** @throws StepFailure InvalidCELExpression (flux/KS-04) */
function compileReadyExpr(text: string): CelExpression {
  const refuse = (why: string, cause?: unknown): StepFailure =>
    new StepFailure('InvalidCELExpression', `${CONFIGURATION_ERROR}: ${why}`, { next: 'never', isObserved: true, cause });
  let expression: CelExpression;
  try {
    expression = compileCel(text, { variables: ['dep', 'self'] });
  } catch (error) {
    throw refuse(messageOf(error), error);
  }
  if (expression.resultType !== 'bool') throw refuse(`readyExpr must be a bool, but it is ${expression.resultType}`);
  return expression;
}

function evaluateReady(expression: CelExpression, dep: KubeObject, self: KubeObject, named: string): string | undefined {
  try {
    return expression.evaluate({ dep, self }) === true ? undefined : `${named} is not ready according to readyExpr eval`;
  } catch (error) {
    return `${named} is not ready according to readyExpr eval: ${messageOf(error)}`;
  }
}
