import { exit, type Command } from './command.ts';
import { usageError } from './flags.ts';
import { GLOBAL_FLAGS } from './help.ts';

interface CompletionWords {
  readonly commands: readonly string[];
  /** Long flags of each command, with dashes. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
}

const SHELLS: Readonly<Record<string, (words: CompletionWords) => string>> = { bash, zsh, fish };

/** A command whose flags can be offered. */
interface Completable {
  readonly name: string;
  load(): Promise<Command>;
}

/** `sotto completion bash|zsh|fish`, over the program's own table of commands. */
export const completionFor = (commands: () => readonly Completable[], programs: readonly { readonly name: string }[]): Command => ({
  name: 'completion',
  summary: 'Prints a completion script for a shell.',
  usage: ['sotto completion bash|zsh|fish'],
  examples: [
    { command: 'source <(sotto completion bash)', does: 'bash, in ~/.bashrc' },
    { command: 'sotto completion zsh > "${fpath[1]}/_sotto"', does: 'zsh' },
    { command: 'sotto completion fish > ~/.config/fish/completions/sotto.fish', does: 'fish' },
  ],
  flags: [],
  async run(args, face) {
    const [shell] = args.positional;
    const script = shell === undefined ? undefined : Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
    if (script === undefined)
      throw usageError(shell === undefined ? 'which shell?' : `no completion for "${shell}"`, 'one of bash, zsh, fish');
    face.world.stdout.write(script(await collectWords(commands(), programs)));
    return exit.ok;
  },
});

async function collectWords(entries: readonly Completable[], programs: readonly { readonly name: string }[]): Promise<CompletionWords> {
  const flags = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const command = await entry.load();
    flags.set(
      entry.name,
      [...command.flags, ...GLOBAL_FLAGS].map((flag) => `--${flag.name}`),
    );
  }
  return { commands: [...entries, ...programs].map((entry) => entry.name), flags };
}

function bash({ commands, flags }: CompletionWords): string {
  const cases = [...flags].map(([command, words]) => `    ${command}) words="${words.join(' ')}" ;;`);
  return `_sotto() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${commands.join(' ')}"; else
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ -n "\${COMPREPLY[*]}" ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _sotto sotto
`;
}

function zsh({ commands, flags }: CompletionWords): string {
  const cases = [...flags].map(([command, words]) => `    ${command}) compadd -- ${words.join(' ')}; _files ;;`);
  return `#compdef sotto
_sotto() {
  if (( CURRENT == 2 )); then compadd -- ${commands.join(' ')}; return; fi
  case "$words[2]" in
${cases.join('\n')}
    *) _files ;;
  esac
}
compdef _sotto sotto
`;
}

function fish({ commands, flags }: CompletionWords): string {
  const lines = [...flags].flatMap(([command, words]) =>
    words.map((word) => `complete -c sotto -n '__fish_seen_subcommand_from ${command}' -l ${word.slice(2)}`),
  );
  return `complete -c sotto -n __fish_use_subcommand -f -a '${commands.join(' ')}'\n${lines.join('\n')}\n`;
}
