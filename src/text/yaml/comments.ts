/**
 * Which node a comment belongs to. Our rules are about positions; in what SOPS makes of them (a flat list of
 * comments and items per collection) they agree with the head, line and foot comments of go-yaml v3.
 */
import type { CST } from 'yaml';

import type { Span } from './compose.ts';
import type { YamlMap, YamlNode, YamlSequence } from './types.ts';

/** A comment of the text. Columns and lines count from 1. */
export interface Comment {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** True when something else stands before it on its line. */
  readonly inline: boolean;
}

type Collection = YamlMap | YamlSequence;

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

/** Finds the comments among the tokens of one document, in order. */
export function collectComments(
  document: readonly CST.Token[],
  text: string,
  position: (offset: number) => { line: number; col: number },
): Comment[] {
  const found: Comment[] = [];
  const add = (token: CST.SourceToken | CST.Token): void => {
    if (token.type !== 'comment' || !('offset' in token)) return;
    const { line, col } = position(token.offset);
    const before = text.slice(token.offset - col + 1, token.offset);
    // The marker of a document is no content of its line.
    const inline = before.replace(/^(?:---|\uFEFF)/, '').trim() !== '' && !/^\uFEFF?---\s*$/.test(before);
    found.push({ offset: token.offset, line, column: col, text: token.source.slice(1).replace(/\r$/, ''), inline });
  };
  for (const token of document) forEachToken(token, add);
  return found.toSorted((a, b) => a.offset - b.offset);
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

/**
 * Puts each comment on its node, and returns those that come after the last item of the root collection (or that
 * have no node at all).
 */
export function attachComments(root: YamlNode | undefined, comments: readonly Comment[], spans: ReadonlyMap<YamlNode, Span>): string[] {
  if (comments.length === 0) return [];
  const entries = root === undefined ? [] : listEntries(root, spans);
  const trailing: string[] = [];
  let next = 0;
  let last: { readonly line: number; readonly target: string[] } | undefined;
  for (const comment of comments) {
    while (next < entries.length && (entries[next]?.start ?? Infinity) < comment.offset) next += 1;
    const previous = entries[next - 1];
    const following = entries[next];
    if (comment.inline && attachInline(comment, previous, root, spans)) continue;
    // A block of comment lines stays together, unless a line stands at the column of what follows or of a collection that ends.
    const together = last?.line === comment.line - 1 && !startsItsOwn(comment, previous, following);
    const target = (together ? last?.target : ownTarget(comment, previous, following, root, spans)) ?? trailing;
    target.push(comment.text);
    last = { line: comment.line, target };
  }
  return trailing;
}

function startsItsOwn(comment: Comment, previous: Entry | undefined, following: Entry | undefined): boolean {
  if (comment.column <= (following?.column ?? 1)) return true;
  for (let entry = previous; entry !== undefined; entry = entry.parent) if (entry.column === comment.column) return true;
  return false;
}

function ownTarget(
  comment: Comment,
  previous: Entry | undefined,
  following: Entry | undefined,
  root: YamlNode | undefined,
  spans: ReadonlyMap<YamlNode, Span>,
): string[] | undefined {
  const collection = footCollection(comment, previous, following, spans);
  if (collection !== undefined && collection !== root) return (collection.footComments ??= []);
  if (following !== undefined) return (following.head.comments ??= []);
  const above = previous === undefined && root !== undefined && (spans.get(root)?.start ?? 0) > comment.offset;
  return above ? (root.comments ??= []) : undefined;
}

function attachInline(
  comment: Comment,
  previous: Entry | undefined,
  root: YamlNode | undefined,
  spans: ReadonlyMap<YamlNode, Span>,
): boolean {
  const target = previous === undefined ? root : inlineTarget(previous, comment, spans);
  if (target === undefined || (previous === undefined && isBlockCollection(target))) return false;
  if (target.inlineComment !== undefined) return false;
  target.inlineComment = comment.text;
  return true;
}

function inlineTarget(entry: Entry, comment: Comment, spans: ReadonlyMap<YamlNode, Span>): YamlNode {
  // Behind the end of a flow collection the comment is the collection's.
  let target = entry;
  while (target.collection.flow && target.parent !== undefined && (spans.get(target.collection)?.end ?? Infinity) <= comment.offset)
    target = target.parent;
  return target.collection.kind === 'map' && isBlockCollection(target.value) ? target.head : target.value;
}

function isBlockCollection(node: YamlNode): boolean {
  return node.kind !== 'scalar' && !node.flow;
}

/** The collection that a full-line comment ends, when it belongs to none of the items that follow. */
function footCollection(
  comment: Comment,
  previous: Entry | undefined,
  following: Entry | undefined,
  spans: ReadonlyMap<YamlNode, Span>,
): Collection | undefined {
  for (let entry = previous; entry !== undefined; entry = entry.parent) {
    const { collection } = entry;
    if (collection.flow) {
      if (comment.offset >= (spans.get(collection)?.end ?? 0)) continue;
      return following?.collection === collection ? undefined : collection;
    }
    if (following !== undefined && entry.column <= following.column) return undefined;
    if (entry.column <= comment.column) return collection;
  }
  return undefined;
}

function listEntries(root: YamlNode, spans: ReadonlyMap<YamlNode, Span>): Entry[] {
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
