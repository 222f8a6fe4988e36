import { readFileSync } from 'node:fs';

import { SottoError } from '../../base/errors/index.ts';

/** How to reach a PostgreSQL server; what is missing comes from the `PG…` variables. */
export interface PostgresSettings {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly database?: string;
  readonly ssl: false | { readonly rejectUnauthorized: boolean; readonly ca?: string };
}

/**
 * Reads a connection string as Go's driver does: a URL, or `key=value` pairs. Without `sslmode` the connection is encrypted.
 *
 * @throws SottoError SOPS_AUDIT; the string, which may hold a password, is not quoted
 */
export function postgresSettings(text: string): PostgresSettings {
  const given = /^postgres(?:ql)?:\/\//.test(text) ? fromUrl(text) : fromPairs(text);
  const value = (name: string): string | undefined => (given.get(name) === '' ? undefined : given.get(name));
  const [host, port, user, password, database] = ['host', 'port', 'user', 'password', 'dbname'].map(value);
  return {
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ssl: sslOf(value('sslmode') ?? 'require', value('sslrootcert')),
  };
}

function fromUrl(text: string): Map<string, string> {
  if (!URL.canParse(text)) throw new SottoError('SOPS_AUDIT', 'the connection_string of an audit backend is no URL');
  const url = new URL(text);
  return new Map([
    ['host', url.hostname],
    ['port', url.port],
    ['user', decodeURIComponent(url.username)],
    ['password', decodeURIComponent(url.password)],
    ['dbname', decodeURIComponent(url.pathname.slice(1))],
    ...url.searchParams,
  ]);
}

/** Values may stand in single quotes; a backslash quotes the next character. */
function fromPairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(/(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))/gs)) {
    pairs.set(name, (quoted ?? bare ?? '').replaceAll(/\\(.)/gs, '$1'));
  }
  return pairs;
}

function sslOf(mode: string, rootCertificate: string | undefined): PostgresSettings['ssl'] {
  if (mode === 'disable') return false;
  if (!['allow', 'prefer', 'require', 'verify-ca', 'verify-full'].includes(mode))
    throw new SottoError('SOPS_AUDIT', `unsupported sslmode "${mode}" of an audit backend`);
  const ca = rootCertificate === undefined ? {} : { ca: readFileSync(rootCertificate, 'utf8') };
  return { rejectUnauthorized: mode.startsWith('verify'), ...ca };
}
