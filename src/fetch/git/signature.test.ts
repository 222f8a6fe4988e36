import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { codeOf } from '../../base/errors/index.ts';
import { systemWorld } from '../../base/world/index.ts';
import { gitProgramFetcher, localFetcher, memoryGitFetcher, serveRepository } from './index.ts';
import { temporaryDirectories, testRepository, type TestRepository } from './repository.fixture.ts';
import { signedCommit, signedTag, verifySignature } from './signature.ts';
import { parseAuthorizedKeys, verifySshSignature } from './sshsignature.ts';

const world = systemWorld();
const temporary = temporaryDirectories();
afterAll(() => temporary.remove());
const bytes = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'signatures.fixture', name));
const text = (name: string): string => bytes(name).toString('utf8');
const ssh = (...names: readonly string[]): Map<string, string> => new Map(names.map((name) => [`${name}.sshpub`, text(`key-${name}`)]));
const pgp = (...names: readonly string[]): Map<string, string> => new Map(names.map((name) => [`${name}.asc`, text(`key-${name}`)]));

describe('verifySignature', () => {
  it.each(['ed25519', 'rsa', 'ecdsa256', 'ecdsa384', 'ecdsa521'])('GIT-09: a commit signed by ssh with %s', async (name) => {
    const id = await verifySignature(signedCommit(bytes(`commit-${name}`)), ssh(name), world);
    if (['ed25519', 'rsa', 'ecdsa256'].includes(name)) expect(id).toBe(text(`id-${name}`).trim());
    else expect(id).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
  });

  it.each(['pgprsa', 'pgped'])('GIT-09: a commit signed by gpg with %s', async (name) => {
    const id = await verifySignature(signedCommit(bytes(`commit-${name}`)), pgp('pgprsa', 'pgped'), world);
    expect(id).toBe(text(`id-${name}`).trim().slice(-16));
  });

  it('GIT-09: tags signed by ssh and by gpg; a key without a known suffix is PGP', async () => {
    expect(await verifySignature(signedTag(bytes('tag-ssh')), ssh('ed25519'), world)).toBe(text('id-ed25519').trim());
    const keys = new Map([['author', text('key-pgped')]]);
    expect(await verifySignature(signedTag(bytes('tag-pgp')), keys, world)).toBe(text('id-pgped').trim().slice(-16));
  });

  const refused: readonly (readonly [string, () => Promise<string>, string])[] = [
    ['no signature', () => verifySignature(signedCommit(bytes('commit-unsigned')), ssh('ed25519'), world), 'it is not signed'],
    [
      'an SSH key that is not trusted',
      () => verifySignature(signedCommit(bytes('commit-rsa')), ssh('ed25519'), world),
      'a key that is not among the public keys',
    ],
    [
      'a PGP key that is not trusted',
      () => verifySignature(signedCommit(bytes('commit-pgprsa')), pgp('pgped'), world),
      'unable to verify payload',
    ],
    [
      'an SSH signature and only PGP keys',
      () => verifySignature(signedCommit(bytes('commit-rsa')), pgp('pgped'), world),
      'no SSH public keys found in secret',
    ],
    [
      'a PGP signature and only SSH keys',
      () => verifySignature(signedCommit(bytes('commit-pgped')), ssh('rsa'), world),
      'no PGP public keys found in secret',
    ],
    [
      'another kind of signature',
      () => verifySignature({ payload: bytes('tag-ssh'), signature: '-----BEGIN SIGNED MESSAGE-----' }, ssh('rsa'), world),
      'unsupported signature type',
    ],
    [
      'a key that is none',
      () => verifySignature(signedCommit(bytes('commit-pgped')), new Map([['x.asc', 'nonsense']]), world),
      'unable to verify payload',
    ],
  ];
  it.each(refused)('GIT-09: %s is refused', async (_name, verifying, message) => {
    await expect(verifying()).rejects.toMatchObject({ code: 'GIT_SIGNATURE', message: expect.stringContaining(message) as string });
  });

  it.each(['ed25519', 'rsa', 'ecdsa256', 'ecdsa384', 'ecdsa521', 'pgprsa', 'pgped'])(
    'GIT-09: any change of what %s signed is noticed',
    async (name) => {
      const keys = new Map([...ssh('ed25519', 'rsa', 'ecdsa256', 'ecdsa384', 'ecdsa521'), ...pgp('pgprsa', 'pgped')]);
      const { payload, signature } = signedCommit(bytes(`commit-${name}`));
      for (const at of [6, 60, payload.length - 1]) {
        const changed = Buffer.from(payload);
        changed[at] = (changed[at] ?? 0) ^ 1;
        await expect(verifySignature({ payload: changed, signature }, keys, world)).rejects.toMatchObject({ code: 'GIT_SIGNATURE' });
      }
    },
  );

  it('GIT-09: a second signature header is part of what is signed, so that it cannot be smuggled in', async () => {
    const raw = text('commit-ed25519');
    const header = raw.slice(raw.indexOf('gpgsig '), raw.indexOf('\n\n') + 1);
    const doubled = raw.replace('\n\n', `\n${header.trimEnd()}\n\n`);
    await expect(verifySignature(signedCommit(Buffer.from(doubled)), ssh('ed25519'), world)).rejects.toMatchObject({
      code: 'GIT_SIGNATURE',
    });
    const inBody = text('commit-unsigned').replace('\n\n', `\n\n${header}`);
    expect(signedCommit(Buffer.from(inBody)).signature).toBeUndefined();
  });

  it('GIT-09: a signature that was made for another purpose does not count', () => {
    const trusted = parseAuthorizedKeys(text('key-ed25519'));
    const verifying = (): string => verifySshSignature(bytes('payload-file-namespace'), text('sig-file-namespace'), trusted);
    expect(verifying).toThrow('the SSH signature was not made for git');
  });

  it('GIT-09: damaged SSH signatures are refused, none crashes', () => {
    const { payload, signature = '' } = signedCommit(bytes('commit-ecdsa256'));
    const trusted = parseAuthorizedKeys(text('key-ecdsa256'));
    const body = Buffer.from(signature.split('\n').slice(1, -2).join(''), 'base64');
    const armor = (blob: Buffer): string => `-----BEGIN SSH SIGNATURE-----\n${blob.toString('base64')}\n-----END SSH SIGNATURE-----`;
    expect(verifySshSignature(payload, armor(body), trusted)).toMatch(/^SHA256:/);
    for (let at = 0; at < body.length; at++) {
      const damaged = Buffer.from(body);
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      for (const blob of [damaged, body.subarray(0, at)]) {
        let code = 'accepted';
        try {
          verifySshSignature(payload, armor(blob), trusted);
        } catch (error) {
          code = codeOf(error);
        }
        expect(code, `byte ${at}`).toBe('GIT_SIGNATURE');
      }
    }
  });

  it('parseAuthorizedKeys reads options and comments, and passes over other lines', () => {
    const key = text('key-ed25519').trim();
    const lines = ['# comment', `# ${key}`, '', 'nonsense', `no-pty,command="x y" ${key}`, 'ssh-rsa AAAA', `ssh-rsa ${key.split(' ')[1]}`];
    expect(parseAuthorizedKeys(lines.join('\n'))).toEqual([Buffer.from(key.split(' ')[1] ?? '', 'base64')]);
  });
});

describe('fetching what signatures cover', () => {
  /** A repository that holds the signed objects, and tags of several kinds. */
  const signedRepository = (): TestRepository => {
    const repository = testRepository(join(temporary.make(), 'signed'));
    repository.write('file', 'content\n');
    repository.git('add', 'file');
    repository.git('write-tree');
    const { directory } = repository;
    const write = (type: string, name: string): string =>
      execFileSync('git', ['hash-object', '-t', type, '-w', '--stdin'], { cwd: directory, input: bytes(name), encoding: 'utf8' }).trim();
    let head = '';
    for (const name of ['ed25519', 'rsa', 'ecdsa256', 'ecdsa384', 'ecdsa521']) head = write('commit', `commit-${name}`);
    repository.git('update-ref', 'refs/heads/main', head);
    const tag = write('tag', 'tag-ssh');
    for (const name of ['v1.0.0-ssh', 'v2.0.0']) repository.git('update-ref', `refs/tags/${name}`, tag);
    repository.git('update-ref', 'refs/tags/light', head);
    return repository;
  };

  it('GIT-09: the commit and the tag that led to it, over HTTP and locally', async () => {
    const repository = signedRepository();
    const server = await serveRepository(repository.directory, { world });
    try {
      const overHttp = gitProgramFetcher({ world });
      const local = localFetcher(() => repository.directory, memoryGitFetcher(), { world });
      const remote = { url: server.url };
      for (const fetcher of [overHttp, local]) {
        expect(await fetcher.fetch(remote, { branch: 'main' }, {})).not.toHaveProperty('signed');
        for (const reference of [{ tag: 'v1.0.0-ssh' }, { semver: '>=1.0.0-0' }, { name: 'refs/tags/v1.0.0-ssh' }]) {
          const asked = 'semver' in reference ? { semver: '1.0.0-ssh' } : reference;
          const { signed } = await fetcher.fetch(remote, asked, { withSignatures: true });
          if (signed?.tag === undefined) throw new Error('no tag');
          expect(await verifySignature(signed.commit, ssh('ecdsa521'), world)).toMatch(/^SHA256:/);
          expect(await verifySignature(signed.tag, ssh('ed25519'), world)).toBe(text('id-ed25519').trim());
          expect(signed.tag).toMatchObject({ name: 'v1.0.0-ssh', hash: repository.git('rev-parse', 'refs/tags/v1.0.0-ssh') });
        }
        const branch = await fetcher.fetch(remote, { branch: 'main' }, { withSignatures: true });
        expect(branch.signed).not.toHaveProperty('tag');
        expect(
          await verifySignature(branch.signed?.commit ?? { payload: bytes('tag-ssh'), signature: '' }, ssh('ecdsa521'), world),
        ).toMatch(/^SHA256:/);
        const light = await fetcher.fetch(remote, { tag: 'light' }, { withSignatures: true });
        expect(light.signed?.tag).toMatchObject({ name: 'light', signature: undefined });
        // The reference v2.0.0 was pointed at the signed tag v1.0.0-ssh.
        await expect(fetcher.fetch(remote, { tag: 'v2.0.0' }, { withSignatures: true })).rejects.toMatchObject({
          code: 'GIT_FAILED',
          message: "the tag 'v2.0.0' is the tag object of another name",
        });
      }
    } finally {
      await server.close();
    }
  });
});
