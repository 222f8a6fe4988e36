/**
 * The resources of the embedded cluster and what can be done with them: catalogue, reading, and writing with
 * defaulting, validation, managed fields and admission. Knows nothing of HTTP.
 *
 * @module
 */
export {
  aggregatedRules,
  BOOTSTRAP_BINDINGS,
  BOOTSTRAP_ROLES,
  checkEscalation,
  explainAccess,
  missingRules,
  missingSubjects,
  rbacAuthorizer,
  RBAC_GROUP,
} from './rbac/index.ts';
export { createCatalog } from './catalog.ts';
export { createObject } from './create.ts';
export { compareVersions, CRD_FINALIZER, isCrd, nextCrdStatus, resourceOfCrd } from './crds.ts';
export { reportDuplicates } from './decode.ts';
export { deletedStatus, deleteObject, deleteObjects, type Deleted, type DeleteOptions } from './delete.ts';
export { duplicateKeys } from './duplicates.ts';
export { fieldSelector, pinnedName } from './fields.ts';
export { futureRevision, listObjects, parseRevision, type ListResult } from './list.ts';
export { applyObject, asPatchError, patchObject, PATCH_TYPES, type PatchType } from './patch.ts';
export { defaultFields } from './schemas.ts';
export { labelSelector, type Selector } from './selectors.ts';
export { replaceObject, writeChange, type Change, type Written } from './update.ts';
export { apiVersionIn, toStorage, toVersion } from './versions.ts';
export { systemContext, systemDelete, systemUpdate } from './system.ts';
export { openWatch, type Frame, type WatchStream } from './watch.ts';
export { readCurrent, rfc3339, timestamp } from './write.ts';
export type {
  AccessExplanation,
  Admission,
  AdmissionRequest,
  Attributes,
  Authorize,
  Catalog,
  Decision,
  Environment,
  PrinterColumn,
  PolicyRule,
  Resource,
  Rules,
  UserRules,
  Version,
  WriteContext,
} from './types.ts';
export { workQueue, type Queue } from './queue.ts';
export type { Loop, LoopContext } from './loop.ts';
export type { StoreEvent, StoreKey } from '../store/index.ts';
