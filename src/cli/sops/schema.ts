import { CONFIG_SCHEMA } from '../../secrets/sops/index.ts';
import type { SopsCommand } from './face.ts';

/** `sops schema`, Sotto's own: the JSON Schema of `.sops.yaml`. */
export const schemaCommand: SopsCommand = {
  flags: [],
  run: ({ world }) => {
    world.stdout.write(`${JSON.stringify(CONFIG_SCHEMA, undefined, 2)}\n`);
    return Promise.resolve();
  },
};
