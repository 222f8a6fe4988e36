import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCluster, type RunningCluster } from '../index.ts';

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

let folder: string;
let running: RunningCluster;

/** What kubectl prints, and how it exits. */
function kubectl(...args: string[]): Promise<string> {
  const child = spawn('kubectl', args, { env: { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: join(folder, 'kubeconfig') } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve(`${output}exit ${code}`)));
}

describe.skipIf(!hasKubectl)('kubectl with simulated workloads', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    running = await startCluster({ kubeconfigPath: join(folder, 'kubeconfig'), simulateWorkloads: true });
  });
  afterAll(async () => {
    await running.close();
    rmSync(folder, { recursive: true });
  });

  it('SIM-01: rollouts finish, waits end, and the past can be read', async () => {
    expect(await kubectl('create', 'deployment', 'web', '--image=nginx:1', '--replicas=2')).toContain('exit 0');
    expect(await kubectl('rollout', 'status', 'deployment/web', '--timeout=20s')).toMatch(/successfully rolled out\nexit 0$/);
    const { revision } = running.embedded.store;
    expect(await kubectl('set', 'image', 'deployment/web', 'nginx=nginx:2')).toContain('exit 0');
    expect(await kubectl('rollout', 'status', 'deployment/web', '--timeout=20s')).toMatch(/successfully rolled out\nexit 0$/);
    expect(await kubectl('create', 'job', 'once', '--image=busybox')).toContain('exit 0');
    expect(await kubectl('wait', '--for=condition=complete', 'job/once', '--timeout=20s')).toMatch(/condition met\nexit 0$/);
    const image = ['get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image} '];
    expect(await kubectl(...image)).toBe('nginx:2 exit 0');
    expect(await kubectl('--server', `${running.url}/at/${revision}`, ...image)).toBe('nginx:1 exit 0');
    expect(await kubectl('--server', `${running.url}/at/${revision}`, 'delete', 'deployment', 'web')).toContain('exit 1');
  });

  it('SIM-02: the reason of a Pod that cannot start is where kubectl shows it', async () => {
    const overrides = JSON.stringify({
      spec: { containers: [{ name: 'lost', image: 'x', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }] }] },
    });
    expect(await kubectl('run', 'lost', '--image=x', `--overrides=${overrides}`)).toContain('exit 0');
    await kubectl('wait', '--for=jsonpath={.status.phase}=Pending', 'pod/lost', '--timeout=20s');
    expect(await kubectl('get', 'pod', 'lost')).toContain('CreateContainerConfigError');
    expect(await kubectl('describe', 'pod', 'lost')).toContain('secret "no" not found');
    expect(await kubectl('create', 'secret', 'generic', 'no', '--from-literal=k=v')).toContain('exit 0');
    expect(await kubectl('wait', '--for=condition=ready', 'pod/lost', '--timeout=20s')).toMatch(/condition met\nexit 0$/);
  });
});
