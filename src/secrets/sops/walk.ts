import { SottoError } from '../../base/errors/index.ts';
import type { Candidate } from './selection.ts';
import { tokenType } from './token.ts';
import { textOf, type SopsComment, type SopsLeaf, type SopsList, type SopsMap, type SopsValue } from './tree.ts';

/** Nested containers a document may have; deeper input is an error, not a full stack. */
const MAX_DEPTH = 500;

/** Where the walk stands. */
export interface Place extends Candidate {
  /** The path in words, for messages: `data.list[0]`. */
  readonly where: string;
  readonly inList: boolean;
}

export interface Visitor {
  leaf(leaf: SopsLeaf, place: Place): SopsLeaf;
  /** In a list, a comment may become an element, the other way round, or be left out (undefined). */
  comment(comment: SopsComment, place: Place): SopsComment | SopsLeaf | undefined;
  /** Whether a list element whose token says `comment` is one. Absent: never. */
  isCommentElement?(place: Place): boolean;
}

/** The branch with every leaf and comment replaced by what the visitor gives, in document order. */
export function walkBranch(branch: SopsMap, visitor: Visitor): SopsMap {
  return walkMap(branch, { path: [], comments: [], where: '' }, visitor);
}

interface Container {
  readonly path: readonly string[];
  readonly comments: readonly (readonly string[])[];
  readonly where: string;
}

function walkMap(value: SopsMap, container: Container, visitor: Visitor): SopsMap {
  const items: SopsMap['items'][number][] = [];
  let run: string[] = [];
  for (const item of value.items) {
    if (item.kind === 'comment') {
      run.push(item.text);
      const place = {
        ...container,
        comments: [...container.comments, run],
        isComment: true,
        inList: false,
        where: `a comment in ${container.where || 'the document'}`,
      };
      const visited = visitor.comment(item, place);
      items.push(visited?.kind === 'comment' ? visited : item);
      continue;
    }
    const inner = {
      path: [...container.path, item.key],
      comments: [...container.comments, run],
      where: container.where === '' ? item.key : `${container.where}.${item.key}`,
    };
    items.push({ ...item, value: walkValue(item.value, inner, visitor, false) });
    run = [];
  }
  return { kind: 'map', items };
}

function walkList(value: SopsList, container: Container, visitor: Visitor): SopsList {
  const items: SopsList['items'][number][] = [];
  let run: string[] = [];
  value.items.forEach((item, index) => {
    const where = `${container.where}[${index}]`;
    const found = commentIn(item, { ...container, where }, run, visitor);
    if (found !== undefined) {
      const visited = visitor.comment(found.comment, found.place);
      if (visited !== undefined) items.push(visited);
    } else if (item.kind !== 'comment') {
      items.push(walkValue(item, { path: container.path, comments: [...container.comments, run], where }, visitor, true));
      run = [];
    }
  });
  return { kind: 'list', items };
}

/** A comment, or an element that the visitor takes for one: in encrypted files, comments in lists are elements. */
function commentIn(
  item: SopsList['items'][number],
  container: Container,
  run: string[],
  visitor: Visitor,
): { readonly comment: SopsComment; readonly place: Place } | undefined {
  const placeWith = (comments: readonly string[]): Place => ({
    ...container,
    comments: [...container.comments, comments],
    isComment: true,
    inList: true,
  });
  if (item.kind === 'comment') {
    run.push(item.text);
    return { comment: item, place: placeWith(run) };
  }
  const text = item.kind === 'str' ? textOf(item.bytes) : '';
  if (tokenType(text) !== 'comment' || visitor.isCommentElement?.(placeWith([...run, text])) !== true) return undefined;
  run.push(text);
  return { comment: { kind: 'comment', text, element: true }, place: placeWith(run) };
}

function walkValue(value: SopsValue, container: Container, visitor: Visitor, inList: boolean): SopsValue {
  if (value.kind !== 'map' && value.kind !== 'list') return visitor.leaf(value, { ...container, isComment: false, inList });
  if (container.comments.length > MAX_DEPTH) {
    throw new SottoError('SOPS_TOO_DEEP', `the document nests more than ${MAX_DEPTH} levels`);
  }
  return value.kind === 'map' ? walkMap(value, container, visitor) : walkList(value, container, visitor);
}
