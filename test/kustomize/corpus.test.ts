import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { messageOf } from '../../src/base/errors/index.ts';
import { diskTree } from '../../src/base/files/index.ts';
import { build, renderYaml, type BuildResult } from '../../src/build/kustomize/index.ts';

const CASES = join(import.meta.dirname, 'cases');

interface Case {
  readonly name: string;
  /** The parity IDs and what the case shows. */
  readonly title: string;
  readonly path?: string;
  readonly loadRestrictor?: 'none';
  readonly fragments?: readonly string[];
  /** Texts that warnings must have. */
  readonly warnings?: readonly string[];
}

const cases = readdirSync(CASES).map((name): Case => ({
  name,
  ...(JSON.parse(readFileSync(join(CASES, name, 'case.json'), 'utf8')) as Omit<Case, 'name'>),
}));

function run({ name, path = '', loadRestrictor }: Case, order: 'fifo' | 'legacy'): BuildResult {
  return build({ tree: diskTree(join(CASES, name, 'input')), path, loadRestrictor: loadRestrictor ?? 'root-only', order });
}

function expected(name: string, order: 'fifo' | 'legacy'): string {
  const legacy = join(CASES, name, 'expected-legacy.yaml');
  return readFileSync(order === 'legacy' && existsSync(legacy) ? legacy : join(CASES, name, 'expected.yaml'), 'utf8');
}

function failureOf(test: Case): string {
  try {
    return `builds: ${renderYaml(run(test, 'fifo'))}`;
  } catch (error) {
    return messageOf(error);
  }
}

describe('builds give what kustomize 5.8.1 gives, byte for byte', () => {
  it.each(cases.filter(({ fragments }) => fragments === undefined).map((test) => [test.title, test.name, test] as const))(
    '%s (%s)',
    (_, name, test) => {
      const result = run(test, 'fifo');
      expect(renderYaml(result)).toBe(expected(name, 'fifo'));
      expect(renderYaml(run(test, 'legacy'))).toBe(expected(name, 'legacy'));
      const messages = result.warnings.map(({ message }) => message).join('\n');
      for (const warning of test.warnings ?? []) expect(messages).toContain(warning);
    },
  );
});

describe('errors keep the fragments that programs look for', () => {
  it.each(cases.filter(({ fragments }) => fragments !== undefined).map((test) => [test.title, test.name, test] as const))(
    '%s (%s)',
    (_, __, test) => {
      const message = failureOf(test);
      for (const fragment of test.fragments ?? []) expect(message).toContain(fragment);
    },
  );
});
