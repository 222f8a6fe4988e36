import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { createCluster, kubeconfigText, serve, type EmbeddedCluster, type ServedCluster } from './index.ts';

/*
 * Real kubectl against RBAC and tokens of service accounts.
 */

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let cluster: EmbeddedCluster;
let served: ServedCluster;
const world = systemWorld();

function kubectl(line: string, kubeconfig = 'kubeconfig'): Promise<Result> {
  const child = spawn('kubectl', line.split(' '), {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: join(folder, kubeconfig) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

async function output(line: string, kubeconfig?: string): Promise<string> {
  const { code, stdout, stderr } = await kubectl(line, kubeconfig);
  expect(`${code} ${stderr}`).toMatch(/^0 (Warning:.*)?\s*$/s);
  return stdout;
}

const rows = (text: string): string[] => text.split('\n').map((line) => line.trim().replaceAll(/\s{2,}/g, ' | '));

describe.skipIf(!hasKubectl)('kubectl and access', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    cluster = await createCluster({ world, entropy: systemEntropy, authorization: 'rbac' });
    served = await serve(cluster, { port: 0, world, entropy: systemEntropy });
    writeFileSync(join(folder, 'kubeconfig'), served.kubeconfig.reveal(), { mode: 0o600 });
  });
  afterAll(async () => {
    await served.close();
    await cluster.close();
    rmSync(folder, { recursive: true });
  });

  it('RBAC-05: create role and rolebinding, then auth can-i by everybody concerned', async () => {
    expect(await output('create serviceaccount robot')).toBe('serviceaccount/robot created\n');
    expect(await output('create role reader --verb=get,list --resource=secrets,deployments.apps')).toBe(
      'role.rbac.authorization.k8s.io/reader created\n',
    );
    expect(await output('create rolebinding read --role=reader --serviceaccount=default:robot')).toBe(
      'rolebinding.rbac.authorization.k8s.io/read created\n',
    );
    expect(await output('create clusterrolebinding see --clusterrole=view --user=eve')).toBe(
      'clusterrolebinding.rbac.authorization.k8s.io/see created\n',
    );
    const robot = '--as=system:serviceaccount:default:robot';
    expect(await output(`auth can-i get secrets ${robot}`)).toBe('yes\n');
    expect(await kubectl(`auth can-i delete secrets ${robot}`)).toEqual({ code: 1, stdout: 'no\n', stderr: '' });
    expect(await kubectl(`auth can-i get secrets -n kube-system ${robot}`)).toMatchObject({ code: 1, stdout: 'no\n' });
    expect(await output('auth can-i list configmaps -A --as=eve')).toBe('yes\n');
    expect(await kubectl('auth can-i list secrets -A --as=eve')).toMatchObject({ code: 1, stdout: 'no\n' });
    expect(await output('auth can-i get /version --as=eve')).toBe('yes\n');
  });

  it('RBAC-05: auth can-i --list shows the rules of the caller', async () => {
    const robot = rows(await output('auth can-i --list --as=system:serviceaccount:default:robot'));
    expect(robot[0]).toBe('Resources | Non-Resource URLs | Resource Names | Verbs');
    expect(robot).toEqual(expect.arrayContaining(['secrets | [] | [] | [get list]', 'deployments.apps | [] | [] | [get list]']));
    expect(robot).toEqual(expect.arrayContaining(['selfsubjectaccessreviews.authorization.k8s.io | [] | [] | [create]']));
    expect(robot).toEqual(expect.arrayContaining(['[/version] | [] | [get]']));
    expect(rows(await output('auth can-i --list'))).toEqual(expect.arrayContaining(['*.* | [] | [] | [*]', '[*] | [] | [*]']));
  });

  it('RBAC-01 and RBAC-03: refusals as kubectl prints them', async () => {
    const robot = '--as=system:serviceaccount:default:robot';
    expect((await kubectl(`delete secret x ${robot}`)).stderr).toBe(
      'Error from server (Forbidden): secrets "x" is forbidden: User "system:serviceaccount:default:robot" cannot delete resource "secrets" in API group "" in the namespace "default"\n',
    );
    await output('create role rbac --verb=create --resource=roles.rbac.authorization.k8s.io');
    await output('create rolebinding rbac --role=rbac --serviceaccount=default:robot');
    const more = await kubectl(`create role more --verb=delete --resource=secrets ${robot}`);
    expect(more).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'Error from server (Forbidden): roles.rbac.authorization.k8s.io "more" is forbidden: user "system:serviceaccount:default:robot" (groups=["system:serviceaccounts" "system:serviceaccounts:default" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["delete"]}\n',
    });
  });

  it('TOK-01 and TOK-02: create token, and kubectl with that token', async () => {
    const token = (await output('create token robot --duration=20m')).trim();
    const text = kubeconfigText({ url: served.url, authority: served.certificateAuthority, user: 'robot', credential: { token } });
    writeFileSync(join(folder, 'robot'), text, { mode: 0o600 });
    const who = rows(await output('auth whoami', 'robot'));
    expect(who).toEqual(
      expect.arrayContaining([
        'Username | system:serviceaccount:default:robot',
        'Groups | [system:serviceaccounts system:serviceaccounts:default system:authenticated]',
      ]),
    );
    expect((await kubectl('get secrets', 'robot')).stderr).toBe('No resources found in default namespace.\n');
    expect((await kubectl('get pods', 'robot')).stderr).toContain('cannot list resource "pods"');
    await output('delete serviceaccount robot');
    expect((await kubectl('get secrets', 'robot')).stderr).toContain('You must be logged in to the server (Unauthorized)');
    expect((await kubectl('create token nobody')).stderr).toBe('error: failed to create token: serviceaccounts "nobody" not found\n');
    expect((await kubectl('create token default --duration=1m')).stderr).toContain('may not specify a duration less than 10 minutes');
    expect((await kubectl('create token default --bound-object-kind=Secret --bound-object-name=none')).stderr).toContain(
      'secrets "none" not found',
    );
  });

  it('RBAC-04: aggregated roles, paths, and roles reconciled from a file', async () => {
    const rule = '--aggregation-rule=rbac.example.com/aggregate-to-monitoring=true';
    expect(await output(`create clusterrole monitoring ${rule}`)).toBe('clusterrole.rbac.authorization.k8s.io/monitoring created\n');
    expect(await output('create clusterrole metrics --verb=get --non-resource-url=/metrics,/logs/*')).toContain('created');
    await output('label clusterrole metrics rbac.example.com/aggregate-to-monitoring=true');
    await output('create clusterrolebinding mon --clusterrole=monitoring --group=ops');
    await expect.poll(async () => (await kubectl('auth can-i get /logs/a --as=x --as-group=ops')).stdout).toBe('yes\n');
    expect(rows(await output('describe clusterrole monitoring'))).toEqual(
      expect.arrayContaining(['[/logs/*] | [] | [get]', '[/metrics] | [] | [get]']),
    );
    const manifest = (verb: string): string =>
      `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: rec, namespace: default}\nrules:\n- {apiGroups: [""], resources: [pods], verbs: [${verb}]}\n`;
    writeFileSync(join(folder, 'role.yaml'), manifest('get'));
    const reconcile = (): Promise<Result> => kubectl(`auth reconcile -f ${join(folder, 'role.yaml')}`);
    expect(await reconcile()).toMatchObject({
      code: 0,
      stdout: 'role.rbac.authorization.k8s.io/rec reconciled\n',
      stderr: expect.stringContaining('reconciliation required create') as string,
    });
    writeFileSync(join(folder, 'role.yaml'), manifest('list'));
    expect((await reconcile()).stderr).toContain('reconciliation required update');
    expect(await output('get role rec -o jsonpath={.rules[*].verbs}')).toContain('"list"');
    expect(rows(await output('get clusterrolebindings mon'))[1]).toMatch(/^mon \| ClusterRole\/monitoring/);
    expect(await output('auth can-i create serviceaccounts --subresource=token')).toBe('yes\n');
    expect(await output('get ns default -o name --request-timeout=5s')).toBe('namespace/default\n');
  });

  it('OIDC-01: the key set through kubectl get --raw', async () => {
    const discovery = JSON.parse(await output('get --raw /.well-known/openid-configuration')) as { jwks_uri: string };
    expect(discovery.jwks_uri).toBe(`${served.url}/openid/v1/jwks`);
    expect(await output('get --raw /openid/v1/jwks')).toContain('"kty":"EC"');
  });
});
