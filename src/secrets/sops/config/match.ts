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
  if (config.creationRules === undefined) return undefined;
  const absolute = resolve(cwd, path);
  const directory = `${dirname(resolve(cwd, config.file))}${sep}`.replace(`${sep}${sep}`, sep);
  const relative = absolute.startsWith(directory) ? absolute.slice(directory.length) : absolute;
  const found = config.creationRules.find(({ pathRegex }, index) => pathRegex === '' || matches(pathRegex, relative, index, config.file));
  if (found === undefined) {
    throw new SottoError('SOPS_NO_RULE', 'error loading config: no matching creation rules found', {
      at: { file: config.file },
      hint: `no path_regex matches ${relative}`,
    });
  }
  return found;
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
