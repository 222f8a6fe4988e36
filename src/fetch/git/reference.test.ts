import { describe, expect, it } from 'vitest';

import { isRefName, revisionIn, targetOf } from './reference.ts';
import { highestVersions } from './versions.ts';
import type { GitReference } from './types.ts';

const outside = <T>(work: () => Promise<T>): Promise<T> => work();
const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('targetOf', () => {
  const all: GitReference = { branch: 'main', tag: 'v1', semver: '>=1', name: 'refs/pull/420/head', commit: A };
  const { commit: _c, ...noCommit } = all;
  const { name: _n, ...noName } = noCommit;
  const { tag: _t, ...noTag } = noName;
  it.each<[string, GitReference, unknown]>([
    ['commit wins, the branch labels it', all, { kind: 'commit', commit: A, branch: 'main' }],
    ['then name', noCommit, { kind: 'ref', ref: 'refs/pull/420/head', label: 'refs/pull/420/head', from: 'name' }],
    ['then tag, before semver', noName, { kind: 'ref', ref: 'refs/tags/v1', label: 'v1', from: 'tag' }],
    ['then semver', noTag, { kind: 'semver', range: '>=1' }],
    ['then branch', { branch: 'feature/x' }, { kind: 'ref', ref: 'refs/heads/feature/x', label: 'feature/x', from: 'branch' }],
    ['else the branch master', {}, { kind: 'ref', ref: 'refs/heads/master', label: 'master', from: 'branch' }],
    [
      'empty strings count as absent',
      { commit: '', name: '', tag: '', semver: '', branch: 'x' },
      { kind: 'ref', ref: 'refs/heads/x', label: 'x', from: 'branch' },
    ],
  ])('GIT-02: %s', (_name, reference, expected) => {
    expect(targetOf(reference)).toEqual(expected);
  });
});

describe('revisionIn', () => {
  const refs = new Map([
    ['HEAD', A],
    ['refs/heads/main', A],
    ['refs/heads/feature/x', B],
    ['refs/tags/v1.0.0', B],
    ['refs/pull/420/head', B],
  ]);
  it.each<[GitReference, string | undefined]>([
    [{ branch: 'main' }, `main@sha1:${A}`],
    [{ branch: 'feature/x' }, `feature/x@sha1:${B}`],
    [{ tag: 'v1.0.0' }, `v1.0.0@sha1:${B}`],
    [{ name: 'refs/pull/420/head' }, `refs/pull/420/head@sha1:${B}`],
    [{ commit: A }, `sha1:${A}`],
    [{ commit: A, branch: 'main' }, `main@sha1:${A}`],
    [{ branch: 'gone' }, undefined],
    [{ semver: '*' }, undefined],
  ])('GIT-03: %j has the revision %s', (reference, expected) => {
    expect(revisionIn(refs, reference)).toBe(expected);
  });
});

describe('isRefName', () => {
  it.each([
    ['refs/heads/main', true],
    ['refs/heads/feature/x-1_2', true],
    ['refs/heads/größe', true],
    ['HEAD', true],
    ['--upload-pack=touch /tmp/x', false],
    ['refs/heads/a:refs/heads/b', false],
    ['refs/heads/*', false],
    ['refs/heads/a b', false],
    ['refs/heads/a\nb', false],
    ['refs/heads/../x', false],
    ['refs/heads/x.lock', false],
    ['refs/heads/', false],
    ['', false],
  ])('%j: %s', (name, expected) => {
    expect(isRefName(name)).toBe(expected);
  });
});

describe('highestVersions', () => {
  const tags = ['v1.0.0', '1.2', 'v1.9.0', 'v1.10.0', '2.0.0-rc.1', 'v2.0.0', 'v2.1.0-alpha.1', '03.00.01', 'latest', 'v4', 'x1.0.0'];
  it.each<[string, string[]]>([
    ['*', ['03.00.01']],
    ['1.x', ['v1.10.0']],
    ['~1.9', ['v1.9.0']],
    ['~>1.9.0', ['v1.9.0']],
    ['^1.0.0', ['v1.10.0']],
    ['>=1.0.0 <2.0.0', ['v1.10.0']],
    ['>=1.0.0, <2.0.0', ['v1.10.0']],
    ['=> 1.0.0, =< 1.9.0', ['v1.9.0']],
    ['1.0.0 - 1.9.0', ['v1.9.0']],
    ['<2.0.0 || =2.0.0', ['v2.0.0']],
    ['!=3.0.1', ['v2.0.0']],
    ['>=2.0.0-0 <3.0.0', ['v2.0.0']],
    ['>2.0.0-0 <3.0.0-0', ['v2.1.0-alpha.1']],
    ['~2.1.0-0', ['v2.1.0-alpha.1']],
    ['2.0.0-rc.1', ['2.0.0-rc.1']],
    ['v3.0.1', ['03.00.01']],
    ['>=9', []],
  ])('GIT-06: %j picks %j', async (range, expected) => {
    expect(await highestVersions(tags, range, outside)).toEqual(expected);
  });

  it('GIT-06: tags of the same version are all returned', async () => {
    expect(await highestVersions(['1.0.0+a', 'v1.0.0+b', '0.9.0'], '>=0.1', outside)).toEqual(['1.0.0+a', 'v1.0.0+b']);
  });

  it.each(['not a range', '>=', '1.0.0 ||', '>>1'])('GIT-06: %j is refused', async (range) => {
    await expect(highestVersions(tags, range, outside)).rejects.toMatchObject({
      code: 'GIT_FAILED',
      message: `semver parse error: improper constraint: ${range}`,
    });
  });
});
