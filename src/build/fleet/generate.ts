import { messageOf, SottoError } from '../../base/errors/index.ts';
import type { Tree } from '../../base/files/index.ts';
import { parseYaml, type YamlValue } from '../../text/yaml/index.ts';
import { join, kustomizationFiles } from './paths.ts';

/**
 * The `resources` that Flux lists for a directory without kustomization file: every YAML file below it in lexical
 * order, and each sub-directory that has a kustomization file of its own as one entry.
 *
 * @throws SottoError FLEET_MANIFEST for a file that is no Kubernetes manifest
 */
export function scanResources(tree: Tree, directory: string, ignore: (path: string) => boolean): string[] {
  const resources: string[] = [];
  const walk = (path: string, relative: string): void => {
    for (const name of tree.list(path)) {
      const child = join(path, name);
      const entry = `${relative}/${name}`;
      if (ignore(child)) continue;
      const kind = tree.kind(child);
      if (kind === 'directory' && tree.resolve(child) === child) {
        if (kustomizationFiles(tree, child).length > 0) resources.push(entry);
        else walk(child, entry);
      } else if (kind === 'file' && /\.ya?ml$/.test(name)) {
        checkManifest(tree, child);
        resources.push(entry);
      }
    }
  };
  walk(directory, '.');
  return resources;
}

function checkManifest(tree: Tree, file: string): void {
  const fail = (reason: string, line?: number, cause?: unknown): SottoError =>
    new SottoError('FLEET_MANIFEST', `failed to decode Kubernetes YAML from ${file}: ${reason}`, {
      at: { file, ...(line === undefined ? {} : { line }) },
      hint: 'without a kustomization file every YAML file of the directory must be a manifest; add a kustomization file, or move this one',
      cause,
    });
  let documents;
  try {
    documents = parseYaml(new TextDecoder().decode(tree.read(file)), { profile: 'yaml11', duplicateKeys: 'last' });
  } catch (error) {
    const line = error instanceof SottoError ? error.at?.line : undefined;
    throw fail(error instanceof SottoError ? messageOf(error) : 'the file cannot be read', line, error);
  }
  for (const { value, line } of documents) {
    const reason = value === undefined || value === null ? undefined : missingIdentity(value);
    if (reason !== undefined) throw fail(reason, line);
  }
}

function missingIdentity(value: YamlValue): string | undefined {
  if (!isMap(value)) return 'a document is no mapping';
  const { kind, metadata } = value;
  if (typeof kind !== 'string' || kind === '') return "Object 'Kind' is missing";
  if (kind.endsWith('List')) return undefined;
  const name = isMap(metadata) ? metadata['name'] : undefined;
  return typeof name === 'string' && name !== '' ? undefined : `${kind} has no metadata.name`;
}

function isMap(value: YamlValue | undefined): value is { [key: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
