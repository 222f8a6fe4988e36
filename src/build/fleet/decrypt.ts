import { SottoError } from '../../base/errors/index.ts';
import { cloneJson, deepEqual, isJsonObject, parseJson, stringifyJson, type Json, type KubeObject } from '../../kube/objects/index.ts';
import type { BuildWarning, BuiltObject } from '../kustomize/index.ts';
import { buildName, prefixed } from './errors.ts';
import { detectFormat, formatOf } from './formats.ts';
import { macOf, type PristineSources } from './pristine.ts';
import type { Decryptor } from './types.ts';

const OPT_OUT = 'kustomize.toolkit.fluxcd.io/decrypt';

/** An object after decryption. */
export interface DecryptedObject {
  readonly object: KubeObject;
  /** What was encrypted: the whole object, single data values, or nothing. */
  readonly found: 'object' | 'values' | 'nothing';
  readonly warnings: readonly BuildWarning[];
}

/** True when the object holds SOPS metadata: it was encrypted and is not decrypted yet. */
export function isSopsEncrypted(object: { readonly [field: string]: unknown }): boolean {
  return object['sops'] !== undefined && object['sops'] !== null;
}

/**
 * Decrypts a built object: any kind that carries `sops.mac`, and in Secrets each data value that is an encrypted
 * document. An object annotated `kustomize.toolkit.fluxcd.io/decrypt: disabled` stays as it is.
 *
 * kustomize changes objects after they were encrypted, so the MAC of a built object proves nothing. It is checked on
 * the document in the source tree instead; only where that is not found (a patch made it, say) a warning says that
 * nothing was checked.
 *
 * @throws SottoError FLEET_DECRYPT starting `decryption failed for '<gvk>/<name>': `
 */
export async function decryptObject(built: BuiltObject, decryptor: Decryptor, sources: PristineSources): Promise<DecryptedObject> {
  const { object } = built;
  const unchanged: DecryptedObject = { object, found: 'nothing', warnings: [] };
  if (object.metadata.annotations?.[OPT_OUT]?.toLowerCase() === 'disabled') return unchanged;
  try {
    const mac = macOf(object);
    if (mac !== undefined) return await decryptWhole(built, mac, decryptor, sources);
    return object.kind === 'Secret' ? await decryptValues(built, decryptor) : unchanged;
  } catch (error) {
    throw prefixed('FLEET_DECRYPT', `decryption failed for '${buildName(object)}'`, error);
  }
}

async function decryptWhole(built: BuiltObject, mac: string, decryptor: Decryptor, sources: PristineSources): Promise<DecryptedObject> {
  const { object, origin } = built;
  const { file } = origin;
  const fail = (error: unknown): Error =>
    prefixed(
      'FLEET_DECRYPT',
      `failed to decrypt and format '${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}' ${object.kind} data`,
      error,
    );
  try {
    const pristine = sources.find(file, mac);
    const format = file.endsWith('.json') ? 'json' : 'yaml';
    if (pristine !== undefined && deepEqual(pristine.value, object)) {
      const bytes = await decryptor.decrypt({ bytes: pristine.bytes, format, outputFormat: 'json', file, pristine: true });
      return { object: parseObject(bytes), found: 'object', warnings: [] };
    }
    if (pristine !== undefined) {
      await sources.check(pristine, () => decryptor.decrypt({ bytes: pristine.bytes, format, file, pristine: true }));
    }
    const bytes = new TextEncoder().encode(stringifyJson(object));
    const plain = await decryptor.decrypt({ bytes, format: 'json', outputFormat: 'json', file, pristine: false });
    const warnings = pristine === undefined ? [unchecked(object, file)] : [];
    return { object: parseObject(plain), found: 'object', warnings };
  } catch (error) {
    throw fail(error);
  }
}

function unchecked(object: KubeObject, file: string): BuildWarning {
  return {
    message: `the MAC of '${buildName(object)}' could not be checked: the encrypted document is not in its file as it was built`,
    file,
  };
}

function parseObject(bytes: Uint8Array): KubeObject {
  const value = parseJson(new TextDecoder().decode(bytes));
  if (!isJsonObject(value)) throw new SottoError('FLEET_DECRYPT', 'the decrypted document is no object');
  return value as unknown as KubeObject;
}

async function decryptValues(built: BuiltObject, decryptor: Decryptor): Promise<DecryptedObject> {
  const { object, origin } = built;
  const data = object['data'];
  if (!isJsonObject(data)) return { object, found: 'nothing', warnings: [] };
  let plain: { [key: string]: Json } | undefined;
  for (const [key, value] of Object.entries(data)) {
    const decrypted = await decryptValue(key, value, built, decryptor);
    if (decrypted === undefined) continue;
    plain ??= cloneJson(data);
    plain[key] = decrypted;
  }
  if (plain === undefined) return { object, found: 'nothing', warnings: [] };
  const message = `the Secret '${buildName(object)}' holds encrypted documents in data: a name hash made from them changes with every encryption`;
  return {
    object: { ...object, data: plain },
    found: 'values',
    warnings: origin.generator === undefined ? [] : [{ message, file: origin.file }],
  };
}

async function decryptValue(key: string, value: Json, { object, origin }: BuiltObject, decryptor: Decryptor): Promise<string | undefined> {
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  const format = bytes === undefined ? undefined : detectFormat(bytes);
  if (bytes === undefined || format === undefined) return undefined;
  try {
    // The value holds the whole document as it was encrypted.
    const plain = await decryptor.decrypt({ bytes, format, outputFormat: formatOf(key), file: origin.file, pristine: true });
    return Buffer.from(plain).toString('base64');
  } catch (error) {
    const where = `failed to decrypt and format '${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}' Secret field '${key}'`;
    throw prefixed('FLEET_DECRYPT', where, error);
  }
}

/** Values that are no base64 are passed over: the API server refuses them. */
function decodeBase64(value: string): Uint8Array | undefined {
  const text = value.replaceAll(/[\r\n]/g, '');
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}
