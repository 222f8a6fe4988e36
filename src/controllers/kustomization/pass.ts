import type { Log } from '../../base/log/index.ts';
import type { Artifact } from '../../fetch/artifact/index.ts';
import { findCondition, type KubeObject } from '../../kube/objects/index.ts';
import type { Controls } from './controls.ts';
import { GROUP, specOf, statusOfKustomization, type Spec } from './model.ts';
import { statusDraft, type StatusDraft } from './status.ts';

/** What the steps of one reconciliation share. */
export interface Pass {
  readonly controls: Controls;
  readonly object: KubeObject;
  readonly namespace: string;
  readonly name: string;
  readonly spec: Spec;
  readonly draft: StatusDraft;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly started: number;
  /** Set once the source is known. */
  artifact?: Artifact;
  /** True when a revision or generation is handled that was not attempted before: progress is then shown in the status. */
  isNews: boolean;
  /** True when objects of the cluster were changed. */
  hasWritten: boolean;
  /** Names what was built, for the history; computed only when asked. */
  digest?: () => string;
}

/** Begins the work on a Kustomization as it was read. */
export function startPass(controls: Controls, object: KubeObject, signal: AbortSignal): Pass {
  const { namespace = '', name = '' } = object.metadata;
  return {
    controls,
    object,
    namespace,
    name,
    spec: specOf(object),
    draft: statusDraft(controls.cluster, object, controls.world.clock, signal),
    log: controls.log.with({ name, namespace, Kustomization: { name, namespace } }),
    signal,
    started: controls.world.clock.monotonic(),
    isNews: false,
    hasWritten: false,
  };
}

/**
 * True when this generation, at this revision, has not been worked on before. A try that failed before the build
 * is known by the progress it showed first.
 */
export function isNewsFor(object: KubeObject, revision: string, firstProgress: string): boolean {
  const isAttempted =
    statusOfKustomization(object).lastAttemptedRevision === revision || findCondition(object, 'Reconciling')?.message === firstProgress;
  return !isAttempted || findCondition(object, 'Ready')?.observedGeneration !== object.metadata.generation;
}

/** Shows a step in the status, when there is news to show (d2, "While running"). */
export async function showProgress(pass: Pass, message: string): Promise<void> {
  if (!pass.isNews) return;
  pass.draft.mark('Ready', 'Unknown', 'Progressing', 'Reconciliation in progress');
  pass.draft.mark('Reconciling', 'True', 'Progressing', message);
  await pass.draft.write();
}

/** Where a revision came from before it became an OCI artifact, say. */
export function originRevisionOf(artifact: Artifact | undefined): string | undefined {
  return artifact?.metadata?.['org.opencontainers.image.revision'];
}

/** Records an event whose reason is that of the Ready condition, with the revision (parity c16). */
export function announce(pass: Pass, severity: 'info' | 'error', message: string, metadata: Readonly<Record<string, string>> = {}): void {
  const origin = originRevisionOf(pass.artifact);
  const revision = pass.artifact?.revision;
  const reason = pass.draft.condition('Ready')?.reason ?? severity;
  pass.controls.events.event(pass.object, severity === 'error' ? 'Warning' : 'Normal', reason, message, {
    ...(revision === undefined ? {} : { [`${GROUP}/revision`]: revision }),
    ...(origin === undefined ? {} : { [`${GROUP}/originRevision`]: origin }),
    ...metadata,
  });
}
