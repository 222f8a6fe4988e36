import { beforeAll, describe, expect, it } from 'vitest';

import { isSopsEncrypted } from './index.ts';
import { buildFiles, configMap, newVault, secretYaml, tree, type Vault } from './testing.ts';

let vault: Vault;
beforeAll(async () => {
  vault = await newVault();
});

const onlyData = { encryptedRegex: '^(data|stringData)$' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const build = (files: Readonly<Record<string, string>>, spec = {}) => buildFiles(files, spec, { decryptor: vault.decryptor });

describe('whole objects', () => {
  it('DEC-03: any kind with sops.mac is decrypted and loses its sops field', async () => {
    const files = {
      'secret.yaml': await vault.seal(secretYaml('s', { password: 'pa$$w0rd' }), 'yaml', onlyData),
      'map.yaml': await vault.seal(configMap('m', { k: 'v' }), 'yaml', onlyData),
    };
    const { objects, warnings } = await build(files);
    expect(objects.map(({ object }) => object['stringData'] ?? object['data'])).toEqual([{ k: 'v' }, { password: 'pa$$w0rd' }]);
    expect(objects.some(({ object }) => isSopsEncrypted(object))).toBe(false);
    expect(objects[1]?.secret).toEqual({ file: 'secret.yaml', mechanism: 'sops' });
    expect(warnings).toEqual([]);
  });

  it('DEC-11: the MAC of a pristine document is checked, and one call is enough when kustomize changed nothing', async () => {
    const files = { 'secret.yaml': await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData) };
    vault.opened.length = 0;
    await build(files);
    expect(vault.opened).toEqual([{ file: 'secret.yaml', format: 'yaml', pristine: true }]);
  });

  it('DEC-11: when kustomize changed the object the document in Git is checked', async () => {
    const files = { 'secret.yaml': await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData) };
    vault.opened.length = 0;
    const { objects, warnings } = await build(files, { targetNamespace: 'team', namePrefix: 'p-' });
    expect(objects[0]?.object).toMatchObject({ metadata: { name: 'p-s', namespace: 'team' }, stringData: { k: 'v' } });
    expect(vault.opened.map(({ pristine }) => pristine)).toEqual([true, false]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['as it is', {}],
    ['with a namespace set by kustomize', { targetNamespace: 'team' }],
  ])('DEC-11: a document tampered with outside of its encrypted values fails the build, %s', async (_title, spec) => {
    const sealed = await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData);
    await expect(build({ 'secret.yaml': sealed.replace('name: s', 'name: other') }, spec)).rejects.toThrow(
      /^decryption failed for 'Secret\.v1\.\[noGrp\]\/other': failed to decrypt and format '(?:team)?\/other' Secret data: .*MAC/,
    );
  });

  it('DEC-11: documents that SOPS encrypted together have one MAC over all', async () => {
    const sealed = await vault.seal(`${secretYaml('a', { k: '1' })}---\n${secretYaml('b', { k: '2' })}`, 'yaml', onlyData);
    const { objects } = await build({ 'secrets.yaml': sealed });
    expect(objects.map(({ object }) => object['stringData'])).toEqual([{ k: '1' }, { k: '2' }]);
    const tampered = sealed.replace('name: b', 'name: c');
    await expect(build({ 'secrets.yaml': tampered })).rejects.toThrow(/MAC/);
  });

  it('DEC-11: documents encrypted apart and joined later are checked one by one', async () => {
    const [a, b] = [
      await vault.seal(secretYaml('a', { k: '1' }), 'yaml', onlyData),
      await vault.seal(secretYaml('b', { k: '2' }), 'yaml', onlyData),
    ];
    const { objects, warnings } = await build({ 'all.yaml': `# two\n---\n${a}---\n${b}--- # plain\n${configMap('m')}` });
    expect(objects.map(({ object }) => object['stringData'])).toEqual([{ k: '1' }, { k: '2' }, undefined]);
    expect(warnings).toEqual([]);
  });

  it('DEC-11: where the document is not found in its file, a warning says that the MAC was not checked', async () => {
    const sealed = await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData);
    const patch = sealed.slice(sealed.indexOf('sops:'));
    const body = sealed.slice(0, sealed.indexOf('sops:'));
    const { warnings, objects } = await build({
      'kustomization.yaml': `resources: [s.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n    apiVersion: v1\n    kind: Secret\n    metadata: {name: s}\n${patch.replaceAll(/^/gm, '    ')}`,
      's.yaml': body,
    });
    expect(objects[0]?.object['stringData']).toEqual({ k: 'v' });
    expect(warnings.map(({ message }) => message)).toContainEqual(expect.stringContaining('could not be checked'));
  });

  it('DEC-06: an annotation keeps an object encrypted, whatever the case of its value', async () => {
    const yaml = secretYaml('s', { k: 'v' }).replace(
      '  name: s',
      '  name: s\n  annotations: {kustomize.toolkit.fluxcd.io/decrypt: Disabled}',
    );
    const { objects } = await build({ 's.yaml': await vault.seal(yaml, 'yaml', onlyData) });
    expect(isSopsEncrypted(objects[0]?.object ?? {})).toBe(true);
  });

  it('DEC-07: without a decryptor objects stay encrypted, and can be told', async () => {
    const { objects } = await buildFiles({ 's.yaml': await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData) });
    expect(isSopsEncrypted(objects[0]?.object ?? {})).toBe(true);
    expect(objects[0]?.secret?.mechanism).toBe('sops');
  });

  it('DEC-12: errors hold neither plaintext nor ciphertext', async () => {
    const sealed = await vault.seal(secretYaml('s', { k: 'pl4intext' }), 'yaml', onlyData);
    const [, token = ''] = /GCM,data:([^,]+),/.exec(sealed) ?? [];
    const broken = [
      sealed.replace(token, base64('other')),
      sealed.replace(/k: ENC.*/, 'k: pl4intext'),
      sealed.replace(/-----BEGIN AGE[^]*?END AGE ENCRYPTED FILE-----/, 'broken'),
    ];
    for (const text of broken) {
      const error = await build({ 's.yaml': text }).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      const texts = [String(error), JSON.stringify(error)].join(' ');
      expect(texts).toContain("decryption failed for 'Secret.v1.[noGrp]/s'");
      expect(texts).not.toContain('pl4intext');
      expect(texts).not.toContain(token);
    }
  });

  it('DEC-12: the text of an error that is not ours is left out', async () => {
    const decryptor = { decrypt: () => Promise.reject(new TypeError('pl4intext')) };
    const files = { 's.yaml': await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData) };
    await expect(buildFiles(files, {}, { decryptor })).rejects.toThrow(/internal error \(TypeError\)$/);
  });

  it('stops when the signal fires', async () => {
    const files = { 's.yaml': await vault.seal(secretYaml('s', { k: 'v' }), 'yaml', onlyData) };
    await expect(buildFiles(files, {}, { decryptor: vault.decryptor, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('DEC-05: documents in data values', () => {
  const secret = (data: Readonly<Record<string, string>>): string =>
    `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n${Object.entries(data)
      .map(([key, value]) => `  ${key}: ${base64(value)}\n`)
      .join('')}`;

  it('are decrypted, written in the format of their key', async () => {
    const data = {
      'config.yaml': await vault.seal('a: b\n', 'yaml'),
      'app.env': await vault.seal('A=b\n', 'dotenv'),
      '.dockerconfigjson': await vault.seal('{"auths":{}, "x": "y"}', 'json'),
      token: await vault.seal('bytes', 'binary'),
      plain: 'plain',
    };
    const { objects } = await build({ 's.yaml': secret(data) });
    const opened = Object.fromEntries(
      Object.entries(objects[0]?.object['data'] ?? {}).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]),
    );
    expect(opened).toMatchObject({ 'config.yaml': 'a: b\n', 'app.env': 'A=b\n', token: 'bytes', plain: 'plain' });
    expect(JSON.parse(opened['.dockerconfigjson'] ?? '')).toEqual({ auths: {}, x: 'y' });
    expect(objects[0]?.secret?.mechanism).toBe('sops-value');
  });

  it('errors name the field', async () => {
    const sealed = await vault.seal('a: b\n', 'yaml');
    await expect(build({ 's.yaml': secret({ 'c.yaml': sealed.replace(/^a:/m, 'b:') }) })).rejects.toThrow(
      "decryption failed for 'Secret.v1.[noGrp]/s': failed to decrypt and format '/s' Secret field 'c.yaml': ",
    );
  });

  it('values that are no base64, and other kinds, are passed over', async () => {
    const sealed = await vault.seal('a: b\n', 'yaml');
    const files = {
      'a.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {x: "%%%"}\n',
      'b.yaml': secret({ 'c.yaml': sealed }).replace('kind: Secret', 'kind: Thing'),
    };
    const { objects } = await build(files);
    expect(objects.map(({ object }) => object['data'])).toEqual([{ x: '%%%' }, { 'c.yaml': base64(sealed) }]);
  });
});

describe('DEC-04, KZ-75: generator inputs', () => {
  const kustomization = `secretGenerator:
- name: files
  files: [config.yaml=conf.txt, plain.txt]
- name: envs
  envs: [app.env]
- name: plain
  literals: [a=b]
patches:
- path: patch.yaml
resources: [sub]
`;
  const files = async (): Promise<Record<string, string>> => ({
    'apps/kustomization.yaml': kustomization,
    'apps/conf.txt': await vault.seal('a: b\n', 'yaml'),
    'apps/plain.txt': 'plain',
    'apps/app.env': await vault.seal('A=b\n', 'dotenv'),
    'apps/patch.yaml': await vault.seal(configMap('m', { patched: 'yes' }), 'yaml', onlyData),
    'apps/sub/kustomization.yaml': 'resources: [m.yaml]\ncomponents: [../../component]\n',
    'apps/sub/m.yaml': configMap('m', { k: 'v' }),
    'component/kustomization.yaml':
      'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nsecretGenerator:\n- name: component\n  files: [token]\n',
    'component/token': await vault.seal('t0ken', 'binary'),
  });

  it('are decrypted before the build, so that hashes are those of the plaintext', async () => {
    const sealed = await build(await files(), { path: 'apps' });
    const plain = {
      ...(await files()),
      'apps/conf.txt': 'a: b\n',
      'apps/app.env': 'A=b\n',
      'apps/patch.yaml': configMap('m', { patched: 'yes' }),
      'component/token': 't0ken',
    };
    const expected = await buildFiles(plain, { path: 'apps' });
    expect(sealed.objects.map(({ object }) => object)).toEqual(expected.objects.map(({ object }) => object));
  });

  it('are pristine: their MAC is checked, each file once', async () => {
    vault.opened.length = 0;
    await build(await files(), { path: 'apps' });
    const expected = ['apps/app.env', 'apps/conf.txt', 'apps/patch.yaml', 'component/token'];
    expect(vault.opened.map(({ file }) => file)).toEqual(expect.arrayContaining(expected));
    expect(vault.opened).toHaveLength(expected.length);
    expect(vault.opened.every(({ pristine }) => pristine)).toBe(true);
  });

  it('give Secrets their origin', async () => {
    const { objects } = await build(await files(), { path: 'apps' });
    const origins = objects
      .filter(({ secret }) => secret !== undefined)
      .map(({ object, secret }) => [object.metadata.name?.split('-')[0], secret?.mechanism]);
    expect(Object.fromEntries(origins)).toEqual({
      files: 'sops-generator',
      envs: 'sops-generator',
      plain: 'generator',
      component: 'sops-generator',
    });
  });

  it('that were tampered with fail the build', async () => {
    const all = await files();
    await expect(build({ ...all, 'apps/conf.txt': all['apps/conf.txt']?.replace(/^a:/m, 'b:') ?? '' }, { path: 'apps' })).rejects.toThrow(
      "error decrypting sources: failed to decrypt 'apps/conf.txt': ",
    );
  });

  it('of more than five megabytes are refused', async () => {
    const large = { 'kustomization.yaml': 'secretGenerator: [{name: a, files: [big]}]\n', big: 'x'.repeat(5 * 1024 * 1024 + 1) };
    await expect(build(large)).rejects.toThrow(/^error decrypting sources: .*exceeding limit \(5242880 bytes\)/);
  });

  it.each([
    ['no', {}, 'unable to find one of'],
    ['two', { 'd/kustomization.yaml': '', 'd/Kustomization': '' }, 'found multiple kustomization files under: d'],
  ])('a directory with %s kustomization file is an error', async (_title, more, message) => {
    await expect(build({ 'kustomization.yaml': 'resources: [d]\n', 'd/x.txt': '', ...more })).rejects.toThrow(
      `error decrypting sources: ${message}`,
    );
  });

  it('leave the tree as it is, and other inputs alone', async () => {
    const sealed = await vault.seal('a: b\n', 'yaml');
    const source = tree({ 'kustomization.yaml': 'configMapGenerator: [{name: m, files: [c.yaml]}]\n', 'c.yaml': sealed });
    const { objects, warnings } = await buildFiles({}, {}, { tree: source, decryptor: vault.decryptor });
    expect(objects[0]?.object['data']).toEqual({ 'c.yaml': sealed });
    expect(Buffer.from(source.read('c.yaml') ?? []).toString()).toBe(sealed);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(/still holds an encrypted value in data.c.yaml$/)]);
  });
});

describe('warnings', () => {
  it('tell of a plain Secret beside encrypted ones, never its value', async () => {
    const files = {
      'a.yaml': await vault.seal(secretYaml('a', { k: 'v' }), 'yaml', onlyData),
      'b.yaml': secretYaml('b', { k: 'pl4intext' }),
      'c.yaml': 'apiVersion: v1\nkind: Secret\nmetadata: {name: empty}\n',
    };
    const { warnings } = await build(files);
    expect(warnings).toMatchObject([
      { message: "the Secret 'Secret.v1.[noGrp]/b' lies in plain text beside encrypted ones", file: 'b.yaml' },
    ]);
    expect((await build({ 'b.yaml': files['b.yaml'] })).warnings).toEqual([]);
  });
});
