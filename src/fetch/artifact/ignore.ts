import { memoryTree, type Tree, type TreeFile } from '../../base/files/index.ts';
import { compileGlob } from './glob.ts';

const IGNORE_FILE = '.sourceignore';
const VERSION_CONTROL = ['.git/', '.gitignore', '.gitmodules', '.gitattributes'];
const DEFAULTS = (
  '*.jpg *.jpeg *.gif *.png *.wmv *.flv *.tar.gz *.zip ' +
  '.github/ .circleci/ .travis.yml .gitlab-ci.yml appveyor.yml .drone.yml cloudbuild.yaml ' +
  'codeship-services.yml codeship-steps.yml **/.goreleaser.yml **/.sops.yaml **/.flux.yaml'
).split(' ');

/** One line of an ignore file. */
export interface IgnorePattern {
  /** Brings paths back that an earlier pattern left out. */
  readonly includes: boolean;
  /** Whether it says anything about this path (relative to the tree's root). */
  matches(path: readonly string[], isDirectory: boolean): boolean;
}

/**
 * Parses an ignore file whose patterns hold below `scope`.
 * Follows fluxcd/pkg sourceignore, whose patterns are those of go-git: see {@link parsePattern}.
 */
export function parseIgnoreFile(text: string, scope: readonly string[] = []): IgnorePattern[] {
  return text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#') && line.trim() !== '')
    .map((line) => parsePattern(line, scope));
}

function parsePattern(line: string, scope: readonly string[]): IgnorePattern {
  const includes = line.startsWith('!');
  const unsigned = includes ? line.slice(1) : line;
  const trimmed = unsigned.endsWith('\\ ') ? unsigned : unsigned.replace(/ +$/, '');
  const directoriesOnly = trimmed.endsWith('/');
  const pattern = directoriesOnly ? trimmed.slice(0, -1) : trimmed;
  const matchesBelow = pattern.includes('/') ? anchoredMatcher(pattern.split('/')) : nameMatcher(pattern);
  return {
    includes,
    matches: (path, isDirectory) => {
      if (path.length <= scope.length || scope.some((part, i) => part !== path[i])) return false;
      const relative = path.slice(scope.length);
      const matched = matchesBelow(relative);
      // What lies below the matched component is in a directory, whatever it is itself.
      return matched !== undefined && (matched < relative.length || isDirectory || !directoriesOnly);
    },
  };
}

/** Returns how many components of the path were used up by the match; undefined for no match. */
type Matcher = (path: readonly string[]) => number | undefined;

/** A pattern without `/`: any one component. */
function nameMatcher(pattern: string): Matcher {
  const matches = compileGlob(pattern);
  return (path) => {
    const found = path.findIndex((name) => matches(name));
    return found < 0 ? undefined : found + 1;
  };
}

type Segment = { readonly kind: 'any' } | { readonly kind: 'name'; readonly matches: (name: string) => boolean };

/**
 * A pattern with `/`: components in order from the scope on. A double star takes the first component that
 * fits what follows it, without trying later ones; at the end it asks for nothing.
 */
function anchoredMatcher(parts: readonly string[]): Matcher {
  const segments = parts.flatMap((part, i): Segment[] => {
    if (part === '') return [];
    if (part === '**') return i === parts.length - 1 ? [] : [{ kind: 'any' }];
    return [{ kind: 'name', matches: part.includes('**') ? () => false : compileGlob(part) }];
  });
  return (path) => {
    let used = 0;
    let skips = false;
    for (const segment of segments) {
      if (segment.kind === 'any') {
        skips = true;
        continue;
      }
      const found = skips ? path.findIndex((name, i) => i >= used && segment.matches(name)) : used;
      const name = path[found];
      if (name === undefined || !segment.matches(name)) return undefined;
      used = found + 1;
      skips = false;
    }
    return used === 0 ? undefined : used;
  };
}

/** Whether the last pattern that says anything about the path leaves it out. */
export function isIgnored(patterns: readonly IgnorePattern[], path: readonly string[], isDirectory: boolean): boolean {
  const last = patterns.findLast((pattern) => pattern.matches(path, isDirectory));
  return last !== undefined && !last.includes;
}

/**
 * The part of a fetched tree that goes into its archive: what version control leaves out, then the defaults or
 * else every `.sourceignore` (parents before children) and `spec.ignore`. Symbolic links are dropped. Each path
 * is matched on its own, so a file below an ignored directory can be brought back.
 */
export function sourceIgnore(tree: Tree, specIgnore?: string): Tree {
  const own = [...ignoreFiles(tree, []), ...(specIgnore === undefined ? [] : parseIgnoreFile(specIgnore))];
  const rules = [...parsePatterns(VERSION_CONTROL), ...(own.length > 0 ? own : parsePatterns(DEFAULTS))];
  const files = new Map<string, TreeFile>();
  const directories: string[] = [];
  for (const { path, kind } of walk(tree, [])) {
    if (isIgnored(rules, path, kind === 'directory')) continue;
    const name = path.join('/');
    if (kind === 'directory') directories.push(name);
    else files.set(name, { bytes: tree.read(name) ?? new Uint8Array(), executable: tree.isExecutable(name) });
  }
  return memoryTree(files, directories);
}

function parsePatterns(lines: readonly string[]): IgnorePattern[] {
  return lines.map((line) => parsePattern(line, []));
}

function ignoreFiles(tree: Tree, directory: readonly string[]): IgnorePattern[] {
  const bytes = tree.read([...directory, IGNORE_FILE].join('/'));
  const own = bytes === undefined ? [] : parseIgnoreFile(Buffer.from(bytes).toString('utf8'), directory);
  const below = children(tree, directory).filter(({ path, kind }) => kind === 'directory' && path.at(-1) !== '.git');
  return [...own, ...below.flatMap(({ path }) => ignoreFiles(tree, path))];
}

interface Visited {
  readonly path: readonly string[];
  readonly kind: 'file' | 'directory';
}

function children(tree: Tree, directory: readonly string[]): Visited[] {
  return tree.list(directory.join('/')).flatMap((name) => {
    const path = [...directory, name];
    const full = path.join('/');
    const kind = tree.resolve(full) === full ? tree.kind(full) : undefined;
    return kind === undefined ? [] : [{ path, kind }];
  });
}

function* walk(tree: Tree, directory: readonly string[]): Generator<Visited> {
  for (const child of children(tree, directory)) {
    yield child;
    if (child.kind === 'directory') yield* walk(tree, child.path);
  }
}
