import { spawn } from 'node:child_process';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { isJsonObject, parseJson } from '../objects/index.ts';
import type { ExecConfig } from './kubeconfig.ts';

/** What a way of logging in yields; it replaces what the kubeconfig says inline. */
export interface Login {
  readonly headers: Readonly<Record<string, string>>;
  readonly cert?: string;
  readonly key?: string;
}

const LONGEST_RUN_MS = 60_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;
const DEFAULT_VERSION = 'client.authentication.k8s.io/v1';

/** Credentials of a plugin, kept until they expire (client.authentication.k8s.io, without a terminal). */
export function execLogin(config: ExecConfig, server: string, world: World): () => Promise<Login> {
  let current: { readonly login: Login; readonly expires: number } | undefined;
  return async () => {
    if (current === undefined || world.clock.now() >= current.expires) {
      current = loginFrom(await world.outside(() => run(config, server, world)), config);
    }
    return current.login;
  };
}

function loginFrom(output: string, config: ExecConfig): { login: Login; expires: number } {
  const status = statusOf(output);
  const text = (field: string): string | undefined => (typeof status?.[field] === 'string' ? status[field] : undefined);
  const [token, cert, key] = [text('token'), text('clientCertificateData'), text('clientKeyData')];
  if (token === undefined && (cert === undefined || key === undefined))
    throw failed(config, 'it printed no ExecCredential with a token or a key pair');
  const expires = Date.parse(text('expirationTimestamp') ?? '');
  return {
    login: {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
    expires: Number.isNaN(expires) ? Infinity : expires,
  };
}

function statusOf(output: string): Record<string, unknown> | undefined {
  try {
    const credential = parseJson(output);
    return isJsonObject(credential) && isJsonObject(credential['status']) ? credential['status'] : undefined;
  } catch {
    return undefined; // the output may hold a token: only its absence is reported
  }
}

/** Runs the plugin; what it prints on stderr may hold a token and goes nowhere. */
function run(config: ExecConfig, server: string, world: World): Promise<string> {
  const { command = '', args = [], env } = config;
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: {
        ...world.env,
        ...Object.fromEntries((env ?? []).map(({ name, value }) => [name, value])),
        KUBERNETES_EXEC_INFO: execInfo(config, server),
      },
    });
    const limit = world.clock.after(LONGEST_RUN_MS, () => child.kill('SIGKILL'));
    const output: Buffer[] = [];
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      else output.push(chunk);
    });
    child.on('error', (error) => {
      limit.cancel();
      reject(failed(config, codeOf(error)));
    });
    child.on('close', (code, signal) => {
      limit.cancel();
      if (code === 0) resolve(Buffer.concat(output).toString('utf8'));
      else reject(failed(config, code === null ? `it was ended by ${signal}` : `it ended with exit status ${code}`));
    });
  });
}

function execInfo({ apiVersion = DEFAULT_VERSION, provideClusterInfo }: ExecConfig, server: string): string {
  const cluster = provideClusterInfo === true ? { cluster: { server } } : {};
  return JSON.stringify({ kind: 'ExecCredential', apiVersion, spec: { interactive: false, ...cluster } });
}

function failed({ command = '' }: ExecConfig, why: string): SottoError {
  return new SottoError('KUBECONFIG_PLUGIN', `the credential plugin ${command} failed: ${why}`, {
    hint: 'run the plugin by hand to see what it prints',
    retry: true,
  });
}
