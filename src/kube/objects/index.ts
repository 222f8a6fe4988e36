/**
 * The Kubernetes object model: JSON values, metadata, references, group-version-kinds, and the Status
 * error that every API answers with.
 *
 * @module
 */
export { parseJson, stringifyJson } from './json.ts';
export type { Json, JsonObject } from './json.ts';
export { cloneJson, deepEqual, deepFreeze, isJsonObject } from './values.ts';
export {
  apiVersionOf,
  formatRef,
  gvkOf,
  parseApiVersion,
  refOf,
  sameKind,
  type Condition,
  type GroupKind,
  type GroupVersionKind,
  type KubeObject,
  type ManagedFieldsEntry,
  type ObjectMeta,
  type ObjectRef,
  type OwnerReference,
} from './model.ts';
export { ApiError, apiErrors, isConflict, isExpired, isNotFound, reasonOf, type Status, type StatusCause } from './status.ts';
export { findCondition, setCondition } from './conditions.ts';
export { applyJsonPatch, applyMergePatch, MAX_PATCH_OPERATIONS } from './patch.ts';
export { checkDepth, isDeeperThan, MAX_DEPTH, ownValue, setOwn } from './record.ts';
export { sottoCrds } from './crds.ts';
export type {
  Alert,
  AlertSpec,
  Bucket,
  BucketSpec,
  BucketStatus,
  ExternalArtifact,
  ExternalArtifactSpec,
  ExternalArtifactStatus,
  GitRepository,
  GitRepositorySpec,
  GitRepositoryStatus,
  Kustomization,
  KustomizationSpec,
  KustomizationStatus,
  OCIRepository,
  OCIRepositorySpec,
  OCIRepositoryStatus,
  Provider,
  ProviderSpec,
  Receiver,
  ReceiverSpec,
  ReceiverStatus,
  SourceArtifact,
} from './generated/crds.ts';
