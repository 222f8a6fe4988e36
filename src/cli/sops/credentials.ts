import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { World } from '../../base/world/index.ts';
import type { Credentials, GcpCredentials, PgpCredentials, VaultCredentials, VaultTls } from '../../secrets/keys/index.ts';
import { agePlugins, ambientAge } from './identities.ts';

/** What gpg, its agent and pinentry look at. */
const GPG_VARIABLES: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'LANG',
  'LC_ALL',
  'TERM',
  'GPG_TTY',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'PINENTRY_USER_DATA',
];

/**
 * Everything that the user's surroundings hold, where upstream looks for it: identities of age, the gpg keyring, the
 * clouds' own chains, Vault's variables.
 *
 * @param recipients age recipients of the file to open; undefined when nothing is to be opened, and no identity is read
 */
export async function ambientCredentials(world: World, recipients: readonly string[] | undefined): Promise<Credentials> {
  return {
    age: recipients === undefined ? { identities: [], plugins: agePlugins(world) } : await ambientAge(world, recipients),
    pgp: pgpCredentials(world),
    aws: { ambient: true },
    gcp: await gcpCredentials(world),
    azure: { identity: { kind: 'ambient' } },
    vault: await vaultCredentials(world),
  };
}

function variable({ env }: World, name: string): string | undefined {
  const value = env[name];
  return value === '' ? undefined : value;
}

function pgpCredentials(world: World): PgpCredentials {
  const home = variable(world, 'GNUPGHOME') ?? join(world.env['HOME'] ?? homedir(), '.gnupg');
  const env = GPG_VARIABLES.flatMap((name) => {
    const value = variable(world, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { gpg: { program: variable(world, 'SOPS_GPG_EXEC') ?? 'gpg', home: resolve(world.cwd, home), env: Object.fromEntries(env) } };
}

/** `GOOGLE_CREDENTIALS` is a path or the document itself. */
async function gcpCredentials(world: World): Promise<GcpCredentials> {
  const given = variable(world, 'GOOGLE_CREDENTIALS');
  const token = variable(world, 'GOOGLE_OAUTH_ACCESS_TOKEN');
  const endpoint = variable(world, 'SOPS_GCP_KMS_ENDPOINT');
  const universeDomain = variable(world, 'SOPS_GCP_KMS_UNIVERSE_DOMAIN');
  const json = given === undefined ? undefined : ((await readIfThere(given, world)) ?? given);
  return {
    ...(json === undefined ? {} : { json: new Sensitive(json), trusted: true }),
    ...(token === undefined ? {} : { accessToken: new Sensitive(token) }),
    ambient: true,
    clientType: variable(world, 'SOPS_GCP_KMS_CLIENT_TYPE') === 'rest' ? 'rest' : 'grpc',
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(universeDomain === undefined ? {} : { universeDomain }),
  };
}

async function vaultCredentials(world: World): Promise<VaultCredentials> {
  const token = variable(world, 'VAULT_TOKEN') ?? (await readIfThere(join(world.env['HOME'] ?? homedir(), '.vault-token'), world))?.trim();
  const namespace = variable(world, 'VAULT_NAMESPACE');
  const allowed = variable(world, 'SOPS_HC_VAULT_ALLOWLIST') ?? 'all';
  return {
    ...(token === undefined || token === '' ? {} : { token: new Sensitive(token) }),
    ...(namespace === undefined ? {} : { namespace }),
    tls: await vaultTls(world),
    allowList: allowed === 'all' || allowed === 'none' ? allowed : allowed.split(',').map((prefix) => prefix.trim()),
  };
}

async function vaultTls(world: World): Promise<VaultTls> {
  const [ca, cert, key] = await Promise.all(['VAULT_CACERT', 'VAULT_CLIENT_CERT', 'VAULT_CLIENT_KEY'].map((name) => fileOf(name, world)));
  const serverName = variable(world, 'VAULT_TLS_SERVER_NAME');
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key: new Sensitive(key) }),
    ...(serverName === undefined ? {} : { serverName }),
    skipVerify: ['1', 't', 'true'].includes((variable(world, 'VAULT_SKIP_VERIFY') ?? '').toLowerCase()),
  };
}

/** A file that was named must be there. @throws SottoError SOPS_CREDENTIALS */
async function fileOf(name: string, world: World): Promise<string | undefined> {
  const path = variable(world, name);
  if (path === undefined) return undefined;
  return world
    .outside(() => readFile(resolve(world.cwd, path), 'utf8'))
    .catch((cause: unknown) => {
      throw new SottoError('SOPS_CREDENTIALS', `${name}: cannot read "${path}": ${codeOf(cause)}`, { cause });
    });
}

function readIfThere(path: string, world: World): Promise<string | undefined> {
  return world.outside(() => readFile(resolve(world.cwd, path), 'utf8')).catch(() => undefined);
}
