import { formatPosition, messageOf, SottoError } from '../../base/errors/index.ts';
import { DataKeyError, type GroupAttempt } from '../../secrets/sops/index.ts';

/** Upstream's exit statuses (sops:cmd/sops/codes). */
export const status = {
  ok: 0,
  generic: 1,
  unreadable: 2,
  unwritable: 3,
  undumpable: 4,
  conflict: 8,
  encryptionFailed: 23,
  decryptionFailed: 25,
  macMismatch: 51,
  badPath: 91,
  noDocument: 92,
  noFile: 100,
  duplicateKeyType: 112,
  noDataKey: 128,
  alreadyEncrypted: 203,
} as const;

type Phase = 'encrypt' | 'decrypt';

/** Exit status of an error code, where it differs between the two commands as a pair. */
const STATUSES: Readonly<Record<string, number | Readonly<Record<Phase, number>>>> = {
  SOPS_CONFLICT: status.conflict,
  SOPS_SELECTION_CONFLICT: status.conflict,
  SOPS_NO_FILE: status.noFile,
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

export function statusOf(error: unknown, phase: Phase): number {
  if (!(error instanceof SottoError)) return status.generic;
  const found = Object.hasOwn(STATUSES, error.code) ? STATUSES[error.code] : undefined;
  if (typeof found === 'number') return found;
  if (found !== undefined) return found[phase];
  return error.code.startsWith('YAML_') && phase === 'encrypt' ? status.unreadable : status.generic;
}

/** The text of an error as it goes to stderr. */
export function describeFailure(error: unknown): string {
  if (error instanceof DataKeyError) return describeDataKeyFailure(error);
  if (!(error instanceof SottoError)) return `${messageOf(error)}\n`;
  const where = formatPosition(error.at);
  const hint = error.hint === undefined ? '' : `hint: ${error.hint}\n`;
  return `${where === '' ? '' : `${where}: `}${error.message}\n${hint}`;
}

/** Upstream's report, key by key: scripts look for its first line and for `Group N: FAILED`. */
function describeDataKeyFailure({ groups, threshold, message }: DataKeyError): string {
  const opened = groups.filter((group) => group.opened).length;
  const trailer =
    groups.length > 1
      ? `Recovery failed because ${threshold} key groups have to open the file, and ${opened} did.`
      : 'Recovery failed because no master key was able to decrypt the file.';
  const search = /searched: .*$/.exec(message)?.[0] ?? '';
  const reports = groups.map((group, index) => describeGroup(group, index)).join('\n\n');
  return `Failed to get the data key required to decrypt the SOPS file.\n\n${reports}\n\n${trailer}\n${search}\n`;
}

function describeGroup(group: GroupAttempt, index: number): string {
  if (group.opened) return `Group ${index}: SUCCESS`;
  const keys = group.failures.map(({ display, reason }) => `  ${display}: FAILED\n    - | ${reason}`);
  return [`Group ${index}: FAILED`, ...keys].join('\n');
}
