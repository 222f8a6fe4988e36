import type { Flag } from '../flags.ts';
import { COMMANDS, type CommandEntry } from './commands.ts';
import { GLOBAL_FLAGS } from './usage.ts';

function flagLines(flags: readonly Flag[]): string {
  const names = flags.map(
    ({ name, short, value }) => `--${name}${short === undefined ? '' : `, -${short}`}${value === undefined ? '' : ' VALUE'}`,
  );
  const width = Math.max(0, ...names.map((name) => name.length));
  return flags.map(({ help }, index) => `  ${(names[index] ?? '').padEnd(width)}  ${help}`).join('\n');
}

/** `sops --help`. */
export function overview(): string {
  const lines = COMMANDS.map(({ name, usage }) => `sops ${name} ${usage}`.trimEnd());
  const width = Math.max(...lines.map((line) => line.length));
  const commands = COMMANDS.map(({ summary }, index) => `  ${(lines[index] ?? '').padEnd(width)}  ${summary}`);
  return `sops - encrypted file editor (Sotto's implementation)

Usage:
${commands.join('\n')}
  sops [-e|-d|-r|--set 'PATH VALUE'] FILE, the older form; without any of these it edits
  sops COMMAND --help

Flags of every command:
${flagLines(GLOBAL_FLAGS)}
  --enable-local-keyservice=false  do not use keys in this process [$SOPS_ENABLE_LOCAL_KEYSERVICE]

Keys come from flags, variables or the creation rules of .sops.yaml. Identities are looked for where SOPS does: SOPS_AGE_KEY,
SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD, <user config>/sops/age/keys.txt and ~/.ssh; the gpg keyring; the clouds' own places.

Example:
  sops encrypt --age age1… secret.yaml > secret.enc.yaml
`;
}

/** `sops COMMAND --help`. */
export async function commandHelp(entry: CommandEntry): Promise<string> {
  const { name, usage, summary } = entry;
  const { flags } = await entry.load();
  const listed = flags.length === 0 ? '' : `\nFlags:\n${flagLines(flags)}\n`;
  return `sops ${name} - ${summary}\n\nUsage: sops ${name} [flags] ${usage}\n${listed}`;
}
