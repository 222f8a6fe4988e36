export interface RegExpOptions {
  /** The whole text must match, as if the pattern stood between `\A` and `\z`. Default false. */
  readonly anchored?: boolean;
}

/** One match. Offsets are UTF-16 units, `end` exclusive. */
export interface RegExpMatch {
  readonly text: string;
  readonly index: number;
  readonly end: number;
  /** Capture groups from 1 on; undefined where a group took no part. */
  readonly groups: readonly (string | undefined)[];
  /** Named groups, on an object without prototype. */
  readonly named: Readonly<Record<string, string | undefined>>;
}

/** A compiled pattern. It has no state: calls do not influence each other. */
export interface SafeRegExp {
  readonly pattern: string;
  test(text: string): boolean;
  /** The leftmost match, or undefined. */
  match(text: string): RegExpMatch | undefined;
  /** All matches that do not overlap, left to right. */
  matchAll(text: string): readonly RegExpMatch[];
  /** Replaces every match. A string is taken literally; a function computes the text per match. */
  replace(text: string, replacement: string | ((match: RegExpMatch) => string)): string;
}
