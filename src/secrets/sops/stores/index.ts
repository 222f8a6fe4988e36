import { SottoError } from '../../../base/errors/index.ts';
import type { SopsFormat } from '../types.ts';
import { binaryStore } from './binary.ts';
import { dotenvStore } from './dotenv.ts';
import { jsonStore } from './json.ts';
import type { Store } from './store.ts';
import { yamlStore } from './yaml.ts';

export type { EncryptedFile, Store, StoreContext } from './store.ts';

const refuseIni = (): never => {
  throw new SottoError('SOPS_FORMAT_UNSUPPORTED', 'the INI format is not supported yet', { hint: 'use yaml, json, dotenv or binary' });
};

const iniStore: Store = {
  parsePlain: refuseIni,
  parseEncrypted: refuseIni,
  emitPlain: refuseIni,
  emitEncrypted: refuseIni,
  emitValue: refuseIni,
  reservedKey: () => undefined,
};

/** One line per file format. */
export const STORES: Readonly<Record<SopsFormat, Store>> = {
  yaml: yamlStore,
  json: jsonStore,
  dotenv: dotenvStore,
  ini: iniStore,
  binary: binaryStore,
};
