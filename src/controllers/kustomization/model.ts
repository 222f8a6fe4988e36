import { parseDuration } from '../../base/world/index.ts';
import type { KustomizationSpec } from '../../build/fleet/index.ts';
import type { Artifact } from '../../fetch/artifact/index.ts';
import type { IgnoreRule, InventoryEntry } from '../../kube/apply/index.ts';
import type { Condition, KubeObject, ObjectRef } from '../../kube/objects/index.ts';

/** API group of Kustomizations, and prefix of their labels and annotations. */
export const GROUP = 'kustomize.toolkit.fluxcd.io';
export const KUSTOMIZATION = { apiVersion: `${GROUP}/v1`, kind: 'Kustomization' } as const;
export const SOURCE_API_VERSION = 'source.toolkit.fluxcd.io/v1';
export const FINALIZER = 'finalizers.fluxcd.io';
/** Field manager of applied objects, and of the controller's own objects (flux/SSA-01). */
export const FIELD_MANAGER = 'kustomize-controller';
export const STATUS_MANAGER = 'gotk-kustomize-controller';

/** `spec.sourceRef`. */
interface SourceRef {
  readonly apiVersion?: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** An entry of `spec.healthCheckExprs`: CEL expressions over objects of a kind. */
export interface HealthCheckExpr {
  readonly apiVersion: string;
  readonly kind?: string;
  readonly current: string;
  readonly inProgress?: string;
  readonly failed?: string;
}

/** An entry of `spec.dependsOn`. */
interface Dependency {
  readonly name: string;
  readonly namespace?: string;
  readonly readyExpr?: string;
}

/** `spec` of a Kustomization, as the CRD lets it be. */
export interface Spec extends KustomizationSpec {
  readonly interval: string;
  readonly retryInterval?: string;
  readonly timeout?: string;
  readonly prune: boolean;
  readonly suspend?: boolean;
  readonly wait?: boolean;
  readonly force?: boolean;
  readonly sourceRef: SourceRef;
  readonly dependsOn?: readonly Dependency[];
  readonly decryption?: { readonly provider: string; readonly secretRef?: { readonly name: string }; readonly serviceAccountName?: string };
  readonly healthChecks?: readonly {
    readonly apiVersion?: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
  }[];
  readonly healthCheckExprs?: readonly HealthCheckExpr[];
  readonly deletionPolicy?: 'MirrorPrune' | 'Delete' | 'WaitForTermination' | 'Orphan';
  readonly serviceAccountName?: string;
  readonly kubeConfig?: {
    readonly secretRef?: { readonly name: string; readonly key?: string };
    readonly configMapRef?: { readonly name: string };
  };
  readonly ignore?: readonly IgnoreRule[];
}

/** An entry of `status.history`. */
export interface HistoryEntry {
  readonly digest: string;
  readonly firstReconciled: string;
  readonly lastReconciled: string;
  readonly lastReconciledDuration: string;
  readonly lastReconciledStatus: string;
  readonly totalReconciliations: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** `status` of a Kustomization. */
export interface Status {
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
  readonly lastAppliedRevision?: string;
  readonly lastAppliedOriginRevision?: string;
  readonly lastAttemptedRevision?: string;
  readonly lastHandledReconcileAt?: string;
  readonly inventory?: { readonly entries: readonly InventoryEntry[] };
  readonly history?: readonly HistoryEntry[];
}

export function specOf(object: KubeObject): Spec {
  return object['spec'] as Spec;
}

export function statusOfKustomization(object: KubeObject): Status {
  return object['status'] ?? {};
}

/** The artifact of a source object, when it has one. */
export function artifactOf(source: KubeObject): Artifact | undefined {
  return (source['status'] as { artifact?: Artifact } | undefined)?.artifact;
}

/** `spec.sourceRef` as a whole reference. */
export function sourceRefOf(object: KubeObject): ObjectRef & { readonly namespace: string } {
  const { apiVersion, kind, name, namespace } = specOf(object).sourceRef;
  return {
    apiVersion: apiVersion === undefined || apiVersion === '' ? SOURCE_API_VERSION : apiVersion,
    kind,
    name,
    namespace: namespace === undefined || namespace === '' ? (object.metadata.namespace ?? '') : namespace,
  };
}

/** `spec.dependsOn` as whole references, in order. */
export function dependenciesOf(object: KubeObject): (ObjectRef & { readonly namespace: string; readonly readyExpr?: string })[] {
  return (specOf(object).dependsOn ?? []).map(({ name, namespace, readyExpr }) => ({
    ...KUSTOMIZATION,
    name,
    namespace: namespace === undefined || namespace === '' ? (object.metadata.namespace ?? '') : namespace,
    ...(readyExpr === undefined || readyExpr === '' ? {} : { readyExpr }),
  }));
}

const MIN_TIMEOUT_MS = 30_000;

/** Durations of the spec in milliseconds, with the defaults that the code and not the CRD gives (flux/KS-05, KS-06). */
export function intervalOf(spec: Spec): number {
  return parseDuration(spec.interval);
}

export function retryIntervalOf(spec: Spec): number {
  return parseDuration(spec.retryInterval ?? spec.interval);
}

export function timeoutOf(spec: Spec): number {
  const wanted = spec.timeout === undefined ? intervalOf(spec) - MIN_TIMEOUT_MS : parseDuration(spec.timeout);
  return Math.max(MIN_TIMEOUT_MS, wanted);
}

export function inventoryOfStatus(status: Status): readonly InventoryEntry[] {
  return status.inventory?.entries ?? [];
}
