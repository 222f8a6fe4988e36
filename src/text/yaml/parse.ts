import { Composer, type CST, LineCounter, Parser, type YAMLError } from 'yaml';

import { SottoError } from '../../base/errors/index.ts';
import { collectComments } from './comment-tokens.ts';
import { attachComments } from './comments.ts';
import { TreeBuilder } from './compose.ts';
import { MAX_DEPTH } from './limits.ts';
import type { ParseOptions, YamlDocument } from './types.ts';

/** What went wrong, in our words: the library's messages can quote the text. */
const PROBLEMS: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias must not have an anchor or tag of its own',
  BAD_ALIAS: 'the alias has no name',
  BAD_DIRECTIVE: 'the directive is not understood',
  BAD_DQ_ESCAPE: 'unknown escape sequence in a double-quoted string',
  BAD_INDENT: 'the indentation does not fit the lines around it',
  BAD_PROP_ORDER: 'anchors and tags must stand before the value they belong to',
  BAD_SCALAR_START: 'this character cannot start a plain value; quote the value',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping cannot start on the line of its key; a value that holds ": " must be quoted',
  BLOCK_IN_FLOW: 'indented collections are not allowed inside [ ] or { }',
  KEY_OVER_1024_CHARS: 'a key on the line of its value must be shorter than 1024 characters',
  MISSING_CHAR: 'a closing quote, bracket, comma or colon is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must be on one line: is a colon or quote missing?',
  MULTIPLE_ANCHORS: 'a value can have only one anchor',
  MULTIPLE_TAGS: 'a value can have only one tag',
  TAB_AS_INDENT: 'a tab character cannot be used for indentation',
  TAG_RESOLVE_FAILED: 'the tag is not known',
  UNEXPECTED_TOKEN: 'something unexpected stands here',
  BAD_COLLECTION_TYPE: 'the tag does not fit the collection',
  RESOURCE_EXHAUSTION: 'too many levels are nested',
};

const COMPOSER_OPTIONS = {
  schema: 'failsafe',
  keepSourceTokens: true,
  uniqueKeys: false,
  merge: false,
  logLevel: 'silent',
  prettyErrors: false,
  resolveKnownTags: false,
} as const;

/**
 * All documents of a text, as trees that keep source, style, positions and comments. Scalars are typed by the
 * profile, aliases expanded, merge keys left as they are (tag `!!merge`). Text without any document (empty,
 * only comments) gives an empty list.
 *
 * Limits: {@link MAX_DEPTH} levels and `MAX_ALIAS_NODES` nodes added by aliases.
 *
 * @throws SottoError YAML_SYNTAX, YAML_DUPLICATE_KEY (naming both lines), YAML_LIMIT, YAML_TAG (a value that does
 *   not fit its explicit tag); each with file, line and column
 */
export function parseDocuments(text: string, options: ParseOptions): YamlDocument[] {
  const lines = new LineCounter();
  const tokens = tokensOf(text, lines, options.file);
  const fail = (code: string, message: string, offset: number): SottoError => {
    const { line, col } = lines.linePos(offset);
    const { file } = options;
    return new SottoError(code, message, {
      at: { ...(file === undefined ? {} : { file }), line: Math.max(line, 1), column: Math.max(col, 1) },
    });
  };
  const starts = tokens.filter((token) => token.type === 'document');
  for (const token of starts) {
    const deep = tooDeep(token);
    if (deep !== undefined) throw fail('YAML_LIMIT', `more than ${MAX_DEPTH} nested levels`, deep);
  }
  const commentTokens = groupByDocument(tokens);
  return [...new Composer(COMPOSER_OPTIONS).compose(tokens)].map((document, index) => {
    const problem = document.errors[0];
    if (problem !== undefined) throw fail('YAML_SYNTAX', describe(problem), problem.pos[0]);
    const builder = new TreeBuilder(lines, options);
    const root = builder.build(document);
    const comments = collectComments(commentTokens[index] ?? [], text, (offset) => lines.linePos(offset));
    const trailingComments = attachComments(root, comments, builder.spans);
    return { root, line: root?.line ?? Math.max(lines.linePos(document.range[0]).line, 1), trailingComments };
  });
}

function describe(problem: YAMLError): string {
  return PROBLEMS[problem.code] ?? 'the text is not valid YAML';
}

/** The tokens of each document; comments between documents go with the one that follows, at the end with the last. */
function groupByDocument(tokens: readonly CST.Token[]): CST.Token[][] {
  const groups: CST.Token[][] = [];
  let pending: CST.Token[] = [];
  for (const token of tokens) {
    pending.push(token);
    if (token.type !== 'document') continue;
    groups.push(pending);
    pending = [];
  }
  groups.at(-1)?.push(...pending);
  return groups;
}

/** The offset of the first token nested too deeply. Iterative: this runs before anything recursive does. */
function tooDeep(document: CST.Document): number | undefined {
  let level: CST.Token[] = document.value === undefined ? [] : [document.value];
  for (let depth = 0; level.length > 0; depth += 1) {
    const first = level[0];
    if (depth > MAX_DEPTH) return first === undefined ? 0 : first.offset;
    level = level.flatMap(childrenOf);
  }
  return undefined;
}

function childrenOf(token: CST.Token): CST.Token[] {
  if (!('items' in token)) return [];
  return token.items.flatMap((item) => [item.key, item.value].filter((child) => child !== undefined && child !== null));
}

/** The parser calls itself for each level: a text with thousands of them on one line fills the stack before levels can be counted. */
function tokensOf(text: string, lines: LineCounter, file: string | undefined): CST.Token[] {
  try {
    return [...new Parser(lines.addNewLine).parse(text)];
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SottoError('YAML_LIMIT', `more than ${MAX_DEPTH} levels are nested`, {
      ...(file === undefined ? {} : { at: { file } }),
      cause,
    });
  }
}
