import type { CST } from 'yaml';

/** A comment of the text. Columns and lines count from 1. */
export interface Comment {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** Something else stands before it on its line. */
  readonly inline: boolean;
  /** The line above is blank, or there is none. */
  readonly blankAbove: boolean;
  /** The line below is blank, or there is none. */
  readonly blankBelow: boolean;
}

/** Finds the comments among the tokens of one document, in order. */
export function collectComments(
  document: readonly CST.Token[],
  text: string,
  position: (offset: number) => { line: number; col: number },
): Comment[] {
  const found: Comment[] = [];
  const add = (token: CST.SourceToken | CST.Token): void => {
    if (token.type !== 'comment' || !('offset' in token)) return;
    const { line, col: column } = position(token.offset);
    const lineStart = token.offset - column + 1;
    const before = text.slice(lineStart, token.offset);
    found.push({
      offset: token.offset,
      line,
      column,
      text: token.source.slice(1).replace(/\r$/, ''),
      // The marker of a document is no content of its line.
      inline: before.replace(/^\uFEFF?(?:---)?/, '').trim() !== '',
      blankAbove: isBlankLine(text, text.lastIndexOf('\n', lineStart - 2) + 1),
      blankBelow: isBlankLine(text, text.indexOf('\n', token.offset) + 1),
    });
  };
  for (const token of document) forEachToken(token, add);
  return found.toSorted((a, b) => a.offset - b.offset);
}

/** `start` is 0 for the line below the last one: `indexOf` found no line break. */
function isBlankLine(text: string, start: number): boolean {
  const end = text.indexOf('\n', start);
  return start === 0 || text.slice(start, end < 0 ? text.length : end).trim() === '';
}

/** Depth is bounded by the caller, so recursion is fine. */
function forEachToken(token: CST.Token | CST.SourceToken | undefined, visit: (token: CST.Token | CST.SourceToken) => void): void {
  if (token === undefined) return;
  visit(token);
  for (const list of ['start', 'end', 'props'] as const) {
    const children = (token as unknown as Partial<Record<typeof list, unknown>>)[list];
    if (Array.isArray(children)) for (const child of children as CST.SourceToken[]) visit(child);
  }
  if ('items' in token) {
    for (const item of token.items) {
      for (const child of item.start) visit(child);
      forEachToken(item.key ?? undefined, visit);
      for (const child of item.sep ?? []) visit(child);
      forEachToken(item.value, visit);
    }
  }
  if (token.type === 'document') forEachToken(token.value, visit);
}
