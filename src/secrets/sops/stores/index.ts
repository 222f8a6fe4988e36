import type { SopsFormat } from '../types.ts';
import { binaryStore } from './binary.ts';
import { dotenvStore } from './dotenv.ts';
import { iniStore } from './ini.ts';
import { jsonStore } from './json.ts';
import type { Store } from './store.ts';
import { yamlStore } from './yaml.ts';

export type { EncryptedFile, Store, StoreContext } from './store.ts';

/** One line per file format. */
export const STORES: Readonly<Record<SopsFormat, Store>> = {
  yaml: yamlStore,
  json: jsonStore,
  dotenv: dotenvStore,
  ini: iniStore,
  binary: binaryStore,
};
