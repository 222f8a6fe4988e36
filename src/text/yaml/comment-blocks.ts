import type { Comment } from './comment-tokens.ts';

/** Comment lines between two items that belong together. */
export interface CommentBlock {
  readonly comments: readonly Comment[];
  /**
   * What it ends instead of heading what follows: the innermost open collection, or the one at its own column.
   * Undefined: nothing.
   */
  readonly ends?: 'innermost' | 'own-column';
}

/**
 * Cuts the comment lines between two items into blocks as go-yaml v3's scanner does: lines end what precedes them when
 * they stand directly below it with a blank line after them, or when the next line (comment or content) stands at
 * another column that is not deeper than the open collection.
 *
 * @param depth column of the innermost block collection that is open; 0 when none is
 * @param next column of the item that follows; undefined at the end of the document
 */
export function cutBlocks(lines: readonly Comment[], depth: number, next: number | undefined): CommentBlock[] {
  const blocks: CommentBlock[] = [];
  let block: Comment[] = [];
  let seenBlank = lines[0]?.blankAbove ?? false;
  const end = (ends?: CommentBlock['ends']): void => {
    if (block.length > 0) blocks.push({ comments: block, ...(ends === undefined ? {} : { ends }) });
    block = [];
  };
  const endBefore = (column: number): void => {
    const start = block[0]?.column;
    if (start !== undefined && column <= depth && column !== start) end(blocks.length === 0 ? 'innermost' : 'own-column');
  };
  const blank = (): void => {
    const [first] = block;
    if (!seenBlank && first !== undefined && (first === lines[0] || first.column <= depth))
      end(first.column < depth || blocks.length > 0 ? 'own-column' : 'innermost');
    seenBlank = true;
  };
  for (const [index, line] of lines.entries()) {
    if (index > 0 && line.blankAbove) blank();
    endBefore(line.column);
    block.push(line);
  }
  if (lines.at(-1)?.blankBelow === true) blank();
  if (next !== undefined) endBefore(next);
  end();
  return blocks;
}
