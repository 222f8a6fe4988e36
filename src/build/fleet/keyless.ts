import { isJsonObject, parseJson, stringifyJson, type Json, type JsonObject } from '../../kube/objects/index.ts';
import type { SopsFormat } from '../../secrets/sops/index.ts';
import { emitNodes, fromJson, parseDocuments, toJson, type YamlDocument, type YamlNode } from '../../text/yaml/index.ts';
import type { Decryptor } from './types.ts';

/** What stands in place of a value that nobody decrypted. */
export const PLACEHOLDER = '**SOPS**';

/**
 * A decryptor without keys: every encrypted value becomes a placeholder of its type, the metadata goes, all else
 * stays. Secrets are masked as `flux build kustomization` does, whatever in them was encrypted. For `build` where no
 * key is at hand; it proves nothing about keys or MACs.
 */
export function keylessDecryptor(): Decryptor {
  return {
    decrypt: ({ bytes, format, outputFormat }) => {
      const text = new TextDecoder().decode(bytes);
      return Promise.resolve(new TextEncoder().encode(PLACEHOLDERS[format](text, outputFormat ?? format)));
    },
  };
}

const PLACEHOLDERS: Readonly<Record<SopsFormat, (text: string, output: SopsFormat) => string>> = {
  json: (text, output) => write(opened(parseJson(text)), output),
  yaml: (text, output) => openYaml(text, output),
  binary: () => PLACEHOLDER,
  dotenv: (text, output) => (output === 'dotenv' ? openLines(text.replaceAll(/^sops_.*\n?/gm, '')) : PLACEHOLDER),
  ini: (text, output) => (output === 'ini' ? openLines(text.replace(/^\[sops\][^]*?(?=^\[|$(?![^]))/m, '')) : PLACEHOLDER),
};

function openLines(text: string): string {
  return text.replaceAll(/ENC\[AES256_GCM,.*\]$/gm, PLACEHOLDER);
}

function openYaml(text: string, output: SopsFormat): string {
  const documents = parseDocuments(text, { profile: 'goYaml3', duplicateKeys: 'last' });
  const [first] = documents;
  if (output === 'yaml') return emitNodes(documents.map(openDocument), { profile: 'goYaml3' });
  return write(first?.root === undefined ? {} : opened(toJson(first.root, { profile: 'goYaml3' })), output);
}

function openDocument({ root, ...rest }: YamlDocument): YamlDocument {
  if (root?.kind !== 'map') return { root, ...rest };
  const items = root.items.filter(({ key }) => key.kind !== 'scalar' || key.text !== 'sops');
  return { root: openNode({ ...root, items }), ...rest };
}

function openNode(node: YamlNode): YamlNode {
  if (node.kind === 'sequence') return { ...node, items: node.items.map(openNode) };
  if (node.kind === 'map') return { ...node, items: node.items.map(({ key, value }) => ({ key, value: openNode(value) })) };
  const placeholder = placeholderOf(node.text);
  return placeholder === undefined ? node : { ...node, ...fromJson(placeholder) };
}

function write(value: Json, output: SopsFormat): string {
  if (output === 'json') return stringifyJson(value);
  return output === 'yaml' ? emitNodes([{ root: fromJson(value), trailingComments: [] }], { profile: 'goYaml3' }) : PLACEHOLDER;
}

function opened(value: Json): Json {
  if (!isJsonObject(value)) return openJson(value);
  const { sops: _sops, ...rest } = value;
  const object = openJson(rest);
  return isJsonObject(object) && object['kind'] === 'Secret' ? maskSecret(object) : object;
}

function openJson(value: Json): Json {
  if (typeof value === 'string') return placeholderOf(value) ?? value;
  if (Array.isArray(value)) return value.map(openJson);
  return isJsonObject(value) ? mapValues(value, openJson) : value;
}

/** The placeholder of an encrypted value, of the type that it has; undefined for other text. */
function placeholderOf(text: string): string | number | boolean | undefined {
  const type = /^ENC\[AES256_GCM,.*,type:(\w+)\]/.exec(text)?.[1];
  if (type === undefined) return undefined;
  return type === 'int' || type === 'float' ? 0 : type === 'bool' ? false : PLACEHOLDER;
}

/** A Secret whose values are placeholders: `data` in base64, and as JSON for a docker config. */
export function maskSecret(secret: JsonObject): JsonObject {
  const mask = secret['type'] === 'kubernetes.io/dockerconfigjson' ? `{"mask":"${PLACEHOLDER}"}` : PLACEHOLDER;
  const { data, stringData } = secret;
  return {
    ...secret,
    ...(isJsonObject(data) ? { data: mapValues(data, () => Buffer.from(mask).toString('base64')) } : {}),
    ...(isJsonObject(stringData) ? { stringData: mapValues(stringData, () => mask) } : {}),
  };
}

function mapValues(object: JsonObject, change: (value: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
}
