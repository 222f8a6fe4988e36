import { createRequire } from 'node:module';
import { mkdirSync, chmodSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as Sqlite from 'node:sqlite';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { SottoError } from '../../base/errors/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { decodeJson, encodeJson } from './json.ts';
import type { Journal, Row } from './types.ts';

/** Rows younger than this many revisions are kept when superseded, for history after a restart. */
export const KEPT_REVISIONS = 10_000;
/** A running store drops superseded rows after this many writes. */
const COMPACT_EVERY = 10_000;

/** Kept in the file's `user_version`. */
const FORMAT = 1;

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

const TABLES = `
  CREATE TABLE IF NOT EXISTS revisions (
    revision INTEGER PRIMARY KEY, resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
    created INTEGER NOT NULL, deleted INTEGER NOT NULL, value TEXT NOT NULL, previous INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;`;

/** Superseded content, and tombstones, up to a revision. A row is superseded by the row that names it as previous. */
const COMPACT = `DELETE FROM revisions WHERE revision <= :upto AND
  (deleted = 1 OR revision IN (SELECT previous FROM revisions WHERE previous > 0 AND revision <= :upto))`;

/** Keeps nothing: for clusters that live in memory only. */
export function memoryJournal(): Journal {
  return { load: () => 0, append: () => {}, close: () => {} };
}

/**
 * The append-only table in an SQLite file. The file is locked against other processes while open, and readable by
 * its owner only. A damaged file is left untouched. A killed process loses nothing that was answered; when the machine
 * loses power the last writes may be gone, never half of one.
 *
 * @throws SottoError CLUSTER_DATA_LOCKED, CLUSTER_DATABASE_CORRUPT, CLUSTER_DATABASE_NEWER, CLUSTER_DATABASE_UNUSABLE
 */
export function fileJournal(path: string): Journal {
  const existed = existsSync(path);
  if (!existed) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const database = guarded(path, () => openDatabase(path, existed));
  try {
    return guarded(path, () => journalOf(path, database));
  } catch (error) {
    database.close();
    throw error;
  }
}

function openDatabase(path: string, existed: boolean): DatabaseSync {
  // Loaded when first used: clusters in memory need no SQLite.
  const sqlite = createRequire(import.meta.url)('node:sqlite') as typeof Sqlite;
  const database = new sqlite.DatabaseSync(path, { timeout: 0 });
  if (!existed) chmodSync(path, 0o600);
  return database;
}

function journalOf(path: string, database: DatabaseSync): Journal {
  // Exclusive locking keeps the lock from the first transaction to the end of the process, kill -9 included.
  database.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;');
  checkFormat(path, database);
  database.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version=${FORMAT}; COMMIT;`);
  const insert = database.prepare('INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?)');
  let sinceCompaction = 0;

  const compact = (): void => {
    sinceCompaction = 0;
    const last = Number(database.prepare('SELECT max(revision) AS last FROM revisions').get()?.['last'] ?? 0);
    const upto = last - KEPT_REVISIONS;
    if (upto <= compactedOf(database)) return;
    transaction(database, () => {
      database.prepare(COMPACT).run({ upto });
      database.prepare("INSERT INTO facts VALUES ('compacted', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(upto);
    });
  };
  return {
    load: (each) =>
      guarded(path, () => {
        compact();
        readRows(database, each);
        return compactedOf(database);
      }),
    append: (rows) => {
      transaction(database, () => {
        for (const row of rows) insertRow(insert, row);
      });
      sinceCompaction += rows.length;
      if (sinceCompaction >= COMPACT_EVERY) compact();
    },
    close: () => database.close(),
  };
}

/** A file of a newer program is not touched. */
function checkFormat(path: string, database: DatabaseSync): void {
  const format = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (format <= FORMAT) return;
  throw new SottoError('CLUSTER_DATABASE_NEWER', `the cluster database ${path} was written by a newer version of this program`, {
    hint: 'use that version, or another data folder',
  });
}

function transaction(database: DatabaseSync, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function insertRow(insert: StatementSync, row: Row): void {
  const { revision, resource, namespace, name, deleted, object, previousRevision } = row;
  const created = previousRevision === 0 ? 1 : 0;
  insert.run(revision, resource, namespace, name, created, deleted ? 1 : 0, encodeJson(object), previousRevision);
}

function compactedOf(database: DatabaseSync): number {
  return Number(database.prepare("SELECT value FROM facts WHERE name = 'compacted'").get()?.['value'] ?? 0);
}

function readRows(database: DatabaseSync, each: (row: Row) => void): void {
  for (const raw of database.prepare('SELECT * FROM revisions ORDER BY revision').iterate()) {
    each({
      revision: Number(raw['revision']),
      resource: String(raw['resource']),
      namespace: String(raw['namespace']),
      name: String(raw['name']),
      deleted: raw['deleted'] === 1,
      object: decodeJson(String(raw['value'])) as KubeObject,
      previousRevision: Number(raw['previous']),
    });
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw databaseError(path, cause);
  }
}

function databaseError(path: string, cause: unknown): SottoError {
  const folder = dirname(path);
  const code = cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number' ? cause.errcode & 0xff : 0;
  if (code === SQLITE_BUSY) {
    return new SottoError('CLUSTER_DATA_LOCKED', `the data folder ${folder} is in use by another process`, {
      hint: 'stop the other cluster, or choose another data folder',
      cause,
    });
  }
  const isSyntax = cause instanceof SottoError && cause.code === 'JSON_SYNTAX';
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB || isSyntax) {
    return new SottoError('CLUSTER_DATABASE_CORRUPT', `the cluster database ${path} is damaged; it was left as it is`, {
      hint: 'restore a copy of the file, or move it away to start an empty cluster',
      cause,
    });
  }
  if (cause instanceof SottoError) return cause;
  return new SottoError('CLUSTER_DATABASE_UNUSABLE', `the cluster database ${path} cannot be opened`, {
    hint: 'check that the folder exists, is writable and has space',
    cause,
  });
}
