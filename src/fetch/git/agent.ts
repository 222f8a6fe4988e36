import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { passphraseAnswer } from './askpass.ts';
import { killGroup, runCommand } from './process.ts';
import type { GitCredentials } from './types.ts';

const KEY_LIFETIME_SECONDS = 3600;
const START_LIMIT_MS = 10_000;

export type SshCredentials = Extract<GitCredentials, { kind: 'ssh' }>;

/** Algorithms that ssh may use (flags --ssh-kex-algos and --ssh-hostkey-algos); absent: ssh's own choice. */
export interface SshAlgorithms {
  readonly keyExchange?: readonly string[];
  readonly hostKey?: readonly string[];
}

/** A private ssh-agent that holds one key. */
export interface SshSetup {
  /** Variables for git. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

interface SshOptions {
  readonly credentials: SshCredentials;
  /** A private directory, removed by the caller. */
  readonly directory: string;
  readonly askpass: string;
  readonly path: string;
  readonly algorithms?: SshAlgorithms;
  readonly world: World;
  readonly signal?: AbortSignal;
}

/**
 * Starts an ssh-agent for one fetch and loads the key into it from memory: the key is in no file, argument or
 * variable. Only the given known_hosts counts, strictly.
 *
 * @throws SottoError GIT_AUTHENTICATION when the key cannot be loaded, GIT_MISSING without OpenSSH
 */
export async function sshSetup(options: SshOptions): Promise<SshSetup> {
  const { credentials, directory, world } = options;
  const socket = join(directory, 'agent');
  const env = { PATH: options.path, HOME: directory, LC_ALL: 'C', SSH_AUTH_SOCK: socket };
  const agent = await world.outside(() => startAgent(socket, env, directory));
  try {
    await loadKey(options, env);
    const publicKey = await runCommand({ program: 'ssh-add', args: ['-L'], env, ...plain(directory) }, world, options.signal);
    await world.outside(async () => {
      await writeFile(join(directory, 'identity.pub'), publicKey.stdout, { mode: 0o600 });
      await writeFile(join(directory, 'known_hosts'), credentials.knownHosts, { mode: 0o600 });
    });
  } catch (error) {
    agent.close();
    throw error;
  }
  return { env: { SSH_AUTH_SOCK: socket, GIT_SSH_COMMAND: sshCommand(directory, options.algorithms ?? {}) }, close: () => agent.close() };
}

function plain(cwd: string): { cwd: string; timeoutMs: number; maxOutputBytes: number } {
  return { cwd, timeoutMs: START_LIMIT_MS, maxOutputBytes: 1024 * 1024 };
}

async function loadKey(options: SshOptions, env: Readonly<Record<string, string>>): Promise<void> {
  const { credentials, directory, world } = options;
  const added = await runCommand(
    {
      program: 'ssh-add',
      args: ['-q', '-t', String(KEY_LIFETIME_SECONDS), '-'],
      env: { ...env, SSH_ASKPASS: options.askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' },
      input: `${credentials.identity.reveal().trimEnd()}\n`,
      answer: passphraseAnswer(credentials.passphrase),
      ...plain(directory),
    },
    world,
    options.signal,
  );
  if (added.status !== 0) {
    throw new SottoError(
      'GIT_AUTHENTICATION',
      "the ssh 'identity' cannot be loaded: it is no private key, or 'password' does not open it",
      {
        retry: true,
      },
    );
  }
}

/**
 * Runs the agent around a program that ends when this process does, so that a crash leaves no agent behind. Its
 * first line is the agent's process id.
 */
function startAgent(socket: string, env: Readonly<Record<string, string>>, cwd: string): Promise<{ close(): void }> {
  return new Promise((resolve, reject) => {
    const script = 'echo "$SSH_AGENT_PID"; exec cat >/dev/null';
    const child = spawn('ssh-agent', ['-a', socket, 'sh', '-c', script], { env, cwd, stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    child.on('error', (cause) => {
      const isMissing = codeOf(cause) === 'ENOENT';
      reject(
        new SottoError(isMissing ? 'GIT_MISSING' : 'GIT_FAILED', 'ssh-agent could not be started', { hint: 'install OpenSSH', cause }),
      );
    });
    child.stdin.on('error', () => undefined); // it has ended already: nothing left to close
    child.stdout.once('data', (line: Buffer) => {
      const agent = Number(line.toString('latin1').trim());
      resolve({
        close: () => {
          child.stdin.end();
          if (Number.isInteger(agent) && agent > 1) stopProcess(agent);
          killGroup(child.pid);
        },
      });
    });
    child.once('exit', () => reject(new SottoError('GIT_FAILED', 'ssh-agent ended at once', { retry: true })));
  });
}

function stopProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    return; // it has ended by itself
  }
}

/** The ssh command line: no configuration, no questions, no forwarding, only our hosts and our key. */
export function sshCommand(directory: string, algorithms: SshAlgorithms): string {
  const options = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: quoted(join(directory, 'known_hosts')),
    GlobalKnownHostsFile: '/dev/null',
    UpdateHostKeys: 'no',
    IdentitiesOnly: 'yes',
    IdentityFile: quoted(join(directory, 'identity.pub')),
    PreferredAuthentications: 'publickey',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    ClearAllForwardings: 'yes',
    ForwardAgent: 'no',
    PermitLocalCommand: 'no',
    ProxyCommand: 'none',
    ControlMaster: 'no',
    ControlPath: 'none',
    CanonicalizeHostname: 'no',
    ...(algorithms.keyExchange === undefined ? {} : { KexAlgorithms: algorithms.keyExchange.join(',') }),
    ...(algorithms.hostKey === undefined ? {} : { HostKeyAlgorithms: algorithms.hostKey.join(',') }),
  };
  const args = Object.entries(options).map(([name, value]) => `-o '${name}=${value}'`);
  return `ssh -F /dev/null ${args.join(' ')}`;
}

function quoted(path: string): string {
  return `"${path}"`;
}
