import { SottoError } from '../../base/errors/index.ts';
import { compileRegExp } from '../../text/regexp/index.ts';
import type { SelectionRule } from './types.ts';

/** The six rules in the order of the metadata, as files spell them. */
export const SELECTION_FIELDS: readonly (readonly [field: string, property: keyof SelectionRule])[] = [
  ['encrypted_comment_regex', 'encryptedCommentRegex'],
  ['encrypted_regex', 'encryptedRegex'],
  ['encrypted_suffix', 'encryptedSuffix'],
  ['unencrypted_comment_regex', 'unencryptedCommentRegex'],
  ['unencrypted_regex', 'unencryptedRegex'],
  ['unencrypted_suffix', 'unencryptedSuffix'],
];

export const DEFAULT_SELECTION: SelectionRule = { unencryptedSuffix: '_unencrypted' };

/** What is walked: a value, or a comment line, which stands last in the innermost run of `comments`. */
export interface Candidate {
  readonly isComment: boolean;
  /** All keys from the root, list positions left out. */
  readonly path: readonly string[];
  /** For every container around, the run of comments right before the item being walked. */
  readonly comments: readonly (readonly string[])[];
}

export interface Selector {
  /** True when the candidate is encrypted. */
  selects(candidate: Candidate): boolean;
  /** True when a comment rule matches this text, so that it must not appear by accident. */
  matchesComment(text: string): boolean;
}

type Test = (text: string) => boolean;

/** How a rule decides, given the test of its pattern or suffix. */
const RULES: Readonly<Record<keyof SelectionRule, (test: Test) => Selector>> = {
  unencryptedSuffix: (test) => byPath((path) => !path.some(test)),
  encryptedSuffix: (test) => byPath((path) => path.some(test)),
  unencryptedRegex: (test) => byPath((path) => !path.some(test)),
  encryptedRegex: (test) => byPath((path) => path.some(test)),
  unencryptedCommentRegex: (test) => {
    const isActive = activeTest(test);
    return { selects: ({ comments }) => !comments.some(isActive), matchesComment: test };
  },
  encryptedCommentRegex: (test) => {
    const isActive = activeTest(test);
    return {
      // the line that switches encryption on stays readable itself
      selects: ({ comments, isComment }) => comments.some(isActive) && !(isComment && test(comments.at(-1)?.at(-1) ?? '')),
      matchesComment: test,
    };
  },
};

/** Whether a run of comments matches. Runs only grow while a file is walked, so each line is tested once. */
function activeTest(test: Test): (run: readonly string[]) => boolean {
  const known = new WeakMap<readonly string[], { tested: number; matched: boolean }>();
  return (run) => {
    const state = known.get(run) ?? { tested: 0, matched: false };
    for (; state.tested < run.length && !state.matched; state.tested++) state.matched = test(run[state.tested] ?? '');
    known.set(run, state);
    return state.matched;
  };
}

function byPath(selects: (path: readonly string[]) => boolean): Selector {
  return { selects: ({ path }) => selects(path), matchesComment: () => false };
}

/** Binary files: everything. */
export const SELECT_ALL: Selector = byPath(() => true);

/** The rules that are set; an empty text counts as not set. */
export function activeRules(rule: SelectionRule): (readonly [property: keyof SelectionRule, value: string])[] {
  return SELECTION_FIELDS.flatMap(([, property]) => {
    const value = rule[property];
    return value === undefined || value === '' ? [] : [[property, value] as const];
  });
}

/**
 * Compiles a rule. None set means the default, `unencrypted_suffix: _unencrypted`.
 *
 * @param onInvalid called for a pattern that does not compile; when it returns, the pattern matches nothing, which is
 *   what upstream does with such files
 * @throws SottoError SOPS_SELECTION_CONFLICT when more than one rule is set
 */
export function compileSelection(rule: SelectionRule, onInvalid: (error: SottoError) => void): Selector {
  const rules = activeRules(rule);
  const [chosen = ['unencryptedSuffix', '_unencrypted'] as const, ...others] = rules;
  if (others.length > 0) throw selectionConflict();
  const [property, value] = chosen;
  return RULES[property](property.endsWith('Suffix') ? (text) => text.endsWith(value) : patternTest(value, onInvalid));
}

export function selectionConflict(): SottoError {
  const fields = SELECTION_FIELDS.map(([field]) => field).join(', ');
  return new SottoError('SOPS_SELECTION_CONFLICT', `cannot use more than one of ${fields} in the same file`);
}

function patternTest(pattern: string, onInvalid: (error: SottoError) => void): Test {
  try {
    const compiled = compileRegExp(pattern);
    return (text) => compiled.test(text);
  } catch (error) {
    if (!(error instanceof SottoError)) throw error;
    onInvalid(error);
    return () => false;
  }
}
