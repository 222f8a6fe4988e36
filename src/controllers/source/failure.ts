import { SottoError } from '../../base/errors/index.ts';
import type { ObjectRef } from '../../kube/objects/index.ts';

/** Conditions that a failed step sets: the first two to True, the third to False. */
export type FailureCondition = 'FetchFailed' | 'StorageOperationFailed' | 'SourceVerified';

export interface SourceFailureOptions {
  readonly condition?: FailureCondition;
  /** No retry until the spec changes: Stalled is set too. */
  readonly isStalled?: boolean;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A step of a source's reconciliation failed, and how that shows in its status (parity d1). */
export class SourceFailure extends SottoError {
  readonly reason: string;
  readonly condition: FailureCondition;
  readonly isStalled: boolean;

  constructor(reason: string, message: string, options: SourceFailureOptions = {}) {
    const { condition = 'FetchFailed', isStalled = false, hint, cause } = options;
    super('SOURCE_FAILED', message, {
      retry: !isStalled,
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.reason = reason;
    this.condition = condition;
    this.isStalled = isStalled;
  }
}

/** A GitRepository that is to be included is not there or has no artifact: waited for, and no failure to shout about. */
export class IncludeUnavailable extends SottoError {
  readonly reason: 'NotFound' | 'NoArtifact';
  readonly ref: ObjectRef;

  constructor(reason: 'NotFound' | 'NoArtifact', message: string, ref: ObjectRef) {
    super('SOURCE_INCLUDE_UNAVAILABLE', message, { retry: true });
    this.reason = reason;
    this.ref = ref;
  }
}
