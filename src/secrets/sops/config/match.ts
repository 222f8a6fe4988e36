import { dirname, resolve, sep } from 'node:path';

import { SottoError } from '../../../base/errors/index.ts';
import { compileRegExp } from '../../../text/regexp/index.ts';
import type { MasterKey } from '../../keys/index.ts';
import { keyWithFields } from '../key-services.ts';
import type { CreationRule, SopsConfig } from './types.ts';

/**
 * The first creation rule for a file. The path is made absolute (from `cwd`), the directory of the configuration is
 * taken off its front, and the rest is matched unanchored with RE2; a file outside that directory by its absolute path.
 *
 * @returns undefined when the configuration has no creation rules at all
 * @throws SottoError SOPS_NO_RULE when none matches, SOPS_CONFIG_INVALID when a pattern that is reached does not compile
 */
export function matchCreationRule(config: SopsConfig, path: string, cwd: string): CreationRule | undefined {
  const explained = explainCreationRule(config, path, cwd);
  if (explained === undefined) return undefined;
  const found = explained.rules.find((rule) => rule.matches)?.rule;
  if (found === undefined) {
    throw new SottoError('SOPS_NO_RULE', 'error loading config: no matching creation rules found', {
      at: { file: config.file },
      hint: `no path_regex matches ${explained.matched}`,
    });
  }
  return found;
}

/** How a file and the creation rules go together. */
export interface RuleExplanation {
  /** The text that patterns are matched against. */
  readonly matched: string;
  /** Rules in order, up to the first that matches; later ones are never looked at. */
  readonly rules: readonly { readonly index: number; readonly rule: CreationRule; readonly matches: boolean }[];
}

/** What {@link matchCreationRule} looks at. @throws SottoError SOPS_CONFIG_INVALID when a pattern that is reached does not compile */
export function explainCreationRule(config: SopsConfig, path: string, cwd: string): RuleExplanation | undefined {
  if (config.creationRules === undefined) return undefined;
  const absolute = resolve(cwd, path);
  const directory = `${dirname(resolve(cwd, config.file))}${sep}`.replace(`${sep}${sep}`, sep);
  const matched = absolute.startsWith(directory) ? absolute.slice(directory.length) : absolute;
  const rules: { index: number; rule: CreationRule; matches: boolean }[] = [];
  for (const [index, rule] of config.creationRules.entries()) {
    const isFound = rule.pathRegex === '' || matches(rule.pathRegex, matched, index, config.file);
    rules.push({ index, rule, matches: isFound });
    if (isFound) break;
  }
  return { matched, rules };
}

function matches(pattern: string, path: string, index: number, file: string): boolean {
  try {
    return compileRegExp(pattern).test(path);
  } catch (cause) {
    if (!(cause instanceof SottoError)) throw cause;
    throw new SottoError('SOPS_CONFIG_INVALID', `creation_rules[${index}].path_regex: can not compile regexp: ${cause.message}`, {
      at: { file },
      cause,
    });
  }
}

/** The master keys of a rule, group by group. */
export function ruleKeys(rule: CreationRule): MasterKey[][] {
  return rule.groups.map((group) => group.map(({ type, fields }) => keyWithFields(type, fields)));
}
