import { FLAGS } from './flags.ts';

/** Commands of the original that are no builds (KZ-77), and what to do. */
export const REFUSED_COMMANDS: Readonly<Record<string, string>> = {
  edit: 'edit the kustomization file by hand',
  create: 'write the kustomization file by hand',
  init: 'write the kustomization file by hand',
  localize: 'copy remote bases into the repository',
  cfg: 'it is not part of a build',
  fn: 'run functions beforehand and list their output under resources',
  completion: 'see `sotto completion`',
};

export const OVERVIEW = `kustomize builds, by Sotto: what kustomize 5.8.1 prints, byte for byte.

Usage:
  kustomize build [DIR] [flags]
  kustomize version

Not here: ${Object.keys(REFUSED_COMMANDS)
  .filter((name) => name !== 'init')
  .join(', ')}.
See docs/kustomize.md.
`;

/** The help page of `build`. */
export function buildHelp(): string {
  const lines = Object.entries(FLAGS)
    .filter(([, { refused }]) => refused === undefined)
    .map(([name, { short, value, help }]) => {
      const spelling = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
      return `  ${spelling.padEnd(33)} ${help}`;
    });
  const refused = Object.entries(FLAGS).flatMap(([name, facts]) => (facts.refused === undefined ? [] : [`--${name}`]));
  return `Builds the kustomization in a directory (default: this one) and prints its objects.

Usage:
  kustomize build [DIR] [flags]

Examples:
  kustomize build overlays/production
  kustomize build overlays/production -o rendered/
  kustomize build . --strict

Flags:
${lines.join('\n')}

Known and refused: ${refused.join(', ')}.
`;
}
