/**
 * Which node a comment belongs to. The rules are about positions; in what SOPS makes of them (a flat list of comments
 * and items per collection) they agree with the head, line and foot comments of go-yaml v3 nearly always.
 */
import { cutBlocks, type CommentBlock } from './comment-blocks.ts';
import type { Comment } from './comment-tokens.ts';
import type { Span } from './compose.ts';
import type { YamlMap, YamlNode, YamlSequence } from './types.ts';

type Collection = YamlMap | YamlSequence;
type Spans = ReadonlyMap<YamlNode, Span>;

/** An item of a collection, in document order. */
interface Entry {
  readonly start: number;
  readonly column: number;
  /** Carries the comments above the item. */
  readonly head: YamlNode;
  readonly value: YamlNode;
  readonly collection: Collection;
  readonly parent: Entry | undefined;
}

/** Full-line comments with the items around them. */
interface Gap {
  readonly previous: Entry | undefined;
  readonly following: Entry | undefined;
  readonly lines: Comment[];
}

/**
 * Puts each comment on its node, and returns those that come after the last item of the root collection (or that
 * have no node at all).
 */
export function attachComments(root: YamlNode | undefined, comments: readonly Comment[], spans: Spans): string[] {
  if (comments.length === 0) return [];
  const entries = root === undefined ? [] : listEntries(root, spans);
  const trailing: string[] = [];
  let gap: Gap | undefined;
  let next = 0;
  for (const comment of comments) {
    while (next < entries.length && (entries[next]?.start ?? Infinity) < comment.offset) next += 1;
    const [previous, following] = [entries[next - 1], entries[next]];
    if (comment.inline && attachInline(comment, previous, root, spans)) continue;
    if (gap === undefined || gap.previous !== previous) {
      if (gap !== undefined) attachGap(gap, root, spans, trailing);
      gap = { previous, following, lines: [] };
    }
    gap.lines.push(comment);
  }
  if (gap !== undefined) attachGap(gap, root, spans, trailing);
  return trailing;
}

function attachGap({ previous, following, lines }: Gap, root: YamlNode | undefined, spans: Spans, trailing: string[]): void {
  const flow = openFlow(previous, lines, spans);
  const innermost = previous === undefined || flow !== undefined ? undefined : blockEntry(previous);
  const blocks = flow === undefined ? cutBlocks(lines, innermost?.column ?? 0, following?.column) : [{ comments: lines }];
  for (const block of blocks) {
    const ended = flow ?? (block.ends === undefined ? undefined : endedCollection(block, innermost));
    const target = targetOf(ended, following, root, spans, block.comments) ?? trailing;
    target.push(...block.comments.map(({ text }) => text));
  }
}

/** The flow collection in whose brackets the comments stand. */
function openFlow(previous: Entry | undefined, lines: readonly Comment[], spans: Spans): Collection | undefined {
  const offset = lines[0]?.offset ?? 0;
  for (let entry = previous; entry?.collection.flow === true; entry = entry.parent) {
    if (offset < (spans.get(entry.collection)?.end ?? 0)) return entry.collection;
  }
  return undefined;
}

function blockEntry(entry: Entry): Entry | undefined {
  let block: Entry | undefined = entry;
  while (block?.collection.flow === true) block = block.parent;
  return block;
}

function endedCollection({ comments, ends }: CommentBlock, innermost: Entry | undefined): Collection | undefined {
  const column = comments[0]?.column ?? 1;
  let entry = innermost;
  if (ends === 'own-column') while (entry !== undefined && entry.column > column) entry = entry.parent;
  return entry === undefined || isOutside(column, entry) ? undefined : entry.collection;
}

/** A comment left of everything that is open, but for the root, ends nothing. */
function isOutside(column: number, entry: Entry): boolean {
  let outer = entry;
  while (outer.parent !== undefined) outer = outer.parent;
  return column <= outer.column;
}

/** Comments of the collection that goes on stand above its next item. */
function targetOf(
  ended: Collection | undefined,
  following: Entry | undefined,
  root: YamlNode | undefined,
  spans: Spans,
  lines: readonly Comment[],
): string[] | undefined {
  const column = lines[0]?.column ?? 1;
  const goesOn = following !== undefined && (ended === following.collection || (column <= following.column && ended?.flow !== true));
  if (ended !== undefined && ended !== root && !goesOn) return (ended.footComments ??= []);
  if (following !== undefined) return (following.head.comments ??= []);
  const above = root !== undefined && (spans.get(root)?.start ?? 0) > (lines[0]?.offset ?? 0);
  return above ? (root.comments ??= []) : undefined;
}

function attachInline(comment: Comment, previous: Entry | undefined, root: YamlNode | undefined, spans: Spans): boolean {
  const target = previous === undefined ? root : inlineTarget(previous, comment, spans);
  if (target === undefined || (previous === undefined && isBlockCollection(target))) return false;
  if (target.inlineComment !== undefined) return false;
  target.inlineComment = comment.text;
  return true;
}

function inlineTarget(entry: Entry, comment: Comment, spans: Spans): YamlNode {
  // Behind the end of a flow collection the comment is the collection's.
  let target = entry;
  while (target.collection.flow && target.parent !== undefined && (spans.get(target.collection)?.end ?? Infinity) <= comment.offset)
    target = target.parent;
  return target.collection.kind === 'map' && isBlockCollection(target.value) ? target.head : target.value;
}

function isBlockCollection(node: YamlNode): boolean {
  return node.kind !== 'scalar' && !node.flow;
}

function listEntries(root: YamlNode, spans: Spans): Entry[] {
  const entries: Entry[] = [];
  const visit = (collection: YamlNode, parent: Entry | undefined): void => {
    if (collection.kind === 'scalar') return;
    const pairs = collection.kind === 'map' ? collection.items : collection.items.map((value) => ({ key: value, value }));
    for (const { key, value } of pairs) {
      const span = spans.get(key);
      if (span === undefined) continue; // inside the copy that an alias stands for
      const column = collection.kind === 'map' ? key.column : collection.column;
      const entry: Entry = { start: span.start, column, head: key, value, collection, parent };
      entries.push(entry);
      if (key !== value) visit(key, entry);
      visit(value, entry);
    }
  };
  visit(root, undefined);
  return entries;
}
