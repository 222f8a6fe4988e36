import type { KubeObject } from '../../kube/objects/index.ts';

/** Where an object lives: its resource (`secrets`, `deployments.apps`), namespace ('' when cluster-scoped) and name. */
export interface StoreKey {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
}

/** One committed write. */
export interface StoreEvent extends StoreKey {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** The store's counter, which is also `object.metadata.resourceVersion`. */
  readonly revision: number;
  /** The content after the write; for DELETED the last content with the deletion's resourceVersion. Frozen. */
  readonly object: KubeObject;
  /** The content before the write. */
  readonly previous?: KubeObject;
}

/** One row of the append-only table. */
export interface Row extends StoreKey {
  readonly revision: number;
  readonly deleted: boolean;
  /** The content; of a deletion the last content. */
  readonly object: KubeObject;
  /** Revision of the content that this write replaced; 0 for a creation. */
  readonly previousRevision: number;
}

/** Where rows are kept. Synchronous: a write of many rows is one transaction. */
export interface Journal {
  /** Calls `each` for every row in order of revision; answers the highest revision that was compacted away. */
  load(each: (row: Row) => void): number;
  /** Appends in one transaction. Throws when not one of them was stored. */
  append(rows: readonly Row[]): void;
  close(): void;
}

/** The result of a conditional write: undefined when the object is no longer what the writer read. */
type WriteOutcome = KubeObject | undefined;

export interface Store {
  /** The counter: the revision of the latest write. */
  readonly revision: number;
  get(key: StoreKey): KubeObject | undefined;
  /** All objects of a resource in key order (`namespace/name`); of one namespace when given. */
  list(resource: string, namespace?: string): readonly KubeObject[];
  /**
   * The objects as they were at a revision, in key order.
   * @throws ApiError 410 when history doesn't reach back that far
   */
  listAt(resource: string, revision: number, namespace?: string): readonly KubeObject[];
  /** Resources that hold at least one object. */
  resources(): readonly string[];
  /**
   * Writes `object` if the stored content is still `expected` (undefined: does not exist). Sets
   * `metadata.resourceVersion`, freezes the object and answers it; answers undefined when something else is stored.
   * Not durable before {@link committed}.
   */
  put(key: StoreKey, object: KubeObject, expected: KubeObject | undefined): WriteOutcome;
  /** Deletes if the stored content is still `expected`; answers the last content with the deletion's resourceVersion. */
  remove(key: StoreKey, expected: KubeObject): WriteOutcome;
  /** Resolves when everything written so far is durable; rejects when it could not be stored (and was undone). */
  committed(): Promise<void>;
  /** Events later than `revision` of one resource, oldest first; undefined when history doesn't reach back. */
  since(resource: string, revision: number): readonly StoreEvent[] | undefined;
  /** The oldest revision from which {@link since} still answers for this resource. */
  oldest(resource: string): number;
  /** Calls `listener` with committed events of a resource (or of all), in order. */
  subscribe(resource: string | undefined, listener: (event: StoreEvent) => void): () => void;
  close(): Promise<void>;
}
