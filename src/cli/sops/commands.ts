import type { Flag } from '../flags.ts';
import { completionCommand } from './completion.ts';
import type { SopsCommand } from './face.ts';
import type { Phase } from './failures.ts';
import { withRecursion } from './recursive.ts';
import { withReport } from './rotate-report.ts';

/** A command, loaded when it is called. */
export interface CommandEntry {
  /** Words after `sops`. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  /** What the command reads first; some statuses depend on it. Default `decrypt`. */
  readonly phase?: Phase;
  load(): Promise<SopsCommand>;
}

/** Every command that we have. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'encrypt',
    usage: '[FILE]',
    summary: 'encrypt a file, result on stdout; without FILE from stdin',
    phase: 'encrypt',
    load: async () => withRecursion('encrypt', (await import('./encrypt.ts')).encryptCommand, { flags: ['in-place'] }),
  },
  {
    name: 'decrypt',
    usage: '[FILE]',
    summary: 'decrypt a file, result on stdout; without FILE from stdin',
    load: async () => (await import('./decrypt.ts')).decryptCommand,
  },
  { name: 'edit', usage: 'FILE', summary: 'edit an encrypted file', load: async () => (await import('./edit.ts')).editCommand },
  { name: 'set', usage: 'FILE PATH [VALUE]', summary: 'set one value (JSON)', load: async () => (await import('./set.ts')).setCommand },
  { name: 'unset', usage: 'FILE PATH', summary: 'remove one value', load: async () => (await import('./unset.ts')).unsetCommand },
  {
    name: 'rotate',
    usage: 'FILE',
    summary: 'new data key, every value encrypted again',
    load: async () => withRecursion('rotate', withReport((await import('./rotate.ts')).rotateCommand), { flags: ['in-place'] }),
  },
  {
    name: 'updatekeys',
    usage: 'FILE…',
    summary: 'wrap the data key for the recipients of the configuration',
    load: async () => withRecursion('updatekeys', (await import('./updatekeys.ts')).updateKeysCommand, { flags: ['yes'] }),
  },
  {
    name: 'groups add',
    usage: '-f FILE',
    summary: 'add a key group',
    load: async () => (await import('./groups.ts')).groupsAddCommand,
  },
  {
    name: 'groups delete',
    usage: '-f FILE INDEX',
    summary: 'remove a key group',
    load: async () => (await import('./groups.ts')).groupsDeleteCommand,
  },
  {
    name: 'exec-env',
    usage: 'FILE COMMAND',
    summary: 'run a command with the values in its environment',
    load: async () => (await import('./exec-env.ts')).execEnvCommand,
  },
  {
    name: 'exec-file',
    usage: 'FILE COMMAND',
    summary: 'run a command with the plain text as a temporary file, {} in COMMAND',
    load: async () => (await import('./exec-file.ts')).execFileCommand,
  },
  {
    name: 'filestatus',
    usage: 'FILE',
    summary: 'say whether a file is encrypted',
    load: async () => (await import('./filestatus.ts')).fileStatusCommand,
  },
  {
    name: 'keyservice',
    usage: '',
    summary: 'lend our keys to other processes',
    load: async () => (await import('./keyservice.ts')).keyServiceCommand,
  },
  {
    name: 'completion',
    usage: 'bash|zsh',
    summary: 'print a completion script',
    load: () => Promise.resolve(completionCommand(loadAll)),
  },
  {
    name: 'explain',
    usage: 'FILE',
    summary: "say which creation rule a file gets, and why (Sotto's own)",
    load: async () => (await import('./explain.ts')).explainCommand,
  },
  {
    name: 'check',
    usage: '[PATH…]',
    summary: "check encrypted files and the configuration without keys (Sotto's own)",
    load: async () => (await import('./check.ts')).checkCommand,
  },
  {
    name: 'verify',
    usage: 'FILE…',
    summary: "check every tag and the MAC, show nothing (Sotto's own)",
    load: async () => withRecursion('verify', (await import('./verify.ts')).verifyCommand, { dry: false }),
  },
  {
    name: 'schema',
    usage: '',
    summary: "print the JSON Schema of .sops.yaml (Sotto's own)",
    load: async () => (await import('./schema.ts')).schemaCommand,
  },
  {
    name: 'git install',
    usage: '[PATTERN…]',
    summary: "let git merge and show encrypted files (Sotto's own)",
    load: async () => (await import('./git.ts')).gitInstallCommand,
  },
  {
    name: 'git merge',
    usage: 'BASE OURS THEIRS [PATH]',
    summary: "merge driver of git (Sotto's own)",
    load: async () => (await import('./git.ts')).gitMergeCommand,
  },
  {
    name: 'git textconv',
    usage: 'FILE',
    summary: "diff driver of git, values masked (Sotto's own)",
    load: async () => (await import('./git.ts')).gitTextconvCommand,
  },
];

/** What upstream has and we refuse by name. */
export const REFUSED: ReadonlySet<string> = new Set(['publish']);

/** Commands by their first word, for completion. */
async function loadAll(): Promise<ReadonlyMap<string, SopsCommand>> {
  const loaded = new Map<string, SopsCommand>();
  for (const entry of COMMANDS) {
    const [word = ''] = entry.name.split(' ');
    const command = await entry.load();
    const flags = unique([...(loaded.get(word)?.flags ?? []), ...command.flags]);
    loaded.set(word, { ...command, flags });
  }
  return loaded;
}

/** The modes of the older command line, by the flag that chooses them; of several the last in this order counts. */
export const LEGACY_MODES: readonly (Omit<CommandEntry, 'usage' | 'summary'> & { readonly flags: readonly string[] })[] = [
  { name: 'edit', flags: [], load: async () => (await import('./edit.ts')).legacyEditCommand },
  { name: 'encrypt', flags: ['-e', '--encrypt'], phase: 'encrypt', load: async () => (await import('./encrypt.ts')).encryptCommand },
  { name: 'decrypt', flags: ['-d', '--decrypt'], load: async () => (await import('./decrypt.ts')).decryptCommand },
  { name: 'rotate', flags: ['-r', '--rotate'], load: async () => (await import('./rotate.ts')).legacyRotateCommand },
  { name: 'set', flags: ['--set'], load: async () => (await import('./set.ts')).legacySetCommand },
];

function unique(flags: readonly Flag[]): Flag[] {
  return [...new Map(flags.map((flag) => [flag.name, flag])).values()];
}
