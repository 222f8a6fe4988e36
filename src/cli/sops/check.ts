import { readFile, stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';

import { codeOf, SottoError } from '../../base/errors/index.ts';
import { diskTree, memoryTree, type Tree } from '../../base/files/index.ts';
import { checkTree, FORMAT_VERSION, toSarif, type CheckResult, type Finding } from '../../secrets/sops/index.ts';
import { loadConfig } from './config.ts';
import type { SopsCommand, SopsFace } from './face.ts';
import { ExitError, status } from './failures.ts';
import { toggle, value } from './usage.ts';

const FORMATS = {
  text: (result: CheckResult): string => asText(result),
  json: (result: CheckResult): string => `${JSON.stringify(result, undefined, 2)}\n`,
  sarif: ({ findings }: CheckResult): string => `${JSON.stringify(toSarif(findings, FORMAT_VERSION), undefined, 2)}\n`,
} as const;

/** What goes into `.git/hooks/pre-commit`. */
const HOOK = `#!/bin/sh
# checks staged files that sops encrypts, without any key
git diff --cached --name-only --diff-filter=ACMR -z | xargs -0 -r sotto sops check --
`;

/**
 * `sops check [PATH…]`, Sotto's own: encrypted files and the configuration, without keys. Exit status 1 on findings that are
 * more than notes.
 */
export const checkCommand: SopsCommand = {
  flags: [
    { ...value('format', 'text, json or sarif'), default: 'text', choices: Object.keys(FORMATS) },
    toggle('pre-commit', 'print a pre-commit hook for git'),
    toggle('no-notes', 'leave notes out'),
  ],
  run: async (face) => {
    const { args, world } = face;
    if (args.has('pre-commit')) {
      world.stdout.write(HOOK);
      return status.ok;
    }
    // unknown fields are findings here
    const config = await loadConfig(args, world, () => undefined);
    const results = (await targetsOf(face)).map(({ root, tree, paths }) => {
      const result = checkTree(tree, config, { root, now: world.clock.now(), ...(paths === undefined ? {} : { paths }) });
      return { ...result, findings: result.findings.map((found) => inWorkingDirectory(found, root, face)) };
    });
    const findings = unique(results.flatMap((result) => result.findings)).filter(({ level }) => level !== 'note' || !args.has('no-notes'));
    const files = results.reduce((sum, result) => sum + result.files, 0);
    const format = Object.entries(FORMATS).find(([name]) => name === args.text('format'))?.[1] ?? FORMATS.text;
    world.stdout.write(format({ files, findings }));
    return findings.some(({ level }) => level !== 'note') ? status.generic : status.ok;
  },
};

interface Target {
  readonly tree: Tree;
  readonly root: string;
  readonly paths?: readonly string[];
}

/** Directories as a whole; single files together. @throws ExitError 100 for a path that is not there */
async function targetsOf({ args, world }: SopsFace): Promise<Target[]> {
  if (args.positional.length === 0) return [{ root: world.cwd, tree: diskTree(world.cwd) }];
  const targets: Target[] = [];
  const single = new Map<string, Uint8Array>();
  for (const path of args.positional) {
    const absolute = resolve(world.cwd, path);
    const found = await world
      .outside(() => stat(absolute))
      .catch((error: unknown) => {
        if (codeOf(error) === 'ENOENT') throw new ExitError(status.noFile, `Error: cannot operate on non-existent file "${path}"`);
        throw new SottoError('SOPS_UNREADABLE', `cannot read "${path}": ${codeOf(error)}`);
      });
    if (found.isDirectory()) targets.push({ root: absolute, tree: diskTree(absolute) });
    else single.set(absolute.slice(1).split(sep).join('/'), await world.outside(() => readFile(absolute)));
  }
  return single.size === 0 ? targets : [...targets, { root: '/', tree: memoryTree(single), paths: [...single.keys()] }];
}

function inWorkingDirectory(found: Finding, root: string, { world }: SopsFace): Finding {
  const file = relative(world.cwd, resolve(root, found.file));
  return { ...found, file: file === '' ? found.file : file };
}

function unique(findings: readonly Finding[]): Finding[] {
  return [...new Map(findings.map((found) => [JSON.stringify(found), found])).values()];
}

function asText({ files, findings }: CheckResult): string {
  const lines = findings.map(({ file, level, code, message }) => `${file}: ${level}: ${message} (${code})`);
  return `${[...lines, `${files} encrypted files, ${findings.length} findings`].join('\n')}\n`;
}
