import { findCondition, type KubeObject, type ObjectRef } from '../../kube/objects/index.ts';
import type { State } from '../style.ts';

/** Where one Kustomization or source stands, from its status alone. */
export interface Standing {
  readonly key: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly state: State;
  /** The word shown for the state. */
  readonly word: string;
  readonly revision: string;
  /** What it waits for, or why it failed; empty when Ready. */
  readonly why: string;
  readonly reason: string;
  readonly message: string;
  readonly objects: number;
  readonly dependsOn: readonly string[];
}

interface Spec {
  readonly suspend?: boolean;
  readonly dependsOn?: readonly { readonly name: string; readonly namespace?: string }[];
  readonly sourceRef?: { readonly kind: string; readonly name: string; readonly namespace?: string };
}

interface Status {
  readonly observedGeneration?: number;
  readonly lastHandledReconcileAt?: string;
  readonly lastAppliedRevision?: string;
  readonly artifact?: { readonly revision?: string };
  readonly inventory?: { readonly entries?: readonly unknown[] };
}

/** Annotation that asks a controller to run now. */
export const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';

/** `Kind/namespace/name`. */
export function keyOf(ref: Pick<ObjectRef, 'kind' | 'name' | 'namespace'>): string {
  return `${ref.kind}/${ref.namespace ?? ''}/${ref.name}`;
}

/** Reads the standing of a Flux object. */
export function standingOf(object: KubeObject): Standing {
  const spec = (object['spec'] ?? {}) as Spec;
  const status = (object['status'] ?? {}) as Status;
  const { namespace = '', name = '', generation } = object.metadata;
  const ready = findCondition(object, 'Ready');
  const dependsOn = (spec.dependsOn ?? []).map((ref) => `${ref.namespace ?? namespace}/${ref.name}`);
  const requested = object.metadata.annotations?.[REQUESTED_AT];
  const isAsked = requested !== undefined && requested !== status.lastHandledReconcileAt;
  const state = isAsked && spec.suspend !== true ? 'working' : stateOf(spec, status, generation, ready);
  return {
    key: keyOf({ kind: object.kind, namespace, name }),
    kind: object.kind,
    namespace,
    name,
    state,
    word: WORDS[state],
    revision: status.artifact?.revision ?? status.lastAppliedRevision ?? '',
    why: whyOf(state, ready?.reason ?? '', ready?.message ?? '', dependsOn, spec),
    reason: ready?.reason ?? '',
    message: ready?.message ?? '',
    objects: status.inventory?.entries?.length ?? 0,
    dependsOn,
  };
}

const WORDS: Readonly<Record<State, string>> = {
  ready: 'Ready',
  failed: 'Failed',
  waiting: 'Wait',
  working: 'Working',
  suspended: 'Suspended',
  warning: 'Warning',
};

/** Reasons of Ready False that mean waiting for something else, not failing. */
const WAITING_REASONS = new Set(['DependencyNotReady']);
const SOURCE_NOT_THERE = /^Source (artifact not found|is not ready)/;

function stateOf(spec: Spec, status: Status, generation: number | undefined, ready: ReturnType<typeof findCondition>): State {
  if (spec.suspend === true) return 'suspended';
  if (ready === undefined || ready.status === 'Unknown') return 'working';
  const observed = ready.observedGeneration ?? status.observedGeneration;
  if (generation !== undefined && observed !== undefined && observed < generation) return 'working';
  if (ready.status === 'True') return 'ready';
  return WAITING_REASONS.has(ready.reason) || SOURCE_NOT_THERE.test(ready.message) ? 'waiting' : 'failed';
}

function whyOf(state: State, reason: string, message: string, dependsOn: readonly string[], spec: Spec): string {
  if (state === 'ready' || state === 'suspended') return '';
  if (state === 'waiting') {
    const named = /dependency '([^']+)'/.exec(message)?.[1];
    if (reason === 'DependencyNotReady') return `waits for ${named ?? dependsOn.join(', ')}`;
    return `waits for ${spec.sourceRef?.kind ?? 'source'} ${spec.sourceRef?.name ?? ''}`;
  }
  return state === 'working' ? message || 'waiting to be reconciled' : message;
}

/** `main@sha1:3f9c1e2…` → `main@3f9c1e2`, as tables show it. */
export function shortRevision(revision: string): string {
  return revision.replace(/(sha1|sha256):([0-9a-f]{7})[0-9a-f]{33,}$/, '$2');
}
