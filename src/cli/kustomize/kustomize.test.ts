import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld, type World } from '../../base/world/index.ts';
import { main } from './index.ts';

let cwd: string;
beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'sotto-kustomize-test-')));
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const FILES = {
  'app/kustomization.yaml': 'resources: [all.yaml]\ncommonLabels: {a: b}\n',
  'app/all.yaml': `apiVersion: v1
kind: ConfigMap
metadata: {name: C, namespace: x}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
---
apiVersion: v1
kind: Namespace
metadata: {name: space}
`,
  'one/kustomization.yaml': 'resources: [a.yaml]\n',
  'one/a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: only}\n',
  'over/kustomization.yaml': 'resources: [../one]\nnamePrefix: p-\npatches: [{path: ../patch.yaml}]\n',
  'patch.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: only}\ndata: {k: v}\n',
  'broken/kustomization.yaml': 'foo: 1\n',
  'missing/kustomization.yaml': 'resources: [none.yaml]\n',
  'losing/kustomization.yaml':
    'resources: [../one]\npatches:\n- target: {kind: Nothing}\n  patch: |\n    - {op: add, path: /x, value: 1}\n',
};

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function kustomize(...argv: string[]): Promise<Outcome> {
  return kustomizeIn('', ...argv);
}

async function kustomizeIn(directory: string, ...argv: string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const world: World = {
    ...systemWorld(),
    cwd: join(cwd, directory),
    stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
    stderr: { write: (text) => void err.push(text), isTTY: false, columns: 80 },
  };
  return { code: await main(argv, world, systemEntropy), out: out.join(''), err: err.join('') };
}

const LABELS_WARNING =
  "# Warning: 'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.\n";
const REORDER_NOTE = "Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.\n";

describe('kustomize build', () => {
  it('KZ-76, KZ-06, KZ-16: prints the objects in the legacy order, and warnings in the words of kustomize 5.8.1', async () => {
    const { code, out, err } = await kustomize('build', 'app');
    expect({ code, err }).toEqual({ code: 0, err: LABELS_WARNING });
    expect(out.match(/^kind: .*/gm)).toEqual(['kind: Namespace', 'kind: ConfigMap', 'kind: Deployment']);
    expect(await kustomizeIn('app', 'build')).toEqual({ code, out, err });
    expect(await kustomize('build', '--', join(cwd, 'app'))).toEqual({ code, out, err });
  });

  it('KZ-76: --reorder none keeps the order of the input, with a note', async () => {
    const { out, err } = await kustomize('build', 'app', '--reorder', 'none');
    expect(out.match(/^kind: .*/gm)).toEqual(['kind: ConfigMap', 'kind: Deployment', 'kind: Namespace']);
    expect(err).toBe(REORDER_NOTE + LABELS_WARNING);
    expect((await kustomize('build', '--reorder=legacy', 'app')).out).toBe((await kustomize('build', 'app')).out);
  });

  it('KZ-76, KZ-60, KZ-61: --load-restrictor decides where files may lie', async () => {
    const refused = await kustomize('build', 'over');
    expect(refused).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining("security; file '../patch.yaml' is not in or below 'over'") as string,
    });
    const { code, out } = await kustomize('build', 'over', '--load-restrictor', 'LoadRestrictionsNone');
    expect({ code, out }).toEqual({
      code: 0,
      out: 'apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\nmetadata:\n  name: p-a\n  namespace: only\n',
    });
  });

  it('KZ-76: --enable-managedby-label labels everything', async () => {
    const { out, err } = await kustomize('build', 'one', '--enable-managedby-label');
    expect(out).toContain('    app.kubernetes.io/managed-by: sotto\n');
    expect(err).toMatch(/^Flag --enable-managedby-label has been deprecated, The flag `enable-managedby-label`/);
  });

  it.each([
    ['app', ['default_apps_v1_deployment_d.yaml', 'v1_namespace_space.yaml', 'x_v1_configmap_c.yaml']],
    ['one', ['v1_configmap_a.yaml']],
  ])('KZ-76: -o into an existing directory writes a file per object of %s', async (directory, files) => {
    const into = mkdtempSync(join(cwd, 'out-'));
    expect(await kustomize('build', directory, '-o', into)).toMatchObject({ code: 0, out: '' });
    expect(readdirSync(into).toSorted()).toEqual(files);
  });

  it.each([['-o', 'f1'], ['-of2'], ['--output=f3'], ['--output', 'f4']])('KZ-76: %s %s writes a file', async (...flags) => {
    expect(await kustomize('build', 'one', ...flags)).toEqual({ code: 0, out: '', err: '' });
    const written = readFileSync(join(cwd, flags.join('').replace(/^-+o(utput=?)?/, '')), 'utf8');
    expect(written).toBe((await kustomize('build', 'one')).out);
  });

  it('KZ-76: a build that fails writes nothing', async () => {
    expect(await kustomize('build', 'broken', '-o', 'never.yaml')).toMatchObject({ code: 1, out: '' });
    expect(readdirSync(cwd)).not.toContain('never.yaml');
  });

  it('follows links to the directory it builds', async () => {
    symlinkSync('app', join(cwd, 'link'));
    expect((await kustomize('build', 'link')).out).toBe((await kustomize('build', 'app')).out);
  });

  it('--strict makes an error of every warning', async () => {
    expect(await kustomize('build', 'one', '--strict')).toMatchObject({ code: 0, err: '' });
    expect(await kustomize('build', 'app', '--strict')).toEqual({
      code: 1,
      out: '',
      err: `${LABELS_WARNING}Error: --strict: the build gave 1 warning\n`,
    });
    expect((await kustomize('build', 'losing')).err).toMatch(/^# Warning: losing\/kustomization.yaml: .* matches nothing\n$/);
  });

  it('--explain says which file and transformer set each field', async () => {
    const { out } = await kustomize('build', 'over', '--load-restrictor', 'LoadRestrictionsNone', '--explain', 'ConfigMap/p-a');
    expect(out.split('\n')).toEqual([
      'ConfigMap/p-a:apiVersion  one/a.yaml:1  resource',
      'ConfigMap/p-a:kind  one/a.yaml:1  resource',
      'ConfigMap/p-a:metadata.name  over/kustomization.yaml  PrefixTransformer',
      'ConfigMap/p-a:metadata.namespace  one/a.yaml:1  resource',
      'ConfigMap/p-a:data.k  patch.yaml  PatchTransformer',
      '',
    ]);
    expect(await kustomize('build', 'one', '--explain', 'ConfigMap/b')).toMatchObject({ code: 1, out: '' });
    expect((await kustomize('build', 'one', '--explain', 'ConfigMap/a:metadata')).out.trim().split('\n')).toHaveLength(2);
  });
});

describe('KZ-76: errors, word for word those of kustomize 5.8.1', () => {
  it.each([
    [['build', 'app', 'one'], 'specify one path to kustomization.yaml'],
    [['build', 'app', '--bogus'], 'unknown flag: --bogus'],
    [['build', 'app', '-Z'], "unknown shorthand flag: 'Z' in -Z"],
    [['build', '--reorder'], 'flag needs an argument: --reorder'],
    [['build', 'app', '-o'], "flag needs an argument: 'o' in -o"],
    [
      ['build', 'app', '--load-restrictor', 'foo'],
      'illegal flag value --load-restrictor foo; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]',
    ],
    [['build', 'app', '--enable-helm=x'], 'invalid argument "x" for "--enable-helm" flag: strconv.ParseBool: parsing "x": invalid syntax'],
    [['build', ''], 'must build at directory: directory path cannot be empty'],
    [['build', 'app/all.yaml'], "must build at directory: 'app/all.yaml': file is not directory"],
    [['bogus'], 'unknown command "bogus" for "kustomize"\nRun \'kustomize --help\' for usage.'],
  ])('%j', async (argv, message) => {
    expect(await kustomize(...argv)).toEqual({ code: 1, out: '', err: `Error: ${message}\n` });
  });

  it('a bad order, behind the note on its flag', async () => {
    const message = 'Error: illegal flag value --reorder foo; legal values: [legacy none]\n';
    expect((await kustomize('build', 'app', '--reorder', 'foo')).err).toBe(REORDER_NOTE + message);
  });

  it('a directory that is not there', async () => {
    const reason = `not a valid directory: evalsymlink failure on 'nope' : lstat ${cwd}/nope: no such file or directory`;
    expect((await kustomize('build', 'nope')).err).toBe(`Error: must build at directory: ${reason}\n`);
  });

  it('an output that cannot be written', async () => {
    expect((await kustomize('build', 'one', '-o', 'none/x')).err).toBe('Error: open none/x: no such file or directory\n');
  });

  it('KZ-B10: errors of the build name file and line as they are seen from here', async () => {
    expect((await kustomize('build', 'broken')).err).toMatch(
      /^Error: invalid Kustomization: json: unknown field "foo" \(broken\/kustomization.yaml:1:1\)\nHint: /,
    );
    expect((await kustomize('build', 'missing')).err).toMatch(/^Error: accumulating resources: .*'missing\/none.yaml'/);
  });
});

describe('what is refused by name', () => {
  it.each([
    '--enable-helm',
    '--helm-command=x',
    '--enable-alpha-plugins',
    '--enable-exec',
    '--network',
    '--mount=x',
    '-eA=b',
    '--as-current-user',
  ])('KZ-51, KZ-52, KZ-76: %s', async (flag) => {
    const { code, out, err } = await kustomize('build', 'one', flag);
    const name = flag.startsWith('-e') ? '--env' : flag.split('=')[0];
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.startsWith(`Error: ${name}: `)).toBe(true);
  });

  it('KZ-76: switches that are off are no request', async () => {
    expect(await kustomize('build', 'one', '--enable-helm=false', '--network=false')).toMatchObject({ code: 0, err: '' });
  });

  it.each(['edit', 'create', 'localize', 'cfg', 'fn'])('KZ-77: %s', async (command) => {
    expect((await kustomize(command, 'x')).err).toMatch(new RegExp(`^Error: \`kustomize ${command}\` is not part of Sotto\nHint: `));
  });

  it('KZ-64, KZ-65: a remote directory', async () => {
    expect((await kustomize('build', 'https://github.com/a/b?ref=v1')).err).toMatch(
      /^Error: remote kustomizations are not fetched\nHint: clone/,
    );
  });
});

it('prints the version it stands for, and help', async () => {
  expect((await kustomize('version')).out).toBe('v5.8.1\n');
  expect((await kustomize('--help')).out).toContain('kustomize build [DIR]');
  expect((await kustomize('build', '-h')).out).toContain('--load-restrictor string');
});
