import type { SopsCommand } from './face.ts';
import { ExitError, status } from './failures.ts';
import { GLOBAL_FLAGS } from './usage.ts';

type Words = ReadonlyMap<string, readonly string[]>;

const SHELLS: Readonly<Record<string, (words: Words) => string>> = { bash, zsh };

/** `sops completion bash|zsh`. */
export function completionCommand(commands: () => Promise<ReadonlyMap<string, SopsCommand>>): SopsCommand {
  return {
    flags: [],
    run: async ({ args, world }) => {
      const [shell = ''] = args.positional;
      const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (script === undefined) throw new ExitError(status.generic, 'which shell? sops completion bash, or sops completion zsh');
      const words = new Map<string, readonly string[]>();
      for (const [name, { flags }] of await commands())
        words.set(
          name,
          [...flags, ...GLOBAL_FLAGS].map((flag) => `--${flag.name}`),
        );
      world.stdout.write(script(words));
    },
  };
}

function bash(words: Words): string {
  const cases = [...words].map(([name, flags]) => `    ${name}) words="${flags.join(' ')}" ;;`);
  return `_sops() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then words="${[...words.keys()].join(' ')}"; fi
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o bashdefault -o default -F _sops sops
`;
}

function zsh(words: Words): string {
  const cases = [...words].map(([name, flags]) => `    ${name}) compadd -- ${flags.join(' ')}; _files ;;`);
  return `#compdef sops
_sops() {
  if (( CURRENT == 2 )); then compadd -- ${[...words.keys()].join(' ')}; _files; return; fi
  case "$words[2]" in
${cases.join('\n')}
    *) _files ;;
  esac
}
compdef _sops sops
`;
}
