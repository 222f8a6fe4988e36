import { explainCreationRule, ruleKeys, type CreationRule } from '../../secrets/sops/index.ts';
import { loadConfig } from './config.ts';
import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';

/** `sops explain FILE`, Sotto's own: which creation rule a file gets, and why. The file need not exist. */
export const explainCommand: SopsCommand = {
  flags: [],
  run: async ({ args, world, warn }) => {
    const [file] = args.positional;
    if (file === undefined) throw new ExitError(status.noFile, 'Error: no file specified');
    const config = await loadConfig(args, world, warn);
    if (config === undefined) throw new ExitError(status.generic, 'config file not found');
    const line = (text: string): void => world.stdout.write(`${text}\n`);
    line(`configuration: ${config.file}`);
    const explained = explainCreationRule(config, file, world.cwd);
    if (explained === undefined) {
      line('it has no creation_rules: keys come from flags and variables only');
      return status.generic;
    }
    line(`matched against: ${explained.matched}`);
    for (const { index, rule, matches } of explained.rules) line(`creation_rules[${index}]: ${reason(rule, matches)}`);
    const found = explained.rules.find(({ matches }) => matches)?.rule;
    if (found === undefined) {
      line('no rule matches: sops encrypt fails for this file');
      return status.generic;
    }
    for (const text of describeRule(found)) line(text);
    return status.ok;
  },
};

function reason({ pathRegex }: CreationRule, isMatch: boolean): string {
  if (pathRegex === '') return 'matches, because it has no path_regex';
  return `path_regex ${pathRegex} ${isMatch ? 'matches' : 'does not match'}`;
}

function describeRule(rule: CreationRule): string[] {
  const groups = ruleKeys(rule);
  const keys = groups.flatMap((group, index) => [
    groups.length > 1 ? `keys of group ${index + 1}:` : 'keys:',
    ...(group.length === 0 ? ['  none'] : group.map((key) => `  ${key.type} ${key.display}`)),
  ]);
  const [selection] = Object.entries(rule.selection).filter(([, value]) => value !== '');
  const threshold = rule.shamirThreshold === 0 ? groups.length : rule.shamirThreshold;
  return [
    ...keys,
    ...(groups.length > 1 ? [`groups needed to open: ${threshold} of ${groups.length}`] : []),
    selection === undefined
      ? 'encrypts: every value whose path has no key that ends with _unencrypted'
      : `encrypts by ${selection[0].replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}: ${selection[1]}`,
    ...(rule.macOnlyEncrypted ? ['the MAC covers encrypted values only'] : []),
  ];
}
