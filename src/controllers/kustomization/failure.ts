import { SottoError } from '../../base/errors/index.ts';
import type { ObjectRef } from '../../kube/objects/index.ts';

/** Reasons of the Ready condition. */
export type FailureReason =
  | 'ArtifactFailed'
  | 'AccessDenied'
  | 'DependencyNotReady'
  | 'InvalidCELExpression'
  | 'FeatureGateDisabled'
  | 'BuildFailed'
  | 'ReconciliationFailed'
  | 'PruneFailed'
  | 'HealthCheckFailed'
  | 'HealthCheckCanceled';

/** When a failed reconciliation is tried again. */
type NextTry = 'at-once' | 'retry-interval' | 'requeue-dependency' | 'never';

/** What a failure means besides its message. */
export interface FailureOptions {
  /** Default: after the retry interval. */
  readonly next?: NextTry;
  /** Severity of the event; `none` writes only a log line. Default error. */
  readonly announce?: 'error' | 'info' | 'none';
  /** Text of event and log, where it is not that of the condition. */
  readonly announcement?: string;
  /** The generation counts as observed although it failed. */
  readonly isObserved?: boolean;
  /** Objects whose change wakes the reconciliation earlier. */
  readonly waitFor?: readonly ObjectRef[];
  readonly cause?: unknown;
}

/** A step that failed: the Ready condition's reason and message, and what happens next (parity d2). */
export class StepFailure extends SottoError {
  readonly reason: FailureReason;
  readonly options: FailureOptions;

  constructor(reason: FailureReason, message: string, options: FailureOptions = {}) {
    super(`KUSTOMIZATION_${reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()}`, message, {
      retry: options.next !== 'never',
      ...(options.cause === undefined ? {} : { cause: options.cause }),
    });
    this.name = 'StepFailure';
    this.reason = reason;
    this.options = options;
  }
}
