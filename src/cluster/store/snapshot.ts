import { existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Sqlite from 'node:sqlite';

import { SottoError } from '../../base/errors/index.ts';
import { isJsonObject, type KubeObject } from '../../kube/objects/index.ts';
import { fileJournal } from './journal.ts';
import { decodeJson, encodeJson } from './json.ts';
import type { Journal, Row, Store } from './types.ts';

const FORMAT = 'sotto-cluster-snapshot';
const VERSION = 1;

/** Everything that a store holds at one revision, without its past. The objects are frozen. */
export interface Snapshot {
  readonly revision: number;
  readonly rows: readonly Row[];
}

/** The present state of a store, of everything that is committed once `store.committed()` resolves. */
export function snapshotOf(store: Store): Snapshot {
  const rows = store.resources().flatMap((resource) =>
    store.list(resource).map((object): Row => {
      const { namespace = '', name = '', resourceVersion } = object.metadata;
      return { resource, namespace, name, revision: Number(resourceVersion), deleted: false, object, previousRevision: 0 };
    }),
  );
  return { revision: store.revision, rows: rows.toSorted((a, b) => a.revision - b.revision) };
}

/** Text of a snapshot: a line that says what it is, and a line for each object. It holds Secrets as they are. */
export function encodeSnapshot({ revision, rows }: Snapshot): string {
  const header = { format: FORMAT, version: VERSION, revision, objects: rows.length };
  const lines = rows.map(({ resource, namespace, name, object }) => encodeJson({ resource, namespace, name, object }));
  return [encodeJson(header), ...lines, ''].join('\n');
}

/** @throws SottoError CLUSTER_SNAPSHOT_INVALID, CLUSTER_SNAPSHOT_NEWER */
export function decodeSnapshot(text: string): Snapshot {
  const [first = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const header = parse(first, 1);
  if (header['format'] !== FORMAT || typeof header['revision'] !== 'number') throw invalid(1);
  if (typeof header['version'] !== 'number' || header['version'] > VERSION) {
    throw new SottoError('CLUSTER_SNAPSHOT_NEWER', 'the snapshot was written by a newer version of this program');
  }
  if (header['objects'] !== lines.length) throw invalid(lines.length + 1);
  return { revision: header['revision'], rows: lines.map((line, index) => rowOf(parse(line, index + 2), index + 2)) };
}

function rowOf({ resource, namespace, name, object }: Record<string, unknown>, line: number): Row {
  if (typeof resource !== 'string' || typeof namespace !== 'string' || typeof name !== 'string' || !isJsonObject(object))
    throw invalid(line);
  const stored = object as unknown as KubeObject;
  const revision = Number(isJsonObject(object['metadata']) ? object['metadata']['resourceVersion'] : Number.NaN);
  if (!Number.isSafeInteger(revision) || revision <= 0) throw invalid(line);
  return { resource, namespace, name, revision, deleted: false, object: stored, previousRevision: 0 };
}

function parse(line: string, number: number): Record<string, unknown> {
  try {
    const value = decodeJson(line);
    if (isJsonObject(value)) return value;
  } catch {
    // Its own error would quote the line, which may hold a Secret.
    throw invalid(number);
  }
  throw invalid(number);
}

function invalid(line: number): SottoError {
  return new SottoError('CLUSTER_SNAPSHOT_INVALID', `this is no snapshot of a cluster, or it is damaged: line ${line}`, {
    hint: 'take a file that `sotto cluster snapshot` wrote',
  });
}

/** A cluster in memory that starts from a snapshot. Its past begins there. */
export function snapshotJournal({ revision, rows }: Snapshot): Journal {
  return {
    load: (each) => {
      for (const row of rows) each(row);
      return revision;
    },
    append: () => {},
    close: () => {},
  };
}

/**
 * Makes a database of a snapshot. Watches from before it are told that their revision is gone.
 *
 * @throws SottoError CLUSTER_DATABASE_EXISTS and those of {@link fileJournal}
 */
export function restoreDatabase(path: string, { revision, rows }: Snapshot): void {
  if (existsSync(path)) {
    throw new SottoError('CLUSTER_DATABASE_EXISTS', `there is a cluster database at ${path} already`, {
      hint: 'restore into an empty data folder, or wipe this one first',
    });
  }
  try {
    const journal = fileJournal(path);
    journal.append(rows);
    journal.close();
    const sqlite = createRequire(import.meta.url)('node:sqlite') as typeof Sqlite;
    const database = new sqlite.DatabaseSync(path);
    database.prepare("INSERT INTO facts VALUES ('compacted', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(revision);
    database.close();
  } catch (error) {
    // Half a cluster must not look like one.
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
    throw error;
  }
}
