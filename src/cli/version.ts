import { stringifyJson } from '../kube/objects/index.ts';
import { exit, type Command } from './command.ts';
import { RELEASE } from './release.ts';

/** `sotto version`. */
export const version: Command = {
  name: 'version',
  summary: 'Prints the version of Sotto and of the programs whose behaviour it follows.',
  usage: ['sotto version [-o text|json]'],
  examples: [
    { command: 'sotto version', does: 'One line' },
    { command: 'sotto version -o json', does: 'For scripts' },
    { command: 'sotto --version', does: 'The same' },
  ],
  flags: [{ name: 'output', short: 'o', value: 'FORMAT', default: 'text', choices: ['text', 'json'], help: 'text or json' }],
  async run(args, face) {
    const { name, version: own, follows } = RELEASE;
    const text = args.text('output') === 'json' ? stringifyJson({ schemaVersion: 1, version: own, follows }) : `${name} ${own}`;
    face.world.stdout.write(`${text}\n`);
    return exit.ok;
  },
};
