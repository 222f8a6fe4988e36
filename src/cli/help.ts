import type { Command } from './command.ts';
import type { Flag } from './flags.ts';

const WIDTH = 80;
const INDENT = '  ';

/** Flags that every command of Sotto's own takes. */
export const GLOBAL_FLAGS: readonly Flag[] = [
  { name: 'help', short: 'h', help: 'show this page', group: 'Global flags' },
  { name: 'quiet', short: 'q', help: 'no progress and no notes', group: 'Global flags' },
  { name: 'verbose', short: 'v', help: 'show each step', group: 'Global flags' },
  {
    name: 'color',
    value: 'WHEN',
    default: 'auto',
    choices: ['auto', 'always', 'never'],
    help: 'auto, always or never',
    group: 'Global flags',
  },
];

/** The manual page of one command: 80 columns, one sentence, usage, examples, flags by group, exit codes (TRM-08). */
export function commandHelp(command: Command): string {
  const groups = new Map<string, Flag[]>();
  for (const flag of [...command.flags, ...GLOBAL_FLAGS]) {
    const heading = flag.group ?? 'Flags';
    groups.set(heading, [...(groups.get(heading) ?? []), flag]);
  }
  const sections = [
    wrapText(command.summary, ''),
    section(
      'Usage',
      command.usage.map((line) => INDENT + line),
    ),
    ...(command.description === undefined
      ? []
      : [
          command.description
            .split('\n\n')
            .map((paragraph) => wrapText(paragraph, ''))
            .join('\n\n'),
        ]),
    section(
      'Examples',
      command.examples.flatMap((example) => [`${INDENT}# ${example.does}`, `${INDENT}${example.command}`]),
    ),
    ...[...groups].map(([heading, flags]) => section(heading, flagLines(flags))),
    section('Exit codes', exitLines(command)),
    ...(command.seeAlso === undefined ? [] : [section('See also', [wrapText(command.seeAlso.join(', '), INDENT)])]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function section(heading: string, lines: readonly string[]): string {
  return `${heading}:\n${lines.join('\n')}`;
}

function exitLines(command: Command): string[] {
  const codes: Record<number, string> = {
    0: 'success',
    ...command.exitCodes,
    64: 'wrong command line',
    65: 'wrong input',
    70: 'internal error',
  };
  return Object.entries(codes).map(([code, meaning]) => wrapText(`${code.padEnd(3)} ${meaning}`, INDENT, 6));
}

function flagLines(flags: readonly Flag[]): string[] {
  const heads = flags.map(
    (flag) => `${flag.short === undefined ? '    ' : `-${flag.short}, `}--${flag.name}${flag.value === undefined ? '' : ` ${flag.value}`}`,
  );
  const column = Math.min(30, Math.max(...heads.map((head) => head.length)) + 2);
  return flags.map((flag, i) => {
    const head = heads[i] ?? '';
    const text = flag.default === undefined ? flag.help : `${flag.help} (default ${flag.default})`;
    const body = wrapText(text, INDENT + ' '.repeat(column)).trimStart();
    return head.length + 2 > column ? `${INDENT}${head}\n${INDENT}${' '.repeat(column)}${body}` : `${INDENT}${head.padEnd(column)}${body}`;
  });
}

/** Wraps words at 80 columns; continuation lines get `hang` more spaces. */
function wrapText(text: string, indent: string, hang = 0): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const fresh = line.trim() === '';
    if (!fresh && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + ' '.repeat(hang) + word;
    } else {
      line = fresh ? line + word : `${line} ${word}`;
    }
  }
  return [...lines, line].join('\n');
}

/** The page of `sotto --help`: commands by group. */
export function overview(
  groups: readonly { readonly heading: string; readonly commands: readonly { name: string; summary: string }[] }[],
): string {
  const names = groups.flatMap((group) => group.commands.map((command) => command.name.length));
  const column = Math.max(...names) + 2;
  const body = groups.map((group) =>
    section(
      group.heading,
      group.commands.map(({ name, summary }) => INDENT + name.padEnd(column) + wrapText(summary, INDENT + ' '.repeat(column)).trimStart()),
    ),
  );
  return `${[
    'GitOps secrets for Kubernetes: from a Git commit to a Secret in a cluster.',
    section('Usage', [`${INDENT}sotto COMMAND [FLAGS]`]),
    section('Examples', [
      `${INDENT}# Bring this checkout up on the embedded cluster, then exit`,
      `${INDENT}sotto up --once --age-key-file key.txt`,
      `${INDENT}# Render what the Flux controller would apply`,
      `${INDENT}sotto build ./clusters/home`,
      `${INDENT}# Encrypt a Secret before committing it`,
      `${INDENT}sotto sops encrypt -i secret.enc.yaml`,
    ]),
    ...body,
    '`sotto COMMAND --help` is the manual page of a command.',
  ].join('\n\n')}\n`;
}
