import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Sensitive } from '../../base/sensitive/index.ts';
import { systemWorld, type World } from '../../base/world/index.ts';
import { credentialAnswers } from './askpass.ts';
import { gitProgramFetcher, localFetcher, serveRepository, type GitRemote, type RepositoryServer } from './index.ts';
import { contentOf, temporaryDirectories, testRepository, type TestRepository } from './repository.fixture.ts';
import { openSession } from './session.ts';

const temporary = temporaryDirectories();
let repository: TestRepository;
let server: RepositoryServer;

beforeAll(async () => {
  repository = testRepository(join(temporary.make(), 'fleet'));
  repository.commit({ 'a.txt': 'one\n' }, 'first');
  server = await serveRepository(repository.directory, { world: systemWorld() });
});
afterAll(async () => {
  await server.close();
  temporary.remove();
});

/** The real world with another environment. */
function worldWith(env: Readonly<Record<string, string>>): World {
  return { ...systemWorld(), env: { PATH: process.env['PATH'], ...env } };
}

/** A script that leaves a mark when it is run. */
function trap(): { script: string; mark: string } {
  const directory = temporary.make();
  const [script, mark] = [join(directory, 'trap'), join(directory, 'mark')];
  writeFileSync(script, `#!/bin/sh\ntouch '${mark}'\ncat\n`);
  chmodSync(script, 0o755);
  return { script, mark };
}

/** A `git` on PATH that writes down arguments, environment and any file with the canary, then runs the real one. */
function recordingGit(): { world: World; log: () => string } {
  const directory = temporary.make();
  const log = join(directory, 'log');
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  const lines = [
    '#!/bin/sh',
    `{ echo "ARGS $*"; env; ls -ld . ; grep -rl CANARY . 2>/dev/null | sed 's/^/LEAK /'; } >> '${log}'`,
    `exec '${real}' "$@"`,
  ];
  writeFileSync(join(directory, 'git'), `${lines.join('\n')}\n`);
  chmodSync(join(directory, 'git'), 0o755);
  return {
    world: worldWith({ PATH: `${directory}:${process.env['PATH']}`, CLOUD_SECRET: 'CANARY-environment', GIT_DIR: '/nowhere' }),
    log: () => readFileSync(log, 'utf8'),
  };
}

describe('the git program is hardened', () => {
  it('no system or user configuration is read, nor GIT_ variables', async () => {
    const home = temporary.make();
    const config = `[url "http://127.0.0.1:1/"]\n\tinsteadOf = ${new URL(server.url).origin}/\n`;
    mkdirSync(join(home, 'git'));
    for (const path of ['.gitconfig', 'git/config', 'other']) writeFileSync(join(home, path), config);
    const world = worldWith({
      HOME: home,
      XDG_CONFIG_HOME: home,
      GIT_CONFIG_GLOBAL: join(home, 'other'),
      GIT_CONFIG_SYSTEM: join(home, 'other'),
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'url.http://127.0.0.1:1/.insteadOf',
      GIT_CONFIG_VALUE_0: `${new URL(server.url).origin}/`,
    });
    // The same configuration breaks an ordinary git.
    expect(() => execFileSync('git', ['ls-remote', server.url], { env: world.env, stdio: 'ignore' })).toThrow();
    const fetched = await gitProgramFetcher({ world }).fetch({ url: server.url }, { branch: 'main' }, {});
    expect(contentOf(fetched.tree)).toEqual({ 'a.txt': 'one\n' });
  });

  it('no hooks run: neither of a template nor of a local repository', async () => {
    const { script, mark } = trap();
    const template = temporary.make();
    mkdirSync(join(template, 'hooks'));
    const hooks = ['reference-transaction', 'post-checkout', 'post-merge', 'pre-auto-gc', 'fsmonitor-watchman'];
    for (const hook of hooks) writeFileSync(join(template, 'hooks', hook), readFileSync(script), { mode: 0o755 });
    const world = worldWith({ GIT_TEMPLATE_DIR: template });
    await gitProgramFetcher({ world }).fetch({ url: server.url }, { branch: 'main' }, {});
    const trapped = testRepository(join(temporary.make(), 'trapped'));
    trapped.commit({ a: 'b' });
    for (const hook of hooks) writeFileSync(join(trapped.directory, '.git/hooks', hook), readFileSync(script), { mode: 0o755 });
    trapped.git('config', 'core.fsmonitor', script);
    await localOf(trapped, world).fetch({ url: 'http://local' }, { branch: 'main' }, {});
    expect(existsSync(mark)).toBe(false);
    // The trap works: an ordinary git runs it.
    trapped.git('update-ref', 'refs/heads/other', 'HEAD');
    expect(existsSync(mark)).toBe(true);
  });

  it('no filters, LFS or attributes: files are what the repository holds', async () => {
    const { script, mark } = trap();
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n';
    const filtered = testRepository(join(temporary.make(), 'filtered'));
    const attributes =
      '*.txt filter=evil\n*.bin filter=lfs diff=lfs merge=lfs -text\n*.ver export-subst\n*.hid export-ignore\n*.crlf eol=crlf\n';
    const files = {
      '.gitattributes': attributes,
      'a.txt': 'raw',
      'b.bin': pointer,
      'c.ver': '$Format:%H$',
      'd.hid': 'kept',
      'e.crlf': 'x\ny\n',
    };
    filtered.commit(files);
    for (const name of ['evil', 'lfs']) {
      filtered.git('config', `filter.${name}.smudge`, script);
      filtered.git('config', `filter.${name}.process`, script);
      filtered.git('config', `filter.${name}.required`, 'true');
    }
    const lfs = temporary.make();
    writeFileSync(join(lfs, 'git-lfs'), readFileSync(script), { mode: 0o755 });
    const world = worldWith({ PATH: `${lfs}:${process.env['PATH']}` });
    const filteredServer = await serveRepository(filtered.directory, { world });
    try {
      const remote = await gitProgramFetcher({ world }).fetch({ url: filteredServer.url }, { branch: 'main' }, {});
      const local = await localOf(filtered, world).fetch({ url: 'http://local' }, { branch: 'main' }, {});
      for (const { tree } of [remote, local]) expect(contentOf(tree)).toEqual(files);
    } finally {
      await filteredServer.close();
    }
    expect(existsSync(mark)).toBe(false);
  });

  it.each([
    ['a local path', '/etc'],
    ['file', 'file:///etc'],
    ['git', 'git://127.0.0.1/x'],
    ['ftp', 'ftp://127.0.0.1/x'],
    ['a command', 'ext::sh -c touch% MARK'],
    ['scp style', 'git@127.0.0.1:x'],
    ['an option', '--upload-pack=touch MARK'],
  ])('only http, https and ssh are fetched from: %s is refused by Sotto and by git', async (_name, url) => {
    const mark = join(temporary.make(), 'mark');
    const named = url.replace('MARK', mark);
    await expect(gitProgramFetcher({ world: systemWorld() }).listRefs({ url: named })).rejects.toMatchObject({ code: 'GIT_PROTOCOL' });
    const session = await openSession({ url: server.url }, { world: systemWorld(), timeoutMs: 10_000 });
    try {
      const { status } = await session.run(['ls-remote', '--', named]);
      expect(status).not.toBe(0);
      expect(existsSync(mark)).toBe(false);
    } finally {
      await session.close();
    }
  });

  it('GIT-05: URLs stand after `--`, the environment is ours alone, and directories are private', async () => {
    const { world, log } = recordingGit();
    const fetcher = gitProgramFetcher({ world });
    await fetcher.listRefs({ url: server.url });
    for (const reference of [{ branch: 'main' }, { commit: repository.git('rev-parse', 'HEAD') }])
      await fetcher.fetch({ url: server.url }, reference, {});
    const recorded = log();
    const remote = recorded.split('\n').filter((line) => line.startsWith('ARGS') && line.includes(server.url));
    expect(remote).toHaveLength(3);
    for (const line of remote) expect(line).toContain(` -- ${server.url}`);
    // GIT-05: one commit deep for a branch, full history for a commit, no tags for either.
    expect(remote.map((line) => [line.includes(' --depth=1 '), line.includes(' --no-tags ')])).toEqual([
      [false, false],
      [true, true],
      [false, true],
    ]);
    expect(recorded).not.toContain('CANARY');
    expect(recorded).not.toContain('GIT_DIR=');
    expect(recorded).toContain('GIT_TERMINAL_PROMPT=0\n');
    expect(recorded).toContain('GIT_CONFIG_NOSYSTEM=1\n');
    expect(recorded).toMatch(/GIT_ALLOW_PROTOCOL=http:https:ssh\n/);
    for (const line of recorded.split('\n').filter((text) => /^d.* \.$/.test(text))) expect(line).toMatch(/^drwx------/);
  });

  it.each(['basic', 'bearer'] as const)('%s credentials are in no argument, variable or file', async (kind) => {
    const secret = new Sensitive('CANARY-password');
    const auth = kind === 'basic' ? ({ kind, username: 'robot', password: secret } as const) : ({ kind, token: secret } as const);
    const guarded = await serveRepository(repository.directory, { world: systemWorld(), auth });
    const { world, log } = recordingGit();
    try {
      const fetched = await gitProgramFetcher({ world }).fetch({ url: guarded.url, credentials: auth }, { branch: 'main' }, {});
      expect(contentOf(fetched.tree)).toEqual({ 'a.txt': 'one\n' });
    } finally {
      await guarded.close();
    }
    expect(log()).toContain('ARGS');
    expect(log()).not.toContain('CANARY');
  });

  it('a server cannot make git ask a user', async () => {
    const guarded = await serveRepository(repository.directory, {
      world: systemWorld(),
      auth: { kind: 'basic', username: 'u', password: new Sensitive('p') },
    });
    try {
      const fetcher = gitProgramFetcher({ world: worldWith({ GIT_ASKPASS: '/bin/echo', SSH_ASKPASS: '/bin/echo', DISPLAY: ':0' }) });
      await expect(fetcher.listRefs({ url: guarded.url })).rejects.toMatchObject({
        code: 'GIT_AUTHENTICATION',
        message: `unable to list remote for '${guarded.url}': authentication required`,
      });
    } finally {
      await guarded.close();
    }
  });

  it.each(['basic', 'bearer'] as const)('a redirect to another host does not carry %s credentials away', async (kind) => {
    const seen: (string | undefined)[] = [];
    const thief = await listen((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
    });
    const honest = await listen((request, response) => {
      response.writeHead(302, { location: `${thief.url}${request.url ?? ''}` }).end();
    });
    try {
      const credentials =
        kind === 'basic'
          ? ({ kind, username: 'u', password: new Sensitive('p') } as const)
          : ({ kind, token: new Sensitive('t') } as const);
      const fetcher = gitProgramFetcher({ world: systemWorld() });
      await expect(fetcher.listRefs({ url: `${honest.url}/x.git`, credentials })).rejects.toThrow();
      // Basic follows the redirect and brings nothing along; with a bearer token git does not follow at all.
      expect(seen).toEqual(kind === 'basic' ? [undefined] : []);
    } finally {
      thief.server.close();
      honest.server.close();
    }
  });

  it('what a server says does not get into messages, and our secrets neither', async () => {
    const echoing = await listen((_request, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end('token CANARY was refused');
    });
    try {
      const credentials = { kind: 'bearer', token: new Sensitive('CANARY') } as const;
      const failure = await gitProgramFetcher({ world: systemWorld() })
        .listRefs({ url: `${echoing.url}/x.git`, credentials })
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'GIT_FAILED', message: expect.stringContaining('500') as string });
      expect(String(failure)).not.toContain('CANARY');
    } finally {
      echoing.server.close();
    }
  });

  it('a hand-made tree with a name that leaves the root is refused', async () => {
    const crafted = testRepository(join(temporary.make(), 'crafted'));
    crafted.commit({ a: 'b' });
    const blob = crafted.git('rev-parse', 'HEAD:a');
    const entry = Buffer.concat([Buffer.from('100644 ..\0'), Buffer.from(blob, 'hex')]);
    const tree = execFileSync('git', ['hash-object', '-t', 'tree', '-w', '--literally', '--stdin'], {
      cwd: crafted.directory,
      input: entry,
      encoding: 'utf8',
    }).trim();
    crafted.git('update-ref', 'refs/heads/bad', crafted.git('commit-tree', tree, '-m', 'bad'));
    await expect(localOf(crafted, systemWorld()).fetch({ url: 'http://local' }, { branch: 'bad' }, {})).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: 'the repository holds a file with the invalid name ".."',
    });
  });

  it('replacement objects are not followed', async () => {
    const replaced = testRepository(join(temporary.make(), 'replaced'));
    const first = replaced.commit({ a: 'true' });
    replaced.commit({ a: 'false' });
    replaced.git('replace', first, 'HEAD');
    const { tree } = await localOf(replaced, systemWorld()).fetch({ url: 'http://local' }, { commit: first }, {});
    expect(contentOf(tree)).toEqual({ a: 'true' });
  });
});

describe('credentialAnswers', () => {
  const remote: GitRemote = {
    url: 'https://git.example:8443/x.git',
    credentials: { kind: 'basic', username: 'u@corp', password: new Sensitive('p') },
    proxy: { address: 'http://proxy:3128', username: 'pu', password: new Sensitive('pp') },
  };
  it.each([
    ["Username for 'https://git.example:8443': ", '=u@corp'],
    ["Password for 'https://u%40corp@git.example:8443': ", '=p'],
    ["Password for 'http://pu@proxy:3128': ", '=pp'],
    ["Password for 'https://git.example': ", '!'],
    ["Password for 'http://git.example:8443': ", '!'],
    ["Password for 'https://git.example:8443@evil.example': ", '!'],
    ["Enter passphrase for key '/x': ", '!'],
    ['', '!'],
  ])('%j is answered with %j', (question, answer) => {
    expect(credentialAnswers(remote)(question)).toBe(answer);
  });
});

function localOf({ directory }: TestRepository, world: World): ReturnType<typeof localFetcher> {
  return localFetcher(() => directory, gitProgramFetcher({ world }), { world });
}

async function listen(handler: Parameters<typeof createServer>[1]): Promise<{ server: Server; url: string }> {
  const created = createServer(handler);
  await new Promise<void>((resolve) => created.listen(0, '127.0.0.1', resolve));
  return { server: created, url: `http://127.0.0.1:${(created.address() as AddressInfo).port}` };
}
