import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { parseYaml } from '../../text/yaml/index.ts';
import { isJsonObject } from '../objects/index.ts';

/** The parts of a kubeconfig that one context points at, names resolved, file paths absolute. */
export interface KubeconfigContext {
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  readonly namespace: string;
}

export interface KubeconfigCluster {
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

const FILE_FIELDS = ['client-certificate', 'client-key', 'tokenFile', 'certificate-authority'] as const;

/**
 * Reads a kubeconfig and picks a context; no context means the current one. `folder` is what relative paths start from.
 * Nothing but the text is read.
 *
 * @throws SottoError KUBECONFIG_INVALID, KUBECONFIG_CONTEXT_UNKNOWN; neither quotes the text, which holds credentials
 */
export function parseKubeconfig(
  text: string,
  options: { readonly context?: string; readonly file?: string; readonly folder: string },
): KubeconfigContext {
  const at = options.file === undefined ? {} : { at: { file: options.file } };
  const config = parse(text, at);
  const name = options.context ?? textOf(config['current-context']);
  const context = entry(config, 'contexts', 'context', name);
  const cluster = context && entry(config, 'clusters', 'cluster', textOf(context['cluster']));
  if (context === undefined || cluster === undefined) {
    const names = listOf(config, 'contexts').map((item) => textOf(item['name']));
    throw new SottoError('KUBECONFIG_CONTEXT_UNKNOWN', `the kubeconfig has no usable context "${name}"`, {
      ...at,
      hint: names.length === 0 ? 'it has no contexts at all' : `contexts: ${names.join(', ')}`,
    });
  }
  if (!URL.canParse(textOf(cluster['server']))) {
    throw new SottoError('KUBECONFIG_INVALID', `the server of kubeconfig context "${name}" is no URL`, at);
  }
  const user = entry(config, 'users', 'user', textOf(context['user'])) ?? {};
  const namespace = textOf(context['namespace']);
  return {
    cluster: absolute(cluster, options.folder) as unknown as KubeconfigCluster,
    user: absolute(user, options.folder),
    namespace: namespace === '' ? 'default' : namespace,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function parse(text: string, at: object): Fields {
  const invalid = new SottoError('KUBECONFIG_INVALID', 'the kubeconfig cannot be parsed', at);
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

function listOf(config: Fields, list: string): Fields[] {
  const items = config[list];
  return Array.isArray(items) ? items.filter(isJsonObject) : [];
}

function entry(config: Fields, list: string, field: string, name: string): Fields | undefined {
  const value = listOf(config, list).find((item) => item['name'] === name)?.[field];
  return isJsonObject(value) ? value : undefined;
}

function absolute(fields: Fields, folder: string): Fields {
  const paths = FILE_FIELDS.flatMap((field) => {
    const path = fields[field];
    return typeof path === 'string' && path !== '' ? [[field, resolve(folder, path)]] : [];
  });
  const { exec } = fields;
  const command = isJsonObject(exec) ? exec['command'] : undefined;
  // A plugin without a slash is looked up in PATH.
  const program =
    typeof command === 'string' && command.includes('/') ? { exec: { ...(exec as Fields), command: resolve(folder, command) } } : {};
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

/** The folder that relative paths in a kubeconfig file start from. */
export function folderOf(file: string, world: World): string {
  return dirname(resolve(world.cwd, file));
}
