import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';

import { codeOf, messageOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import { postgresSettings, type PostgresSettings } from './audit-connection.ts';

export const AUDIT_FILE = '/etc/sops/audit.yaml';
const INSERT = 'INSERT INTO audit_event (action, username, file) VALUES ($1, $2, $3)';

export type AuditAction = 'encrypt' | 'decrypt' | 'rotate';

/** Where uses of keys are written down. */
export interface Audit {
  /** @throws SottoError SOPS_AUDIT when it cannot be written down; nothing may happen then */
  record(action: AuditAction, file: string): Promise<void>;
  close(): Promise<void>;
}

interface Backend {
  record(action: AuditAction, username: string, file: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to every backend of the audit configuration. Without the file nothing is recorded.
 *
 * @throws SottoError SOPS_AUDIT when the file cannot be read, or a backend be reached: who configured an audit log relies on it
 */
export async function openAudit(world: World, path = AUDIT_FILE): Promise<Audit> {
  const settings = await readSettings(world, path);
  const backends: Backend[] = [];
  const close = async (): Promise<void> => {
    for (const backend of backends) await world.outside(() => backend.close());
  };
  try {
    for (const one of settings) backends.push(await world.outside(() => connect(one)));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    record: async (action, file) => {
      for (const backend of backends) await world.outside(() => backend.record(action, userInfo().username, file));
    },
    close,
  };
}

async function readSettings(world: World, path: string): Promise<PostgresSettings[]> {
  const text = await world
    .outside(() => readFile(path, 'utf8'))
    .catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return '';
      throw new SottoError('SOPS_AUDIT', `cannot read the audit configuration ${path}: ${codeOf(error)}`);
    });
  const [document] = parseYaml(text, { profile: 'goYaml3', file: path });
  const backends = fieldOf(document?.value, 'backends');
  const unknown = Object.keys(typeof backends === 'object' && backends !== null ? backends : {}).filter((name) => name !== 'postgres');
  if (unknown.length > 0) throw new SottoError('SOPS_AUDIT', `unknown audit backends: ${unknown.join(', ')}`, { at: { file: path } });
  const listed = fieldOf(backends, 'postgres') ?? [];
  if (!Array.isArray(listed)) throw new SottoError('SOPS_AUDIT', 'backends.postgres is no list', { at: { file: path } });
  return listed.map((entry: unknown) => {
    const connection = fieldOf(entry, 'connection_string');
    if (typeof connection !== 'string')
      throw new SottoError('SOPS_AUDIT', 'an audit backend has no connection_string', { at: { file: path } });
    return postgresSettings(connection);
  });
}

async function connect(settings: PostgresSettings): Promise<Backend> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ ...settings, connectionTimeoutMillis: 10_000 });
  // a connection that breaks fails the next query
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    throw failure('cannot reach the audit database', error, settings);
  });
  return {
    record: async (action, username, file) => {
      await client.query(INSERT, [action, username, file]).catch((error: unknown) => {
        throw failure('failed to insert audit record', error, settings);
      });
    },
    close: () => client.end(),
  };
}

/** What the database says, without the password. */
function failure(what: string, error: unknown, { password = '' }: PostgresSettings): SottoError {
  const said = messageOf(error) === '' ? codeOf(error) : messageOf(error);
  return new SottoError('SOPS_AUDIT', `${what}: ${password === '' ? said : said.replaceAll(password, '***')}`);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
