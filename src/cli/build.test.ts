import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld, type World } from '../base/world/index.ts';
import { main } from './main.ts';

const POD = `apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, envFrom: [{secretRef: {name: gone}}]}]}
`;

describe('sotto build --check', () => {
  let cwd: string;
  beforeAll(() => {
    cwd = mkdtempSync(join(tmpdir(), 'sotto-build-test-'));
    writeFileSync(join(cwd, 'pod.yaml'), POD);
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  async function check(kustomization: string): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
    writeFileSync(join(cwd, 'kustomization.yaml'), kustomization);
    const out: string[] = [];
    const err: string[] = [];
    const world: World = {
      ...systemWorld(),
      cwd,
      stdout: { write: (text) => void out.push(text), isTTY: false, columns: 80 },
      stderr: { write: (text) => void err.push(text), isTTY: false, columns: 80 },
    };
    const code = await main(['build', '.', '--check'], world, systemEntropy, new AbortController().signal);
    return { code, out: out.join(''), err: err.join('') };
  }

  it('prints findings with file and line, and exits with 1', async () => {
    const patch = 'patches: [{target: {kind: None}, patch: "- {op: remove, path: /x}"}]\n';
    const { code, out, err } = await check(`resources: [pod.yaml]\n${patch}`);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^kustomization.yaml: patch .* matches nothing \[unmatched-patch\]$/),
      expect.stringMatching(/^pod.yaml:1: Pod 'p' names the Secret 'gone' at spec\..*, which nothing here makes \[dangling-reference\]$/),
      '',
    ]);
  });

  it('prints nothing and exits with 0 when all is there', async () => {
    expect(await check('resources: [pod.yaml]\nsecretGenerator: [{name: gone, literals: [a=b]}]\n')).toEqual({ code: 0, out: '', err: '' });
  });
});
