/**
 * What can be checked about a tree of encrypted files without any key.
 *
 * @module
 */
import { resolve } from 'node:path';

import { SottoError } from '../../../base/errors/index.ts';
import type { Tree } from '../../../base/files/index.ts';
import { compileRegExp } from '../../../text/regexp/index.ts';
import { explainCreationRule, type CreationRule, type SopsConfig } from '../config/index.ts';
import { formatForPath, isEncrypted } from '../format.ts';
import { activeRules } from '../selection.ts';
import { checkEncryptedFile } from './file.ts';
import { finding, type Finding } from './types.ts';

export { CHECKS, type CheckCode, type Finding, type Level } from './types.ts';
export { toSarif } from './sarif.ts';

export interface CheckOptions {
  /** The absolute path of the root of the tree: creation rules match paths relative to their configuration. */
  readonly root: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Only these files; rules without files are then no finding. */
  readonly paths?: readonly string[];
}

/** What a check looked at, and what it found. */
export interface CheckResult {
  /** Encrypted files. */
  readonly files: number;
  readonly findings: readonly Finding[];
}

const IGNORED = new Set(['.git', 'node_modules']);

/**
 * Checks every encrypted file of a tree, and the configuration against it: selected values are tokens, recipients, threshold and
 * selection are those of the rule, rules compile and match something, data keys are not old, no single key opens a file alone.
 * Links are not followed.
 *
 * @param config undefined: only what the files say themselves is checked
 */
export function checkTree(tree: Tree, config: SopsConfig | undefined, options: CheckOptions): CheckResult {
  const { root, now } = options;
  const rules = new RuleFinder(config, root);
  const findings: Finding[] = [];
  let files = 0;
  for (const file of options.paths ?? filesOf(tree, '')) {
    const bytes = tree.read(file);
    if (bytes === undefined) continue;
    const format = formatForPath(file);
    const rule = rules.find(file);
    if (isEncrypted(bytes, format)) {
      files++;
      findings.push(...checkEncryptedFile(bytes, { file, format, rule, now }));
      if (rule === undefined && rules.exist) findings.push(finding('no-rule', file, 'no creation rule matches the file'));
    } else if (rule !== undefined && rule.pathRegex !== '' && !rules.isConfig(file)) {
      findings.push(finding('plain-file', file, `the file is not encrypted, but path_regex ${rule.pathRegex} matches it`));
    }
  }
  return { files, findings: [...findings, ...rules.findings(options.paths === undefined)] };
}

function* filesOf(tree: Tree, directory: string): Generator<string> {
  for (const name of tree.list(directory)) {
    const path = directory === '' ? name : `${directory}/${name}`;
    // what a link leads to is checked where it is
    if (IGNORED.has(name) || tree.resolve(path) !== path) continue;
    if (tree.kind(path) === 'directory') yield* filesOf(tree, path);
    else yield path;
  }
}

/** Finds the rules of files and remembers which were found. */
class RuleFinder {
  readonly #used = new Set<number>();
  readonly #config: SopsConfig | undefined;
  readonly #usable: SopsConfig | undefined;
  readonly #root: string;
  readonly #broken: Finding[] = [];

  constructor(config: SopsConfig | undefined, root: string) {
    this.#config = config;
    this.#root = root;
    const broken = (config?.creationRules ?? []).flatMap((rule, index) => problemsOf(rule).map((problem) => ({ index, ...problem })));
    for (const { index, field, problem } of broken) {
      this.#broken.push(finding('invalid-rule', config?.file ?? '', `creation_rules[${index}].${field} does not compile: ${problem}`));
    }
    // matching stops at a pattern that does not compile, and so does sops
    this.#usable = broken.some(({ field }) => field === 'path_regex') ? undefined : config;
  }

  get exist(): boolean {
    return this.#usable?.creationRules !== undefined;
  }

  isConfig(file: string): boolean {
    return this.#config !== undefined && resolve(this.#root, file) === resolve(this.#root, this.#config.file);
  }

  find(file: string): CreationRule | undefined {
    if (this.#usable === undefined) return undefined;
    const found = explainCreationRule(this.#usable, file, this.#root)?.rules.find(({ matches }) => matches);
    if (found !== undefined) this.#used.add(found.index);
    return found?.rule;
  }

  findings(isWholeTree: boolean): Finding[] {
    if (this.#config === undefined) return [];
    const { file, warnings, creationRules = [] } = this.#config;
    const unused = isWholeTree && this.exist ? creationRules.flatMap((_rule, index) => (this.#used.has(index) ? [] : [index])) : [];
    return [
      ...this.#broken,
      ...warnings.map((warning) => finding('unknown-field', file, warning)),
      ...unused.map((index) => finding('unused-rule', file, `creation_rules[${index}] is the first match of no file`)),
    ];
  }
}

function problemsOf(rule: CreationRule): { readonly field: string; readonly problem: string }[] {
  const patterns = [
    ['path_regex', rule.pathRegex] as const,
    ...activeRules(rule.selection).filter(([property]) => property.endsWith('Regex')),
  ];
  return patterns.flatMap(([field, pattern]) => {
    try {
      compileRegExp(pattern);
      return [];
    } catch (error) {
      if (!(error instanceof SottoError)) throw error;
      return [{ field: field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), problem: error.message }];
    }
  });
}
