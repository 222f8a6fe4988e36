import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import { parseAgeIdentities } from './age-identities.ts';
import type { AwsCredentials, AzureCredentials, AzureIdentity, PgpCredentials } from './credentials.ts';
import { recordOf, textOf } from './key-service.ts';
import type { Credentials } from './types.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Identities = NonNullable<Credentials['age']>['identities'];

/** What one key of a decryption Secret adds. A suffix or a whole name (flux/DEC-02). */
interface Reader {
  readonly matches: (key: string) => boolean;
  readonly read: (bytes: Uint8Array, key: string, into: Mutable<Credentials>) => void;
}

const READERS: readonly Reader[] = [
  { matches: (key) => key.endsWith('.asc'), read: addPgp },
  { matches: (key) => key.endsWith('.agekey'), read: addAge },
  { matches: (key) => key === 'sops.vault-token', read: addVault },
  { matches: (key) => key === 'sops.aws-kms', read: addAws },
  { matches: (key) => key === 'sops.azure-kv', read: addAzure },
  { matches: (key) => key === 'sops.gcp-kms', read: addGcp },
];

/**
 * The credentials in the data of a Kustomization's decryption Secret: `*.asc`, `*.agekey`, `sops.vault-token`,
 * `sops.aws-kms`, `sops.azure-kv`, `sops.gcp-kms`; other keys are ignored. Follows kc:internal/decryptor.
 *
 * @param data decoded values
 * @throws SottoError AGE_IDENTITY_INVALID, AGE_UNSUPPORTED, KEY_CREDENTIALS_INVALID; `at.file` is the key of the Secret
 */
export function keySecretCredentials(data: Iterable<readonly [key: string, value: Uint8Array]>): Credentials {
  const credentials: Mutable<Credentials> = {};
  for (const [key, bytes] of data) READERS.find(({ matches }) => matches(key))?.read(bytes, key, credentials);
  return credentials;
}

function addPgp(bytes: Uint8Array, source: string, into: Mutable<Credentials>): void {
  const known: NonNullable<PgpCredentials['keys']> = into.pgp?.keys ?? [];
  into.pgp = { keys: [...known, { source, armored: new Sensitive(utf8(bytes)) }] };
}

function addAge(bytes: Uint8Array, source: string, into: Mutable<Credentials>): void {
  const known: Identities = into.age?.identities ?? [];
  into.age = { identities: [...known, ...parseAgeIdentities(utf8(bytes), source)] };
}

function addVault(bytes: Uint8Array, _source: string, into: Mutable<Credentials>): void {
  into.vault = { token: new Sensitive(utf8(bytes).trim()) };
}

function addGcp(bytes: Uint8Array, _source: string, into: Mutable<Credentials>): void {
  into.gcp = { json: new Sensitive(utf8(bytes).trim()) };
}

function addAws(bytes: Uint8Array, source: string, into: Mutable<Credentials>): void {
  into.aws = awsOf(readMap(bytes, source), source);
}

function awsOf(map: Readonly<Record<string, unknown>>, source: string): AwsCredentials {
  const [accessKeyId, secret, session] = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'].map((name) =>
    textOf(map, name),
  );
  if (accessKeyId === undefined || accessKeyId === '' || secret === undefined || secret === '') {
    throw invalid(source, 'it needs aws_access_key_id and aws_secret_access_key');
  }
  const sessionToken = session === undefined || session === '' ? {} : { sessionToken: new Sensitive(session) };
  return { keys: { accessKeyId, secretAccessKey: new Sensitive(secret), ...sessionToken } };
}

function addAzure(bytes: Uint8Array, source: string, into: Mutable<Credentials>): void {
  const map = readMap(bytes, source);
  const authorityHost = textOf(map, 'authorityHost');
  const azure: AzureCredentials = { identity: azureIdentity(map), ...(authorityHost === '' ? {} : { authorityHost }) };
  into.azure = azure;
}

/** The first combination of fields that is complete counts. */
function azureIdentity(map: Readonly<Record<string, unknown>>): AzureIdentity {
  const field = (name: string): string => textOf(map, name);
  const [tenantId, clientId] = [field('tenantId'), field('clientId')];
  const hasBoth = tenantId !== '' && clientId !== '';
  if (hasBoth && field('clientSecret') !== '')
    return { kind: 'secret', tenantId, clientId, clientSecret: new Sensitive(field('clientSecret')) };
  if (hasBoth && field('clientCertificate') !== '') {
    const password = field('clientCertificatePassword');
    return {
      kind: 'certificate',
      tenantId,
      clientId,
      certificate: new Sensitive(field('clientCertificate')),
      ...(password === '' ? {} : { password: new Sensitive(password) }),
      sendChain: map['clientCertificateSendChain'] === true,
    };
  }
  const [tenant, appId, secret] = [field('tenant'), field('appId'), field('password')];
  if (tenant !== '' && appId !== '' && secret !== '') {
    return { kind: 'secret', tenantId: tenant, clientId: appId, clientSecret: new Sensitive(secret) };
  }
  if (clientId !== '') return { kind: 'managed', clientId };
  throw new SottoError(
    'KEY_CREDENTIALS_INVALID',
    "invalid data: requires a 'clientId' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or of 'tenantId', 'clientId' and 'clientCertificate'",
    { at: { file: 'sops.azure-kv' } },
  );
}

function readMap(bytes: Uint8Array, source: string): Readonly<Record<string, unknown>> {
  try {
    const [document] = parseYaml(withoutMark(bytes), { profile: 'yaml11' });
    return recordOf(document?.value);
  } catch {
    // the parser's message may quote the credentials
    throw invalid(source, 'it is neither YAML nor JSON');
  }
}

/** PowerShell writes UTF-16 with a byte order mark. */
function withoutMark(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder('utf-8').decode(bytes);
}

function utf8(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function invalid(source: string, problem: string): SottoError {
  return new SottoError('KEY_CREDENTIALS_INVALID', `the credentials cannot be used: ${problem}`, { at: { file: source } });
}
