import type { Entropy, World } from '../base/world/index.ts';
import type { Command } from './command.ts';

/** A command of Sotto's own. Its module is loaded when it is called, so that `--help` stays fast. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Command>;
}

/** A program that Sotto stands in for, called as `sotto NAME …` or through a link of that name. */
export interface DropIn {
  readonly name: string;
  readonly summary: string;
  load(): Promise<(argv: readonly string[], world: World, entropy: Entropy) => Promise<number>>;
}

/** Every command of Sotto's own, by the heading under which `sotto --help` shows it. */
export const COMMANDS: readonly { readonly heading: string; readonly commands: readonly CommandEntry[] }[] = [
  {
    heading: 'Run',
    commands: [
      {
        name: 'up',
        summary: 'embedded cluster, controllers and a Git source in one process',
        load: async () => (await import('./up/index.ts')).up,
      },
      { name: 'cluster', summary: 'the embedded Kubernetes API alone', load: async () => (await import('./cluster.ts')).cluster },
      {
        name: 'controller',
        summary: 'the controllers against any Kubernetes API',
        load: async () => (await import('./controller.ts')).controller,
      },
    ],
  },
  {
    heading: 'Look and act',
    commands: [
      { name: 'build', summary: 'render a directory as the Flux controller would', load: async () => (await import('./build.ts')).build },
      { name: 'get', summary: 'list Kustomizations, sources and Secrets', load: async () => (await import('./get.ts')).get },
      {
        name: 'reconcile',
        summary: 'ask a source or Kustomization to run now',
        load: async () => (await import('./reconcile.ts')).reconcile,
      },
    ],
  },
  {
    heading: 'Other',
    commands: [
      {
        name: 'completion',
        summary: 'completion script for bash, zsh or fish',
        load: async () => (await import('./completion.ts')).completionFor(entries, DROP_INS),
      },
      {
        name: 'version',
        summary: 'version of Sotto and of what it stands in for',
        load: async () => (await import('./version.ts')).version,
      },
    ],
  },
];

export const DROP_INS: readonly DropIn[] = [
  { name: 'sops', summary: 'encrypt, decrypt, edit and rotate SOPS files', load: async () => (await import('./sops/index.ts')).main },
  { name: 'kustomize', summary: 'build as kustomize 5.8.1 does', load: async () => (await import('./kustomize/index.ts')).main },
  { name: 'age-keygen', summary: 'make age keys', load: async () => (await import('./age-keygen/index.ts')).main },
];

/** All of them, without headings. */
function entries(): readonly CommandEntry[] {
  return COMMANDS.flatMap((group) => group.commands);
}

/** The entry of a command, or undefined. */
export function findCommand(name: string): CommandEntry | undefined {
  return entries().find((command) => command.name === name);
}

export function findDropIn(name: string): DropIn | undefined {
  return DROP_INS.find((program) => program.name === name);
}
