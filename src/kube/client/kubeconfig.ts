import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import { isJsonObject } from '../objects/index.ts';

/** The parts of a kubeconfig that one context points at, names resolved, file paths absolute. */
export interface KubeconfigContext {
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  readonly namespace: string;
}

interface KubeconfigCluster {
  readonly server: string;
  readonly 'certificate-authority'?: string;
  readonly 'certificate-authority-data'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  readonly 'tls-server-name'?: string;
  readonly 'proxy-url'?: string;
}

export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-groups'?: readonly string[];
  readonly exec?: ExecConfig;
  readonly 'auth-provider'?: { readonly name?: string };
}

/** A credential plugin (client.authentication.k8s.io). */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly provideClusterInfo?: boolean;
}

/** The content of one kubeconfig file. */
export interface KubeconfigText {
  readonly text: string;
  /** For error positions. */
  readonly file?: string;
  /** What relative paths in it start from. */
  readonly folder: string;
}

const FILE_FIELDS = ['client-certificate', 'client-key', 'tokenFile', 'certificate-authority'] as const;
/** The lists of a kubeconfig, and the field of their items that holds the content. */
const LISTS = { contexts: 'context', clusters: 'cluster', users: 'user' } as const;

/**
 * Picks a context out of one kubeconfig, or several that are merged: of entries with the same name the first counts. No
 * context means the current one. Nothing but the texts is read.
 *
 * @throws SottoError KUBECONFIG_INVALID, KUBECONFIG_CONTEXT_UNKNOWN; neither quotes a text, which holds credentials
 */
export function parseKubeconfig(texts: readonly KubeconfigText[], wanted?: string): KubeconfigContext {
  const [first] = texts;
  const at = first?.file === undefined || texts.length > 1 ? {} : { at: { file: first.file } };
  const configs = texts.map(parse);
  const name = wanted ?? configs.map((config) => config.current).find((current) => current !== '') ?? '';
  const find = (list: keyof typeof LISTS, entry: unknown): Fields | undefined =>
    configs.map((config) => config[list].get(textOf(entry))).find((found) => found !== undefined);
  const context = find('contexts', name);
  const cluster = find('clusters', context?.['cluster']);
  if (context === undefined || cluster === undefined) {
    const names = [...new Set(configs.flatMap((config) => [...config.contexts.keys()]))];
    throw new SottoError('KUBECONFIG_CONTEXT_UNKNOWN', `the kubeconfig has no usable context "${name}"`, {
      ...at,
      hint: names.length === 0 ? 'it has no contexts at all' : `contexts: ${names.join(', ')}`,
    });
  }
  if (!URL.canParse(textOf(cluster['server']))) {
    throw new SottoError('KUBECONFIG_INVALID', `the server of kubeconfig context "${name}" is no URL`, at);
  }
  const namespace = textOf(context['namespace']);
  return {
    cluster: cluster as unknown as KubeconfigCluster,
    user: find('users', context['user']) ?? {},
    namespace: namespace === '' ? 'default' : namespace,
  };
}

type Fields = Readonly<Record<string, unknown>>;

type Parsed = Record<keyof typeof LISTS, ReadonlyMap<string, Fields>> & { readonly current: string };

function parse({ text, file, folder }: KubeconfigText): Parsed {
  const config = parseObject(text, file);
  const entries = (list: keyof typeof LISTS): ReadonlyMap<string, Fields> => {
    const found = new Map<string, Fields>();
    const items: unknown = config[list];
    for (const item of Array.isArray(items) ? items : []) {
      const content: unknown = isJsonObject(item) ? item[LISTS[list]] : undefined;
      const name = isJsonObject(item) ? textOf(item['name']) : '';
      if (isJsonObject(content) && !found.has(name)) found.set(name, absolute(content, folder));
    }
    return found;
  };
  return {
    contexts: entries('contexts'),
    clusters: entries('clusters'),
    users: entries('users'),
    current: textOf(config['current-context']),
  };
}

function parseObject(text: string, file: string | undefined): Fields {
  const invalid = new SottoError('KUBECONFIG_INVALID', 'the kubeconfig cannot be parsed', file === undefined ? {} : { at: { file } });
  try {
    const value = parseYaml(text, { profile: 'yaml11' })[0]?.value;
    if (isJsonObject(value)) return value;
  } catch {
    throw invalid; // a parser's message can quote a credential
  }
  throw invalid;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function absolute(fields: Fields, folder: string): Fields {
  const paths = FILE_FIELDS.flatMap((field) => {
    const path = fields[field];
    return typeof path === 'string' && path !== '' ? [[field, resolve(folder, path)]] : [];
  });
  const { exec } = fields;
  const command = isJsonObject(exec) ? textOf(exec['command']) : '';
  // A plugin without a slash is looked up in PATH.
  const program = command.includes('/') ? { exec: { ...(exec as Fields), command: resolve(folder, command) } } : {};
  return { ...fields, ...Object.fromEntries(paths), ...program };
}

/** A file that a kubeconfig, or the caller, names. */
export function readNamedFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SottoError('KUBECONFIG_FILE', `cannot read ${file}: ${codeOf(error)}`);
  }
}
