import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemWorld } from '../../base/world/index.ts';
import { sshCommand, sshSetup, type SshCredentials } from './agent.ts';
import { ASKPASS_SCRIPT } from './askpass.ts';
import { gitProgramFetcher } from './index.ts';
import { contentOf, temporaryDirectories, testRepository } from './repository.fixture.ts';

const temporary = temporaryDirectories();
afterAll(() => temporary.remove());

const has = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const sshd = [process.env['SSHD'] ?? '', '/usr/sbin/sshd', '/usr/local/sbin/sshd'].find((path) => path !== '' && existsSync(path));
const hasClient = ['ssh', 'ssh-agent', 'ssh-add', 'ssh-keygen'].every(has);

function newKey(passphrase = '', type = 'ed25519'): { identity: string; publicKey: string } {
  const path = join(temporary.make(), 'key');
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', path]);
  return { identity: readFileSync(path, 'utf8'), publicKey: readFileSync(`${path}.pub`, 'utf8') };
}

describe.skipIf(!hasClient)('the private ssh-agent (needs OpenSSH client programs)', () => {
  const setup = async (credentials: SshCredentials): Promise<{ keys: string; env: Readonly<Record<string, string>> }> => {
    const directory = temporary.make();
    writeFileSync(join(directory, 'askpass'), ASKPASS_SCRIPT, { mode: 0o700 });
    const path = process.env['PATH'] ?? '';
    const agent = await sshSetup({ credentials, directory, askpass: join(directory, 'askpass'), path, world: systemWorld() });
    try {
      const keys = execFileSync('ssh-add', ['-L'], { env: { PATH: path, ...agent.env }, encoding: 'utf8' });
      const texts = readdirSync(directory, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => readFileSync(join(directory, name), 'utf8'));
      expect(texts).toHaveLength(3);
      expect(texts.join('\n')).not.toMatch(/PRIVATE KEY|CANARY/);
      return { keys, env: agent.env };
    } finally {
      agent.close();
    }
  };

  it('GIT-07: holds the key, which is in no file, and ends with the fetch', async () => {
    const { identity, publicKey } = newKey();
    const { keys, env } = await setup({ kind: 'ssh', identity: new Sensitive(identity.trimEnd()), knownHosts: '' });
    expect(keys.trim()).toBe(publicKey.trim());
    expect(JSON.stringify(env)).not.toContain('PRIVATE');
    expect(() => execFileSync('ssh-add', ['-L'], { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' })).toThrow();
  });

  it('GIT-07: opens an encrypted key with the passphrase, which is in no file or variable', async () => {
    const { identity, publicKey } = newKey('CANARY pass"phrase');
    const credentials = {
      kind: 'ssh',
      identity: new Sensitive(identity),
      passphrase: new Sensitive('CANARY pass"phrase'),
      knownHosts: '',
    } as const;
    const { keys } = await setup(credentials);
    expect(keys.split(' ')[1]).toBe(publicKey.split(' ')[1]);
    const wrong = { ...credentials, passphrase: new Sensitive('other') };
    await expect(setup(wrong)).rejects.toMatchObject({ code: 'GIT_AUTHENTICATION' });
    const { passphrase: _, ...none } = credentials;
    await expect(setup(none)).rejects.toMatchObject({ code: 'GIT_AUTHENTICATION' });
    await expect(setup({ kind: 'ssh', identity: new Sensitive('no key'), knownHosts: '' })).rejects.toMatchObject({
      code: 'GIT_AUTHENTICATION',
    });
  });

  it('GIT-14: ssh takes no configuration, only our hosts and our key, and the algorithms it is told', () => {
    const command = sshCommand('/private', { keyExchange: ['curve25519-sha256'], hostKey: ['ssh-ed25519', 'rsa-sha2-512'] });
    const shown = execFileSync('sh', ['-c', `${command} -G host.example`], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: '/nonexistent' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const settings = new Map(shown.split('\n').map((line) => [line.split(' ')[0], line.slice(line.indexOf(' ') + 1)]));
    expect(Object.fromEntries([...settings].filter(([name]) => EXPECTED[name ?? ''] !== undefined))).toEqual(EXPECTED);
  });
});

const EXPECTED: Readonly<Record<string, string>> = {
  stricthostkeychecking: 'true',
  userknownhostsfile: '/private/known_hosts',
  globalknownhostsfile: '/dev/null',
  identitiesonly: 'yes',
  identityfile: '/private/identity.pub',
  passwordauthentication: 'no',
  kbdinteractiveauthentication: 'no',
  forwardagent: 'no',
  permitlocalcommand: 'no',
  updatehostkeys: 'false',
  batchmode: 'yes',
  kexalgorithms: 'curve25519-sha256',
  hostkeyalgorithms: 'ssh-ed25519,rsa-sha2-512',
};

describe.skipIf(sshd === undefined || !hasClient)('git over ssh (needs sshd)', () => {
  const clientKey = hasClient ? newKey() : { identity: '', publicKey: '' };
  let server: ChildProcess;
  let url: string;
  let knownHosts: string;
  let commit: string;
  const fetcher = gitProgramFetcher({ world: systemWorld() });

  beforeAll(async () => {
    const directory = temporary.make();
    chmodSync(directory, 0o700);
    const repository = testRepository(join(directory, 'fleet'));
    commit = repository.commit({ 'a.yaml': 'over ssh' });
    const port = await freePort();
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'host')]);
    writeFileSync(join(directory, 'authorized_keys'), clientKey.publicKey, { mode: 0o600 });
    const lines = [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(directory, 'host')}`,
      `AuthorizedKeysFile ${join(directory, 'authorized_keys')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'PermitRootLogin yes',
      `PidFile ${join(directory, 'pid')}`,
    ];
    writeFileSync(join(directory, 'config'), `${lines.join('\n')}\n`);
    if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
    server = spawn(sshd ?? '', ['-D', '-e', '-f', join(directory, 'config')], { stdio: ['ignore', 'ignore', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      let output = '';
      server.stderr?.on('data', (text: Buffer) => {
        output += text.toString();
        if (output.includes('listening')) resolve();
      });
      server.once('exit', () => reject(new Error(output)));
    });
    const [type, key] = readFileSync(join(directory, 'host.pub'), 'utf8').split(' ');
    knownHosts = `[127.0.0.1]:${port} ${type} ${key}\n`;
    url = `ssh://${userInfo().username}@127.0.0.1:${port}${repository.directory}`;
  });
  afterAll(() => {
    server.kill();
  });

  it('GIT-07/GIT-14: fetches with the key when the host key is the known one', async () => {
    const credentials = { kind: 'ssh', identity: new Sensitive(clientKey.identity), knownHosts } as const;
    const fetched = await fetcher.fetch({ url, credentials }, { branch: 'main' }, {});
    expect(fetched.commit).toBe(commit);
    expect(contentOf(fetched.tree)).toEqual({ 'a.yaml': 'over ssh' });
  });

  it('GIT-14: refuses a host that is not known or has another key', async () => {
    const identity = new Sensitive(clientKey.identity);
    const other = `${knownHosts.split(' ')[0]} ${newKey().publicKey.split(' ').slice(0, 2).join(' ')}\n`;
    for (const hosts of ['# none\n', other]) {
      const credentials = { kind: 'ssh', identity, knownHosts: hosts } as const;
      await expect(fetcher.fetch({ url, credentials }, { branch: 'main' }, {})).rejects.toMatchObject({ code: 'GIT_HOST_KEY' });
    }
  });

  it('GIT-07: a key that the server does not know is refused', async () => {
    const credentials = { kind: 'ssh', identity: new Sensitive(newKey().identity), knownHosts } as const;
    await expect(fetcher.listRefs({ url, credentials })).rejects.toMatchObject({ code: 'GIT_AUTHENTICATION' });
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
