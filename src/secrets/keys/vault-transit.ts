import { SottoError } from '../../base/errors/index.ts';
import type { Sensitive } from '../../base/sensitive/index.ts';
import type { VaultCredentials } from './credentials.ts';
import {
  decodeBase64,
  invalidKeyId,
  missingCredentials,
  notMine,
  opened,
  serviceError,
  withDeadline,
  type ServiceCall,
} from './key-service.ts';
import type { Credentials, KeyContext, MasterKey, Unwrapped } from './types.ts';
import { answerField, isAllowed, vaultWrite } from './vault-http.ts';

const SERVICE = 'Vault transit';
const URI = /^(https?:\/\/[^/?#@\s]+)\/v1\/([^?#\s]+)\/keys\/([^/?#\s]+)\/*$/;
const ADDRESS = /^https?:\/\/[^/?#@\s]+$/;
const WRAPPED = /^vault:v[0-9]+:/;

/** What identifies a key of a transit engine. */
export interface VaultKeyFields {
  /** `http(s)://host[:port]` */
  readonly address: string;
  readonly enginePath: string;
  readonly keyName: string;
}

/**
 * A master key in the transit engine of Vault or OpenBao. `enc` is the `vault:v<N>:…` text as it came. Follows
 * sops:hcvault/keysource.go. The address is the file's, so a token goes only to addresses of the allow-list.
 *
 * @throws (wrap, unwrap) SottoError KEY_ID_INVALID, KEY_CREDENTIALS_MISSING, KEY_SERVICE_*, KEY_UNAVAILABLE,
 *   KEY_WRAPPED_INVALID, VAULT_ADDRESS_NOT_ALLOWED
 */
export function vaultTransitKey(key: VaultKeyFields): MasterKey {
  const display = `${key.address}/v1/${key.enginePath}/keys/${key.keyName}`;
  return {
    type: 'hc_vault',
    display,
    fields: { engine_path: key.enginePath, key_name: key.keyName, vault_address: key.address },
    wrap: (dataKey, credentials, context) => wrap(key, display, dataKey, credentials, context),
    unwrap: (wrapped, credentials, context) => unwrap(key, display, wrapped, credentials, context),
  };
}

/**
 * The parts of `http(s)://host[:port]/v1/<engine path>/keys/<key name>`.
 *
 * @throws SottoError KEY_ID_INVALID
 */
export function parseVaultUri(uri: string): VaultKeyFields {
  const [, address, enginePath, keyName] = URI.exec(uri) ?? [];
  if (address === undefined || enginePath === undefined || keyName === undefined) {
    throw invalidKeyId(SERVICE, uri, 'http(s)://host[:port]/v1/<engine path>/keys/<key name>');
  }
  return { address, enginePath, keyName };
}

async function wrap(
  key: VaultKeyFields,
  display: string,
  dataKey: Sensitive<Uint8Array>,
  { vault }: Credentials,
  context: KeyContext,
): Promise<string> {
  checkAddress(key, display);
  if (vault === undefined) throw missingCredentials(SERVICE, display);
  checkAllowed(key, vault);
  const plaintext = Buffer.from(dataKey.reveal()).toString('base64');
  return withDeadline(context, callOn(display, [plaintext]), async (signal) => {
    const token = await tokenFor(key, vault, signal);
    if (token === undefined) throw missingCredentials(SERVICE, display);
    const call = callOn(display, [plaintext, token]);
    const request = { address: key.address, path: `${key.enginePath}/encrypt/${key.keyName}`, token: token.reveal(), body: { plaintext } };
    const ciphertext = answerField(await vaultWrite(request, vault, call, context.world, signal), 'data', 'ciphertext');
    if (!WRAPPED.test(ciphertext)) throw serviceError(call, 'failed', 'the answer has no ciphertext');
    return ciphertext;
  });
}

async function unwrap(
  key: VaultKeyFields,
  display: string,
  wrapped: string,
  { vault }: Credentials,
  context: KeyContext,
): Promise<Unwrapped> {
  if (vault === undefined) return notMine('no Vault credentials were given');
  checkAddress(key, display);
  checkAllowed(key, vault);
  if (!WRAPPED.test(wrapped)) throw serviceError(callOn(display, []), 'wrapped-invalid', 'it does not begin with vault:v<number>:');
  return withDeadline(context, callOn(display, [wrapped]), async (signal) => {
    const token = await tokenFor(key, vault, signal);
    if (token === undefined) return notMine(`there is no Vault token for ${key.address}`);
    const call = callOn(display, [wrapped, token]);
    const path = `${key.enginePath}/decrypt/${key.keyName}`;
    const request = { address: key.address, path, token: token.reveal(), body: { ciphertext: wrapped } };
    const answer = await vaultWrite(request, vault, call, context.world, signal);
    const plaintext = decodeBase64(answerField(answer, 'data', 'plaintext'), 'standard');
    if (plaintext === undefined) throw serviceError(call, 'failed', 'the answer has no plaintext in base64');
    return opened(plaintext);
  });
}

function callOn(display: string, secrets: ServiceCall['secrets']): ServiceCall {
  return { service: SERVICE, key: display, secrets };
}

function tokenFor(key: VaultKeyFields, vault: VaultCredentials, signal: AbortSignal): Promise<Sensitive<string> | undefined> {
  if (vault.token !== undefined) return Promise.resolve(vault.token);
  return vault.tokenFor?.(key.address, signal) ?? Promise.resolve(undefined);
}

function checkAddress({ address, enginePath, keyName }: VaultKeyFields, display: string): void {
  if (ADDRESS.test(address) && enginePath !== '' && keyName !== '' && !keyName.includes('/')) return;
  throw invalidKeyId(SERVICE, display, 'http(s)://host[:port]/v1/<engine path>/keys/<key name>');
}

function checkAllowed({ address }: VaultKeyFields, vault: VaultCredentials): void {
  if (isAllowed(address, vault)) return;
  throw new SottoError('VAULT_ADDRESS_NOT_ALLOWED', `the Vault address ${address} is not in the allow-list`, {
    hint: 'add it to SOPS_HC_VAULT_ALLOWLIST if the token may go there',
  });
}
