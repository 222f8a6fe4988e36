/** What `check` finds, each with how bad it is and what it means. */
export const CHECKS = {
  'plain-value': { level: 'error', meaning: 'a value that the selection rule of the file selects is not encrypted' },
  'plain-file': { level: 'error', meaning: 'a creation rule matches the path, but the file is not encrypted' },
  'unreadable-file': { level: 'error', meaning: 'the file looks encrypted, but does not parse (merge conflict, damage)' },
  'recipients-differ': { level: 'error', meaning: 'the keys of the file are not those of its creation rule; run sops updatekeys' },
  'threshold-differs': { level: 'error', meaning: 'the file needs another number of key groups than its creation rule says' },
  'selection-differs': { level: 'warning', meaning: 'the file selects values by another rule than its creation rule says' },
  'invalid-rule': { level: 'error', meaning: 'a pattern does not compile, so that it selects or matches nothing' },
  'no-rule': { level: 'warning', meaning: 'the file is encrypted, but no creation rule matches its path' },
  'unused-rule': { level: 'warning', meaning: 'the creation rule is the first match of no file of the tree' },
  'nothing-selected': { level: 'warning', meaning: 'the selection rule of the file selects no value: nothing in it is encrypted' },
  'stray-token': {
    level: 'warning',
    meaning: 'a value looks encrypted, but the selection rule does not select it, so that nobody decrypts it',
  },
  'unknown-field': { level: 'warning', meaning: 'a field of the configuration has no effect' },
  'old-data-key': { level: 'warning', meaning: 'the data key was wrapped long ago; run sops rotate' },
  'single-recipient': { level: 'note', meaning: 'one key alone opens the file: if it is lost, the file is' },
} as const satisfies Readonly<Record<string, { readonly level: Level; readonly meaning: string }>>;

export type Level = 'error' | 'warning' | 'note';
export type CheckCode = keyof typeof CHECKS;

/** One finding. Never quotes a value. */
export interface Finding {
  readonly code: CheckCode;
  readonly level: Level;
  /** The file, relative to the root of the tree; the configuration's own name for findings about it. */
  readonly file: string;
  readonly message: string;
}

/** Makes findings about one file. */
export function finding(code: CheckCode, file: string, message: string): Finding {
  return { code, level: CHECKS[code].level, file, message };
}
