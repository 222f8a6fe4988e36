import { chmodSync, closeSync, openSync, writeSync } from 'node:fs';

import { stringifyJson } from '../../../kube/objects/index.ts';
import type { AuditSink } from './types.ts';

/** Appends records to a file that only its owner can read, a line each. Throws what the file system throws. */
export function auditFile(path: string): AuditSink {
  const file = openSync(path, 'a', 0o600);
  // The file may have been there with another mode.
  chmodSync(path, 0o600);
  return { write: (event) => void writeSync(file, `${stringifyJson(event)}\n`), close: () => closeSync(file) };
}
