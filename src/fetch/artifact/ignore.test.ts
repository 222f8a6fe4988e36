import { describe, expect, it } from 'vitest';

import { memoryTree, type Tree } from '../../base/files/index.ts';
import { isIgnored, parseIgnoreFile, sourceIgnore } from './index.ts';

describe('ignore patterns', () => {
  /** pattern lines, path (a trailing slash marks a directory), whether it is left out */
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['*.jpg', 'a/b/c.jpg', true],
    ['*.jpg', 'c.jpeg', false],
    ['secret', 'a/secret/deep/file', true],
    ['secret/', 'a/secret', false],
    ['secret/', 'a/secret/', true],
    ['secret/', 'a/secret/file', true],
    ['/top', 'top', true],
    ['/top', 'a/top', false],
    ['/top', 'top/below', true],
    ['a/b', 'a/b/c', true],
    ['a/b', 'x/a/b', false],
    ['a/*/c', 'a/b/c', true],
    ['a/*/c', 'a/b/b/c', false],
    ['**/c', 'a/b/c', true],
    ['**/c', 'c', true],
    ['x/**', 'x/', true],
    ['x/**', 'x/y/z', true],
    ['x/**', 'y/x', false],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a/**/b/c', 'a/b/x/b/c', false],
    ['a**/b', 'aa/b', false],
    ['a/b**', 'a/bb', false],
    ['[a-c].txt', 'b.txt', true],
    ['[^a-c].txt', 'b.txt', false],
    ['[^a-c].txt', 'd.txt', true],
    ['[!a].txt', 'b.txt', false],
    ['f?.txt', 'f1.txt', true],
    ['f?.txt', 'f.txt', false],
    ['[', '[', false],
    ['# comment', '# comment', false],
    [' # not a comment', ' # not a comment', true],
    ['\\#file', '#file', true],
    ['\\!file', '!file', true],
    ['file   ', 'file', true],
    ['file\\ ', 'file ', true],
    ['file\\ ', 'file', false],
    ['\n   \nfile\r\n', 'file', true],
    ['*.yaml\n!keep.yaml', 'keep.yaml', false],
    ['!keep.yaml\n*.yaml', 'keep.yaml', true],
    ['/*\n!/deploy', 'deploy/a', false],
    ['/*\n!/deploy', 'other/a', true],
    ['dir/\n!dir/keep', 'dir/keep', false],
  ];
  it.each(cases)('SRC-08: %j and the path %j: left out %s', (lines, path, expected) => {
    const parts = path.replace(/\/$/, '').split('/');
    expect(isIgnored(parseIgnoreFile(lines), parts, path.endsWith('/'))).toBe(expected);
  });

  it('SRC-08: a pattern with many stars takes no exponential time', () => {
    const pattern = `${'*a'.repeat(40)}b`;
    expect(isIgnored(parseIgnoreFile(pattern), ['a'.repeat(5000)], false)).toBe(false);
  });
});

describe('sourceIgnore', () => {
  const kept = (files: Record<string, string>, specIgnore?: string): string[] =>
    paths(sourceIgnore(memoryTree(new Map(Object.entries(files))), specIgnore));

  it('SRC-08: version control files and the default set are left out when nothing else is said', () => {
    const files = {
      '.gitignore': '',
      'a/.gitattributes': '',
      '.github/x.yml': '',
      'a/logo.png': '',
      'a/.sops.yaml': '',
      '.sops.yaml': '',
      'x.tar.gz': '',
      'a.yaml': '',
    };
    expect(kept(files)).toEqual(['a.yaml']);
  });

  it('SRC-08: the default set is dropped as soon as there is a pattern, the version control set is not', () => {
    expect(kept({ '.gitignore': '', 'logo.png': '', 'a.txt': '' }, '*.txt')).toEqual(['logo.png']);
    expect(kept({ '.gitignore': '', 'logo.png': '', 'a.txt': '' }, '# only a comment')).toEqual(['a.txt']);
    expect(kept({ '.gitignore': '', 'a.txt': '' }, '!.gitignore')).toEqual(['.gitignore', 'a.txt']);
  });

  it('SRC-08: a .sourceignore holds below its directory and stays in the archive', () => {
    const files = { 'a/.sourceignore': '/x\n', 'a/x': '', x: '', 'a/b/x': '' };
    expect(kept(files)).toEqual(['a/.sourceignore', 'a/b/x', 'x']);
  });

  it('SRC-08: children come after parents, and spec.ignore has the last word', () => {
    const files = { '.sourceignore': '*.md\n', 'a/.sourceignore': '!keep.md\n', 'a/keep.md': '', 'keep.md': '', 'b.txt': '' };
    expect(kept(files)).toEqual(['.sourceignore', 'a/.sourceignore', 'a/keep.md', 'b.txt']);
    expect(kept(files, 'a/keep.md\n!/keep.md')).toEqual(['.sourceignore', 'a/.sourceignore', 'b.txt', 'keep.md']);
  });

  it('SRC-08: a directory whose files are all left out stays, an ignored one does not', () => {
    const tree = sourceIgnore(
      memoryTree(
        new Map([
          ['a/x.md', ''],
          ['b/y.md', ''],
          ['c', ''],
        ]),
      ),
      '*.md\nb/',
    );
    expect(tree.list('')).toEqual(['a', 'c']);
    expect(tree.list('a')).toEqual([]);
  });
});

function paths(tree: Tree, directory = ''): string[] {
  return tree.list(directory).flatMap((name) => {
    const path = directory === '' ? name : `${directory}/${name}`;
    return tree.kind(path) === 'directory' ? paths(tree, path) : [path];
  });
}
