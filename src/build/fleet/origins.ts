import type { Tree } from '../../base/files/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { isJsonObject } from '../../kube/objects/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import type { BuildWarning, BuiltObject } from '../kustomize/index.ts';
import type { DecryptedObject } from './decrypt.ts';
import { isSopsEncrypted } from './decrypt.ts';
import { buildName } from './errors.ts';
import { localPath } from './paths.ts';
import { splitKey } from './sources.ts';
import type { FleetObject, SecretOrigin } from './types.ts';

/** How a Secret came to be; undefined for other kinds. */
export function secretOrigin(
  built: BuiltObject,
  found: DecryptedObject['found'],
  tree: Tree,
  decryptedSources: ReadonlySet<string>,
): SecretOrigin | undefined {
  const { object, origin } = built;
  if (object.kind !== 'Secret') return undefined;
  const of = (mechanism: SecretOrigin['mechanism']): SecretOrigin => ({ file: origin.file, mechanism });
  if (found === 'object' || isSopsEncrypted(object)) return of('sops');
  if (found === 'values') return of('sops-value');
  if (origin.generator === undefined) return of('plain');
  return of(readsDecryptedFile(object, origin.file, tree, decryptedSources) ? 'sops-generator' : 'generator');
}

/** Does the generator of this object, told by its name, read a file that was encrypted? */
function readsDecryptedFile(object: KubeObject, file: string, tree: Tree, decryptedSources: ReadonlySet<string>): boolean {
  if (decryptedSources.size === 0) return false;
  const directory = file.includes('/') ? file.slice(0, file.lastIndexOf('/')) : '';
  const name = object.metadata.name ?? '';
  const generators = secretGenerators(tree, file).filter((generator) => name.includes(generator.name));
  const longest = Math.max(0, ...generators.map((generator) => generator.name.length));
  return generators
    .filter((generator) => generator.name.length === longest)
    .some(({ paths }) => paths.some((path) => decryptedSources.has(localPath(tree, directory, path) ?? '')));
}

function secretGenerators(tree: Tree, file: string): { name: string; paths: string[] }[] {
  const text = new TextDecoder().decode(tree.read(file) ?? new Uint8Array());
  const value = parseYaml(text, { profile: 'yaml11', duplicateKeys: 'last' })[0]?.value;
  const generators = isJsonObject(value) ? value['secretGenerator'] : undefined;
  if (!Array.isArray(generators)) return [];
  return generators.filter(isJsonObject).map(({ name, files, envs, env }) => ({
    name: typeof name === 'string' ? name : '',
    paths: [...strings(files).map((entry) => splitKey(entry).path), ...strings(envs), ...strings([env])],
  }));
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Secrets in plain text, where others are encrypted: most likely somebody forgot. */
export function plainSecretWarnings(objects: readonly FleetObject[]): BuildWarning[] {
  const secrets = objects.filter(({ secret }) => secret !== undefined);
  if (!secrets.some(({ secret }) => secret?.mechanism.startsWith('sops') === true)) return [];
  return secrets
    .filter(({ secret, object }) => secret?.mechanism === 'plain' && holdsValues(object))
    .map(({ object, file, line }) => ({
      message: `the Secret '${buildName(object)}' lies in plain text beside encrypted ones`,
      file,
      ...(line === undefined ? {} : { line }),
    }));
}

function holdsValues({ data, stringData }: KubeObject): boolean {
  return [data, stringData].some((values) => isJsonObject(values) && Object.keys(values).length > 0);
}

/** Ciphertext that decryption does not reach: inputs of a configMapGenerator, or patches that are not files. */
export function leftoverWarnings(objects: readonly FleetObject[]): BuildWarning[] {
  return objects.flatMap(({ object, file }) =>
    encryptedFields(object).map((field) => ({ message: `'${buildName(object)}' still holds an encrypted value in ${field}`, file })),
  );
}

function encryptedFields(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return value.includes('ENC[AES256_GCM,data:') ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => encryptedFields(item, path === '' ? key : `${path}.${key}`));
}
