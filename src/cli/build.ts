import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';

import { formatPosition, SottoError } from '../base/errors/index.ts';
import { diskTree } from '../base/files/index.ts';
import { MASK } from '../base/sensitive/index.ts';
import {
  buildFleet,
  checkBuild,
  keylessDecryptor,
  sopsDecryptor,
  type Finding,
  type FleetObject,
  type KustomizationSpec,
} from '../build/fleet/index.ts';
import { sourceIgnore } from '../fetch/artifact/index.ts';
import { parseAgeIdentities } from '../secrets/keys/index.ts';
import { parseYaml, stringifyYaml, type YamlValue } from '../text/yaml/index.ts';
import { exit, type Command, type Face } from './command.ts';
import { usageError, type Arguments } from './flags.ts';
import { readAgeKeys } from './up/seed.ts';

/** `sotto build`. */
export const build: Command = {
  name: 'build',
  summary: 'Renders a directory as the Flux controller would apply it.',
  usage: ['sotto build PATH [--age-key-file F] [--kustomization-file F] [flags]'],
  description:
    'Values of Secrets are masked unless --reveal is given. Without a key, encrypted documents keep their structure and get placeholder values. Files may come from anywhere below the root: the Git checkout that PATH is in, or PATH itself.',
  examples: [
    { command: 'sotto build ./clusters/home', does: 'Render, without opening anything' },
    { command: 'sotto build ./apps/shop --age-key-file age.key', does: 'With generator hashes as in the cluster' },
    { command: 'sotto build . --kustomization-file ks.yaml', does: 'With targetNamespace, patches and the rest of a Flux Kustomization' },
  ],
  flags: [
    { name: 'age-key-file', value: 'F', help: 'age identities for decryption' },
    { name: 'kustomization-file', value: 'F', help: 'a Flux Kustomization whose spec is used' },
    { name: 'root', value: 'DIR', help: 'directory that files may come from (default: the Git checkout)' },
    { name: 'check', help: 'print what very likely does not work, instead of the objects' },
    { name: 'reveal', help: 'print the values of Secrets' },
  ],
  exitCodes: { 1: '--check found something' },
  seeAlso: ['docs/kustomize.md', 'sotto up --help'],
  run,
};

async function run(args: Arguments, face: Face): Promise<number> {
  const [path, ...rest] = args.positional;
  if (path === undefined || rest.length > 0) throw usageError('expected one PATH', 'such as `sotto build ./clusters/home`');
  const { world } = face;
  const directory = resolve(world.cwd, path);
  if (!existsSync(directory))
    throw new SottoError('BUILD_PATH_MISSING', `${path} does not exist`, { hint: 'give the directory of a kustomization' });
  const root = args.text('root') === undefined ? checkoutOf(directory) : resolve(world.cwd, args.text('root') ?? '');
  const inside = relative(root, directory);
  if (inside.startsWith('..')) throw usageError(`${path} is not below ${root}`, 'give a --root that contains it');
  const keyFile = args.text('age-key-file');
  const keys = await readAgeKeys(keyFile === undefined ? undefined : resolve(world.cwd, keyFile), world);
  const built = await buildFleet({
    tree: sourceIgnore(diskTree(root), undefined),
    spec: { ...(await specOf(args, world.cwd)), path: inside },
    owner: { namespace: 'flux-system', name: 'build' },
    decryptor:
      keys === undefined ? keylessDecryptor() : sopsDecryptor({ age: { identities: parseAgeIdentities(keys, keyFile ?? '') } }, face),
    signal: face.signal,
  });
  for (const { file, line, message, unmatched } of built.warnings) {
    if (unmatched === true && args.has('check')) continue; // a finding
    world.stderr.write(`warning: ${[file, line, message].filter((part) => part !== undefined).join(':')}\n`);
  }
  if (args.has('check')) return report(checkBuild(built), face);
  const reveal = args.has('reveal');
  world.stdout.write(built.objects.map((object) => stringifyYaml(shown(object, reveal), { profile: 'goYaml2' })).join('---\n'));
  return exit.ok;
}

/** One finding a line, where it is first. */
function report(findings: readonly Finding[], { world }: Face): number {
  for (const { check, message, ...at } of findings) world.stdout.write(`${formatPosition(at)}: ${message} [${check}]\n`);
  return findings.length === 0 ? exit.ok : exit.findings;
}

/** The nearest directory upwards that holds `.git`, or the directory itself. */
function checkoutOf(directory: string): string {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(resolve(at, '.git'))) return at;
    if (dirname(at) === at) return directory;
  }
}

async function specOf(args: Arguments, cwd: string): Promise<KustomizationSpec> {
  const file = args.text('kustomization-file');
  if (file === undefined) return {};
  const [first] = parseYaml(await readFile(resolve(cwd, file), 'utf8'), { profile: 'yaml11', file });
  const object = first?.value as { kind?: string; spec?: KustomizationSpec } | undefined;
  if (object?.kind !== 'Kustomization' || object.spec === undefined) {
    throw new SottoError('BUILD_SPEC_INVALID', `${file} holds no Flux Kustomization`, { hint: 'expected kind Kustomization with a spec' });
  }
  return object.spec;
}

/** The object as it is printed: values of Secrets masked. */
function shown({ object }: FleetObject, reveal: boolean): YamlValue {
  const plain = object as unknown as Record<string, YamlValue>;
  if (reveal || object.kind !== 'Secret') return plain;
  const masked: Record<string, YamlValue> = { ...plain };
  for (const [field, value] of [
    ['data', Buffer.from(MASK).toString('base64')],
    ['stringData', MASK],
  ] as const) {
    const values = plain[field];
    if (typeof values === 'object' && values !== null) masked[field] = Object.fromEntries(Object.keys(values).map((key) => [key, value]));
  }
  return masked;
}
