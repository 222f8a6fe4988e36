import type { Output } from '../../base/world/index.ts';
import type { KeyGroups } from '../../secrets/sops/index.ts';

/** What becomes of the keys of one group, by their display strings. */
export interface GroupDiff {
  readonly common: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Compares groups by their place. */
export function diffGroups(ours: KeyGroups, theirs: KeyGroups): GroupDiff[] {
  return Array.from({ length: Math.max(ours.length, theirs.length) }, (_, index) => {
    const before = (ours[index] ?? []).map((key) => key.display);
    const after = (theirs[index] ?? []).map((key) => key.display);
    return {
      common: after.filter((key) => before.includes(key)),
      added: after.filter((key) => !before.includes(key)),
      removed: before.filter((key) => !after.includes(key)),
    };
  });
}

export function isChanged(diffs: readonly GroupDiff[]): boolean {
  return diffs.some(({ added, removed }) => added.length > 0 || removed.length > 0);
}

const GREEN = '32';
const RED = '31';
const UNDERLINE = '4';

/** Prints as upstream does: groups count from 1, colours on a terminal only. */
export function printDiff(diffs: readonly GroupDiff[], thresholdBefore: number, thresholdAfter: number, output: Output): void {
  const line = (text: string, colour?: string): void =>
    output.write(colour === undefined || !output.isTTY ? `${text}\n` : `\u001b[${colour}m${text}\n\u001b[0m`);
  if (thresholdBefore > 0 && thresholdBefore === thresholdAfter) {
    line(`shamir_threshold: ${thresholdAfter}`);
  } else {
    if (thresholdAfter > 0) line(`+++ shamir_threshold: ${thresholdAfter}`, GREEN);
    if (thresholdBefore > 0) line(`--- shamir_threshold: ${thresholdBefore}`, RED);
  }
  for (const [index, { common, added, removed }] of diffs.entries()) {
    line(`Group ${index + 1}`, UNDERLINE);
    for (const key of common) line(`    ${key}`);
    for (const key of added) line(`+++ ${key}`, GREEN);
    for (const key of removed) line(`--- ${key}`, RED);
  }
}
