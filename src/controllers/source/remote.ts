import { Sensitive } from '../../base/sensitive/index.ts';
import type { GitCredentials, GitRemote } from '../../fetch/git/index.ts';
import { SourceFailure } from './failure.ts';
import type { SecretData } from './secret-data.ts';

const PROXY_SCHEMES = new Set(['http:', 'https:', 'socks5:']);
const MAX_PROXY_ADDRESS = 2048;

/**
 * The repository of a GitRepository with what its Secrets say: how to authenticate, whom to trust, through which
 * proxy (parity c5). For http(s), userinfo in the URL fills what the Secret lacks.
 *
 * @param given credentials that were obtained otherwise; the Secret's are not looked at then
 * @throws SourceFailure URLInvalid (stalled), AuthenticationFailed, GitOperationFailed
 */
export function remoteFrom(url: string, secret: SecretData, proxy: SecretData | undefined, given?: GitCredentials): GitRemote {
  const parsed = parseUrl(url);
  const credentials = given ?? (parsed.protocol === 'ssh:' ? sshCredentials(secret) : httpCredentials(parsed, secret));
  const tls = parsed.protocol === 'ssh:' ? undefined : tlsFrom(secret);
  return {
    url: withoutUserinfo(parsed),
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
    ...(proxy === undefined ? {} : { proxy: proxyFrom(proxy) }),
  };
}

/** A URL as messages may show it. */
function shownUrl(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//');
}

function parseUrl(url: string): URL {
  const parsed = URL.parse(url);
  if (parsed !== null && parsed.host !== '') return parsed;
  throw new SourceFailure('URLInvalid', `failed to parse url '${shownUrl(url)}': it has no valid host`, { isStalled: true });
}

/** The user of an ssh URL stays: it is no secret and part of the address. */
function withoutUserinfo(url: URL): string {
  const plain = new URL(url);
  plain.password = '';
  if (plain.protocol !== 'ssh:') plain.username = '';
  return plain.href;
}

function httpCredentials(url: URL, secret: SecretData): GitCredentials | undefined {
  const token = secret.get('bearerToken');
  const hasUserinfo = url.username !== '' || url.password !== '';
  if (token !== undefined) {
    if (/[\r\n]/.test(token.reveal())) throw invalid("'bearerToken' must not contain line breaks");
    if (!hasUserinfo) return { kind: 'bearer', token };
    throw new SourceFailure(
      'GitOperationFailed',
      'failed to checkout and determine revision: basic auth and bearer token cannot be set at the same time',
    );
  }
  const username = secret.get('username')?.reveal() ?? decoded(url.username);
  const password = secret.get('password') ?? new Sensitive(decoded(url.password));
  const scheme = url.protocol.slice(0, -1);
  if (username === '' && password.reveal() !== '')
    throw invalid(`invalid '${scheme}' auth option: 'password' requires 'username' to be set`);
  if (/[\r\n]/.test(username) || /[\r\n]/.test(password.reveal())) {
    throw invalid(`invalid '${scheme}' auth option: 'username' and 'password' must not contain line breaks`);
  }
  return username === '' ? undefined : { kind: 'basic', username, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a stray percent sign stands for itself
  }
}

function sshCredentials(secret: SecretData): GitCredentials {
  const identity = secret.get('identity');
  const knownHosts = secret.get('known_hosts');
  const passphrase = secret.get('password');
  if (identity === undefined) throw invalid("invalid 'ssh' auth option: 'identity' is required");
  if (knownHosts === undefined) throw invalid("invalid 'ssh' auth option: 'known_hosts' is required");
  if (passphrase === undefined && isEncryptedKey(identity.reveal())) {
    throw invalid("SSH identity key is encrypted but no 'password' field was provided");
  }
  return { kind: 'ssh', identity, knownHosts: knownHosts.reveal(), ...(passphrase === undefined ? {} : { passphrase }) };
}

/** PEM says so in its header; OpenSSH's own form names its cipher first. */
function isEncryptedKey(pem: string): boolean {
  if (pem.includes('ENCRYPTED')) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(pem)?.[1];
  if (body === undefined) return false;
  const bytes = Buffer.from(body.replaceAll(/\s/g, ''), 'base64');
  const magic = 'openssh-key-v1\0';
  if (bytes.toString('latin1', 0, magic.length) !== magic || bytes.length < magic.length + 4) return false;
  const length = bytes.readUInt32BE(magic.length);
  return bytes.toString('latin1', magic.length + 4, magic.length + 4 + length) !== 'none';
}

function tlsFrom(secret: SecretData): GitRemote['tls'] | undefined {
  const authorities = secret.get('ca.crt') ?? secret.get('caFile');
  const chain = secret.get('tls.crt');
  const key = secret.get('tls.key');
  if (chain !== undefined && key === undefined) throw invalid(`secret '${secret.label}' contains 'tls.crt' but missing 'tls.key'`);
  if (key !== undefined && chain === undefined) throw invalid(`secret '${secret.label}' contains 'tls.key' but missing 'tls.crt'`);
  if (authorities === undefined && chain === undefined) return undefined;
  return {
    ...(authorities === undefined ? {} : { authorities: authorities.reveal() }),
    ...(chain === undefined || key === undefined ? {} : { certificate: { chain: chain.reveal(), key } }),
  };
}

function proxyFrom(secret: SecretData): NonNullable<GitRemote['proxy']> {
  const address = secret.get('address')?.reveal();
  if (address === undefined) throw refusedProxy(`secret '${secret.label}': key 'address' not found`);
  const url = URL.parse(address);
  if (url === null || !PROXY_SCHEMES.has(url.protocol) || address.length > MAX_PROXY_ADDRESS) {
    throw refusedProxy(`secret '${secret.label}': 'address' is no valid http, https or socks5 URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refusedProxy(`secret '${secret.label}': 'address' must not hold credentials; use 'username' and 'password'`);
  }
  const username = secret.get('username')?.reveal();
  const password = secret.get('password');
  if (username === undefined) return { address };
  return { address, username, ...(password === undefined ? {} : { password }) };
}

function refusedProxy(message: string): SourceFailure {
  return new SourceFailure('AuthenticationFailed', `failed to configure proxy options: ${message}`);
}

function invalid(message: string): SourceFailure {
  return new SourceFailure('AuthenticationFailed', `failed to configure authentication options: ${message}`);
}
