import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';

import type { Sensitive } from '../../base/sensitive/index.ts';
import { SottoError } from '../../base/errors/index.ts';
import type { World } from '../../base/world/index.ts';
import { sshSetup, type SshAlgorithms } from './agent.ts';
import { ASKPASS_SCRIPT, credentialAnswers } from './askpass.ts';
import { secretDescriptors, type SecretDescriptors } from './descriptors.ts';
import { gitEnvironment, HARDENED_SETTINGS, settings } from './hardening.ts';
import { runCommand, type CommandResult } from './process.ts';
import type { GitRemote } from './types.ts';

const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024;

/** Runs git for one remote, from a private directory that {@link close} removes. */
export interface GitSession {
  /** The path of a bare repository to fetch into; `init` has to be run on it. */
  readonly store: string;
  /** The URL as git gets it. */
  readonly url: string;
  run(args: readonly string[], input?: string): Promise<CommandResult>;
  /** Text with our own secrets replaced by `***`. */
  redact(text: string): string;
  close(): Promise<void>;
}

export interface SessionOptions {
  readonly world: World;
  readonly signal?: AbortSignal;
  readonly timeoutMs: number;
  readonly ssh?: SshAlgorithms;
  /** Where private directories are made. Default: the system's temporary directory. */
  readonly directory?: string;
}

/** Prepares everything git needs for a remote: askpass, certificates, an agent. */
export async function openSession(remote: GitRemote, options: SessionOptions): Promise<GitSession> {
  const { world } = options;
  const directory = await world.outside(() => mkdtemp(join(options.directory ?? tmpdir(), `sotto-git-${process.pid}-`)));
  const closers: (() => void)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) closer();
    await world.outside(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  };
  try {
    const secrets = secretDescriptors();
    closers.push(() => secrets.close());
    const { env, arguments: own } = await prepare(remote, options, { directory, secrets, closers });
    const deadline = world.clock.monotonic() + options.timeoutMs;
    const run = (args: readonly string[], input?: string): Promise<CommandResult> =>
      runCommand(
        {
          program: 'git',
          args: [...HARDENED_SETTINGS, ...own, ...args],
          env,
          cwd: directory,
          answer: credentialAnswers(remote),
          descriptors: secrets.numbers,
          timeoutMs: Math.max(1, deadline - world.clock.monotonic()),
          maxOutputBytes: MAX_OUTPUT_BYTES,
          ...(input === undefined ? {} : { input }),
        },
        world,
        options.signal,
      );
    return { store: join(directory, 'store.git'), url: addressOf(remote), run, redact: redactor(remote), close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Workshop {
  readonly directory: string;
  readonly secrets: SecretDescriptors;
  readonly closers: (() => void)[];
}

async function prepare(
  remote: GitRemote,
  options: SessionOptions,
  { directory, secrets, closers }: Workshop,
): Promise<{ env: Record<string, string>; arguments: string[] }> {
  const { world } = options;
  const home = join(directory, 'home');
  const askpass = join(directory, 'askpass');
  await world.outside(async () => {
    await mkdir(home, { mode: 0o700 });
    await writeFile(askpass, ASKPASS_SCRIPT, { mode: 0o700 });
  });
  const own = await transportSettings(remote, directory, secrets, world);
  const globalConfig = remote.credentials?.kind === 'bearer' ? await bearerConfig(remote.credentials.token, secrets, world) : undefined;
  const base = { home, askpass, ...(globalConfig === undefined ? {} : { globalConfig }) };
  if (remote.credentials?.kind !== 'ssh') return { env: gitEnvironment(world.env, base), arguments: own };
  if (remote.proxy !== undefined) throw new SottoError('GIT_UNSUPPORTED', 'a proxy for git over ssh is not supported');
  const ssh = await sshSetup({
    credentials: remote.credentials,
    directory,
    askpass,
    path: world.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    world,
    ...(options.ssh === undefined ? {} : { algorithms: options.ssh }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  closers.push(() => ssh.close());
  return { env: gitEnvironment(world.env, { ...base, ssh: ssh.env }), arguments: own };
}

/** A configuration whose only content is the header. Such a header would follow a redirect: there must be none. */
function bearerConfig(token: Sensitive<string>, secrets: SecretDescriptors, world: World): Promise<string> {
  const header = token.map((text) => `[http]\n\textraHeader = "Authorization: Bearer ${text.replaceAll(/["\\]/g, String.raw`\$&`)}"\n`);
  return world.outside(() => secrets.add(header));
}

async function transportSettings(remote: GitRemote, directory: string, secrets: SecretDescriptors, world: World): Promise<string[]> {
  const values: Record<string, string> = {};
  if (remote.credentials?.kind === 'bearer') values['http.followRedirects'] = 'false';
  if (remote.proxy !== undefined) values['http.proxy'] = proxyAddress(remote.proxy);
  const { authorities, certificate } = remote.tls ?? {};
  if (authorities !== undefined) {
    values['http.sslCAInfo'] = join(directory, 'ca.crt');
    // git replaces the system's authorities by this file, but a Secret's are an addition to them.
    const all = [...systemAuthorities(), authorities].join('\n');
    await world.outside(() => writeFile(join(directory, 'ca.crt'), all, { mode: 0o600 }));
  }
  if (certificate !== undefined) {
    values['http.sslCert'] = join(directory, 'tls.crt');
    values['http.sslKey'] = await world.outside(() => secrets.add(certificate.key));
    await world.outside(() => writeFile(join(directory, 'tls.crt'), certificate.chain, { mode: 0o600 }));
  }
  return settings(values);
}

function systemAuthorities(): readonly string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('bundled');
}

/** With a user name in it git asks for the password. */
function proxyAddress(proxy: NonNullable<GitRemote['proxy']>): string {
  const url = new URL(proxy.address);
  url.username = proxy.username ?? '';
  url.password = '';
  return url.href.replace(/\/$/, '');
}

/** A URL without a password; for ssh with its user. */
function addressOf(remote: GitRemote): string {
  const url = URL.parse(remote.url);
  if (url === null) return remote.url;
  url.password = '';
  if (url.protocol === 'ssh:') url.username ||= 'git';
  else url.username = '';
  return url.href;
}

function redactor(remote: GitRemote): (text: string) => string {
  const { credentials } = remote;
  const secrets = [
    credentials?.kind === 'basic' ? credentials.password.reveal() : '',
    credentials?.kind === 'bearer' ? credentials.token.reveal() : '',
    remote.proxy?.password?.reveal() ?? '',
  ].filter((text) => text !== '');
  return (text) => secrets.reduce((result, secret) => result.replaceAll(secret, '***'), text);
}
