import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { encrypted, root, sops } from './testing.ts';

const DEBIAN = '/usr/lib/postgresql';
const [version] = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted().toReversed() : [];
const program = (name: string): string => join(DEBIAN, version ?? '', 'bin', name);

/** The server refuses to run as root; Debian's package brings a user for it. */
function serverUser(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const ids = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: ids('-u'), gid: ids('-g') };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(version === undefined)('the audit log in a real PostgreSQL', () => {
  let folder: string;
  let port: number;
  const run = (name: string, ...argv: string[]): void =>
    void execFileSync(program(name), argv, { ...serverUser(), cwd: folder, stdio: 'ignore', env: { PATH: process.env['PATH'] } });
  const connection = (): string => `postgres://sotto:pass@127.0.0.1:${port}/postgres?sslmode=disable`;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sotto-postgres-'));
    port = await freePort();
    const { uid, gid } = serverUser();
    if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
    run('initdb', '-D', join(folder, 'data'), '-A', 'trust', '-U', 'sotto', '--no-sync');
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${folder} -c fsync=off`;
    run('pg_ctl', '-D', join(folder, 'data'), '-w', '-l', join(folder, 'log'), '-o', settings, 'start');
    await query(
      'CREATE TABLE audit_event (id SERIAL PRIMARY KEY, timestamp TIMESTAMP NOT NULL DEFAULT now(), action TEXT, username TEXT, file TEXT)',
    );
  }, 60_000);
  afterAll(() => {
    run('pg_ctl', '-D', join(folder, 'data'), '-m', 'immediate', 'stop');
    rmSync(folder, { recursive: true, force: true });
    rmSync(root, { recursive: true, force: true });
  });

  async function query(text: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: connection() });
    await client.connect();
    const { rows } = await client.query<Record<string, unknown>>(text);
    await client.end();
    return rows;
  }

  it('SOPS-62: has one row for each use of a key', async () => {
    const auditFile = join(folder, 'audit.yaml');
    writeFileSync(auditFile, `backends:\n  postgres:\n    - connection_string: ${connection()}\n`);
    const files = { 'x.yaml': await encrypted('a: 1\n') };
    const run1 = await sops(['decrypt', 'x.yaml'], { files, auditFile });
    expect(run1).toMatchObject({ code: 0, out: 'a: 1\n' });
    expect((await sops(['rotate', '-i', 'x.yaml'], { cwd: run1.cwd, auditFile })).code).toBe(0);
    const rows = await query('SELECT action, username, file FROM audit_event ORDER BY id');
    const { username } = userInfo();
    const file = join(run1.cwd, 'x.yaml');
    expect(rows).toEqual(['decrypt', 'rotate', 'decrypt', 'encrypt'].map((action) => ({ action, username, file })));
  });

  it('SOPS-62: a table that is missing stops the command', async () => {
    await query('ALTER TABLE audit_event RENAME TO elsewhere');
    const result = await sops(['decrypt', 'x.yaml'], {
      files: { 'x.yaml': await encrypted('a: 1\n') },
      auditFile: join(folder, 'audit.yaml'),
    });
    expect(result).toMatchObject({ code: 1, out: '' });
    expect(result.err).toContain('failed to insert audit record');
  });
});
