import type { World } from '../../base/world/index.ts';
import type { UserInfo } from '../../kube/client/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import type { Schema } from '../../kube/schema/index.ts';
import type { Store } from '../store/index.ts';

/** A column of `kubectl get`. `jsonPath` only for custom resources. Priority 1 shows with `-o wide`. */
export interface PrinterColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  readonly jsonPath: string;
}

export interface ScaleSubresource {
  readonly specReplicasPath: string;
  readonly statusReplicasPath: string;
  readonly labelSelectorPath?: string;
}

/** One served version of a resource. */
export interface Version {
  readonly name: string;
  /** Undefined: nothing is known, everything is kept. */
  readonly schema?: Schema | undefined;
  readonly status: boolean;
  readonly scale?: ScaleSubresource;
  readonly columns?: readonly PrinterColumn[];
  /** JSON paths without the leading dot. */
  readonly selectableFields?: readonly string[];
  /** Warning of every request to it. */
  readonly deprecation?: string;
}

/** What a kind does differently. Absent means the common case. */
export interface Rules {
  /** PUT of a missing object creates it. */
  readonly createOnUpdate?: boolean;
  /** PUT without resourceVersion is refused. */
  readonly needsVersion?: boolean;
  /** metadata.generation counts changes outside metadata and status. */
  readonly generation?: boolean;
  /** DELETE answers the object instead of a Status. */
  readonly returnsDeleted?: boolean;
  /** Dependents are orphaned unless the request says otherwise. */
  readonly orphans?: boolean;
  /** Objects that are only ever answered, never stored (reviews). */
  readonly virtual?: boolean;
  readonly noDeleteCollection?: boolean;
}

/** A resource that the API serves: built in, or from a CRD. */
export interface Resource {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly custom: boolean;
  /** Served versions, preferred first. */
  readonly versions: readonly Version[];
  readonly storageVersion: string;
  /** Name in the store; `events` and `events.k8s.io` events share one. */
  readonly storeName: string;
  readonly subresources: readonly string[];
  readonly rules: Rules;
  /** The CRD is being deleted: nothing can be created. */
  readonly terminating?: boolean;
}

/** What a request wants, after parsing its path (apiserver:pkg/endpoints/request RequestInfo). */
export interface Attributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** Only for requests that are not for a resource (`/version`). */
  readonly path?: string;
}

/** A write on its way: everything that the steps need besides the objects. */
export interface WriteContext {
  readonly resource: Resource;
  readonly version: Version;
  readonly user: UserInfo;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Manager of fields: the option, else the client's name. */
  readonly manager: string;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  readonly warn: (message: string) => void;
  /** Notes something about the write in its audit record; absent for the server's own writes. */
  readonly annotate?: (key: string, value: string) => void;
}

/** One write as admission sees it. `object` may be changed by mutating plug-ins; it is absent for DELETE. */
export interface AdmissionRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE';
  readonly context: WriteContext;
  readonly object?: KubeObject;
  readonly old?: KubeObject;
}

/**
 * Plug-ins that see every write. They throw an ApiError to refuse it. While nothing has to be waited for they answer
 * undefined, and a write is one step: nobody can come in between.
 */
export interface Admission {
  mutate(request: AdmissionRequest): Promise<void> | undefined;
  validate(request: AdmissionRequest): Promise<void> | undefined;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason?: string;
}

/** A PolicyRule: for resources, or for paths that are none. Absent lists are empty. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

/** Everything that a user may do in a namespace, as rules. */
export interface UserRules {
  readonly rules: readonly PolicyRule[];
  /** Set when not all rules could be found. */
  readonly problem?: string;
}

/** Why a request is allowed or not. */
export interface AccessExplanation {
  readonly allowed: boolean;
  readonly reason: string;
  /** Every binding that names the user. */
  readonly grants: readonly {
    readonly binding: string;
    readonly problem?: string;
    /** `fails`: the field of the rule that keeps it from matching. */
    readonly rules: readonly { readonly rule: PolicyRule; readonly fails?: string }[];
  }[];
}

/** Who may do what. The members are there when the authorizer can tell more than yes and no. */
export interface Authorize {
  (attributes: Attributes): Decision | Promise<Decision>;
  readonly rulesFor?: (user: UserInfo, namespace: string) => UserRules;
  readonly explain?: (attributes: Attributes) => AccessExplanation;
}

/** What every verb works on. */
export interface Environment {
  readonly world: World;
  readonly store: Store;
  readonly catalog: Catalog;
  readonly admission: Admission;
  readonly authorize: Authorize;
}

/** The resources that are served now. */
export interface Catalog {
  /** Grows when resources come, go or change. */
  readonly generation: number;
  find(group: string, plural: string): Resource | undefined;
  findKind(group: string, kind: string): Resource | undefined;
  byStoreName(name: string): Resource | undefined;
  /** In discovery order: built-in groups by priority, then custom groups. */
  all(): readonly Resource[];
  setCustom(resource: Resource): void;
  removeCustom(group: string, plural: string): void;
}
