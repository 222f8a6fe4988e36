import { formatPosition, messageOf, SottoError } from '../../base/errors/index.ts';
import { DataKeyError, type GroupAttempt } from '../../secrets/sops/index.ts';

/** Upstream's exit statuses (sops:cmd/sops/codes). */
export const status = {
  ok: 0,
  generic: 1,
  unreadable: 2,
  unwritable: 3,
  undumpable: 4,
  badContext: 6,
  badSet: 7,
  conflict: 8,
  encryptionFailed: 23,
  decryptionFailed: 25,
  keysOfMissingFile: 49,
  macMismatch: 51,
  badPath: 91,
  noDocument: 92,
  noFile: 100,
  duplicateKeyType: 112,
  noDataKey: 128,
  notModified: 200,
  noEditor: 201,
  alreadyEncrypted: 203,
} as const;

/** A failure whose status and text are upstream's own. */
export class ExitError extends SottoError {
  readonly status: number;

  constructor(exitStatus: number, message: string) {
    super('SOPS_EXIT', message);
    this.status = exitStatus;
  }
}

/** Whether plain or encrypted files are read: some errors have another status then. */
export type Phase = 'encrypt' | 'decrypt';

/** Exit status of an error code, where it differs between the two commands as a pair. */
const STATUSES: Readonly<Record<string, number | Readonly<Record<Phase, number>>>> = {
  SOPS_CONTEXT_INVALID: status.badContext,
  SOPS_CONFLICT: status.conflict,
  SOPS_SELECTION_CONFLICT: status.conflict,
  SOPS_NO_FILE: status.noFile,
  SOPS_UNREADABLE: status.unreadable,
  SOPS_UNWRITABLE: status.unwritable,
  SOPS_NO_DOCUMENT: status.noDocument,
  SOPS_RESERVED_KEY: status.alreadyEncrypted,
  SOPS_COMMENT_COLLISION: status.encryptionFailed,
  SOPS_EMIT: status.undumpable,
  SOPS_INDENT_INVALID: status.undumpable,
  SOPS_NOT_REVERSIBLE: status.undumpable,
  SOPS_SEVERAL_DOCUMENTS: status.undumpable,
  SOPS_NO_IDENTITY: status.noDataKey,
  SOPS_KEY_FAILED: status.noDataKey,
  SOPS_SHAMIR: { encrypt: status.generic, decrypt: status.noDataKey },
  SOPS_VALUE_TAMPERED: status.decryptionFailed,
  SOPS_VALUE_MALFORMED: status.decryptionFailed,
  SOPS_VALUE_TYPE: status.decryptionFailed,
  SOPS_MAC_MISMATCH: status.macMismatch,
  SOPS_MAC_INVALID: status.macMismatch,
  SOPS_PATH_INVALID: status.badPath,
  SOPS_DUPLICATE_KEY_TYPE: status.duplicateKeyType,
  SOPS_PARSE: { encrypt: status.unreadable, decrypt: status.generic },
  SOPS_DUPLICATE_KEY: { encrypt: status.unreadable, decrypt: status.generic },
};

export function statusOf(error: unknown, phase: Phase, own: Readonly<Record<string, number>> = {}): number {
  if (error instanceof ExitError) return error.status;
  if (!(error instanceof SottoError)) return status.generic;
  const table = Object.hasOwn(own, error.code) ? own : STATUSES;
  const found = Object.hasOwn(table, error.code) ? table[error.code] : undefined;
  if (typeof found === 'number') return found;
  if (found !== undefined) return found[phase];
  return error.code.startsWith('YAML_') && phase === 'encrypt' ? status.unreadable : status.generic;
}

/** The text of an error as it goes to stderr. */
export function describeFailure(error: unknown, isTerminal = false): string {
  if (error instanceof DataKeyError) return describeDataKeyFailure(error, isTerminal);
  if (!(error instanceof SottoError)) return `${messageOf(error)}\n`;
  const where = formatPosition(error.at);
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
  return `${where === '' ? '' : `${where}: `}${error.message}\n${hint}`;
}

/** Upstream's report, key by key: scripts look for its first line and for `Group N: FAILED`. */
function describeDataKeyFailure({ groups, threshold, message }: DataKeyError, isTerminal: boolean): string {
  const opened = groups.filter((group) => group.opened).length;
  const trailer =
    groups.length > 1
      ? `Recovery failed because ${threshold} key groups have to open the file, and ${opened} did.`
      : 'Recovery failed because no master key was able to decrypt the file.';
  const search = /searched: .*$/.exec(message)?.[0] ?? '';
  const reports = groups.map((group, index) => describeGroup(group, index, isTerminal)).join('\n\n');
  return `Failed to get the data key required to decrypt the SOPS file.\n\n${reports}\n\n${trailer}\n${search}\n`;
}

function describeGroup(group: GroupAttempt, index: number, isTerminal: boolean): string {
  const [success, failure] = isTerminal ? ['\u001b[32mSUCCESS\u001b[0m', '\u001b[31mFAILED\u001b[0m'] : ['SUCCESS', 'FAILED'];
  if (group.opened) return `Group ${index}: ${success}`;
  const keys = group.failures.map(
    ({ display, reasons }) => `  ${display}: ${failure}\n${reasons.map((reason) => `    - | ${reason}`).join('\n')}`,
  );
  return [`Group ${index}: ${failure}`, ...keys].join('\n');
}
