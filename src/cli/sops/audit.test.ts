import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { postgresSettings } from './audit-connection.ts';
import { encrypted, fileOf, root, sops, type Result } from './testing.ts';

let sealed: string;
beforeAll(async () => {
  sealed = await encrypted('a: x\n');
});
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const message = (type: string, ...parts: Buffer[]): Buffer => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
const READY = message('Z', Buffer.from('I'));

/** As much of a PostgreSQL server as an INSERT needs: it remembers the values of every Bind. */
async function database(options: { readonly refuse?: boolean } = {}): Promise<{ readonly port: number; readonly rows: string[][] }> {
  const rows: string[][] = [];
  const replies: Readonly<Record<string, (body: Buffer) => Buffer | undefined>> = {
    P: () => message('1'),
    B: (body) => {
      rows.push(valuesOf(body));
      return options.refuse === true
        ? message('E', Buffer.from('SERROR\0C42501\0Mpermission denied for table audit_event\0\0'))
        : message('2');
    },
    D: () => (options.refuse === true ? undefined : message('n')),
    E: () => (options.refuse === true ? undefined : message('C', Buffer.from('INSERT 0 1\0'))),
    S: () => READY,
  };
  const server: Server = createServer((socket) => serve(socket, replies));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return { port: (server.address() as AddressInfo).port, rows };
}

function serve(socket: Socket, replies: Readonly<Record<string, (body: Buffer) => Buffer | undefined>>): void {
  let started = false;
  let rest = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const offset = started ? 1 : 0;
      if (rest.length < offset + 4) return;
      const end = offset + rest.readInt32BE(offset);
      if (rest.length < end) return;
      const body = rest.subarray(offset + 4, end);
      const reply = started ? replies[String.fromCharCode(rest[0] ?? 0)]?.(body) : Buffer.concat([message('R', Buffer.alloc(4)), READY]);
      started = true;
      if (reply !== undefined) socket.write(reply);
      rest = rest.subarray(end);
    }
  });
}

/** The parameters of a Bind message: two names, formats, then length and bytes of each. */
function valuesOf(body: Buffer): string[] {
  let at = body.indexOf(0, body.indexOf(0) + 1) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = body.readInt32BE(at);
    const value = body.subarray(at + 4, at + 4 + length).toString();
    at += 4 + length;
    return value;
  });
}

function audited(argv: readonly string[], port: number, files: Record<string, string> = {}): Promise<Result> {
  const auditFile = join(root, `audit-${port}.yaml`);
  writeFileSync(auditFile, `backends:\n  postgres:\n    - connection_string: postgres://u:hunter2@127.0.0.1:${port}/d?sslmode=disable\n`);
  return sops(argv, { files: { 'x.yaml': sealed, 'p.yaml': 'a: 1\n', ...files }, auditFile });
}

describe('the audit log', () => {
  const RECIPIENT = 'age12ewsyxzzefwch8sen07qjlavyuultvny5dkyrfw7ag50n0tx5c9qlvqzce';
  const commands: [argv: string[], file: string, actions: string[]][] = [
    [['decrypt', 'x.yaml'], 'x.yaml', ['decrypt']],
    [['encrypt', '--age', RECIPIENT, 'p.yaml'], 'p.yaml', ['encrypt']],
    [['set', 'x.yaml', '["a"]', '1'], 'x.yaml', ['decrypt', 'encrypt']],
    [['unset', 'x.yaml', '["a"]'], 'x.yaml', ['decrypt', 'encrypt']],
    [['rotate', 'x.yaml'], 'x.yaml', ['rotate', 'decrypt', 'encrypt']],
    [['exec-env', 'x.yaml', 'true'], 'x.yaml', ['decrypt']],
    [['exec-file', 'x.yaml', 'true'], 'x.yaml', ['decrypt']],
    [['filestatus', 'x.yaml'], 'x.yaml', []],
  ];
  it.each(commands)('SOPS-62: %j on %s records %j with user and absolute path', async (argv, file, actions) => {
    const { port, rows } = await database();
    const result = await audited(argv, port);
    expect(result).toMatchObject({ code: 0 });
    expect(rows).toEqual(actions.map((action) => [action, userInfo().username, join(result.cwd, file)]));
  });

  it('SOPS-62: an insert that fails stops everything', async () => {
    const { port } = await database({ refuse: true });
    expect(await audited(['decrypt', 'x.yaml'], port)).toMatchObject({
      code: 1,
      out: '',
      err: 'failed to insert audit record: permission denied for table audit_event\n',
    });
    const set = await audited(['set', 'x.yaml', '["a"]', '1'], port);
    expect(set.code).toBe(1);
    expect(fileOf(set, 'x.yaml')).toBe(sealed);
  });

  it('SOPS-62: a database that cannot be reached stops every command; the password is not shown', async () => {
    const result = await audited(['decrypt', 'x.yaml'], 1);
    expect(result).toMatchObject({ code: 1, out: '', err: expect.stringContaining('cannot reach the audit database') as string });
    expect(result.err).not.toContain('hunter2');
  });

  it.each([
    ['backends:\n  mysql: []\n', 1, 'unknown audit backends: mysql'],
    ['backends:\n  postgres:\n    - {}\n', 1, 'has no connection_string'],
    ['backends:\n  postgres: x\n', 1, 'is no list'],
    ['backends:\n', 0, ''],
    ['', 0, ''],
  ])('SOPS-62: the configuration %j', async (text, code, error) => {
    const auditFile = join(root, 'audit.yaml');
    writeFileSync(auditFile, text);
    const result = await sops(['decrypt', 'x.yaml'], { files: { 'x.yaml': sealed }, auditFile });
    expect(result.code).toBe(code);
    expect(result.err).toContain(error);
  });

  it.each([
    ['postgres://u:p%40w@h:99/d?sslmode=disable', { host: 'h', port: 99, user: 'u', password: 'p@w', database: 'd', ssl: false }],
    ['postgresql://h/d', { host: 'h', database: 'd', ssl: { rejectUnauthorized: false } }],
    [
      "host=h user=u password='it\\'s' dbname=d sslmode=verify-full",
      { host: 'h', user: 'u', password: "it's", database: 'd', ssl: { rejectUnauthorized: true } },
    ],
  ])('SOPS-62: reads the connection string %s', (text, settings) => {
    expect(postgresSettings(text)).toEqual(settings);
  });

  it('SOPS-62: refuses an unknown sslmode', () => {
    expect(() => postgresSettings('host=h sslmode=maybe')).toThrow('unsupported sslmode');
  });
});
