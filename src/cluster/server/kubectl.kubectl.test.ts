import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemEntropy, systemWorld } from '../../base/world/index.ts';
import { createCluster, serve, type EmbeddedCluster, type ServedCluster } from './index.ts';

/*
 * Real kubectl over TLS: what it prints and how it exits.
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

function kubectl(line: string, stdin?: string, env: Record<string, string> = {}): Promise<Result> {
  const args = line.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? [];
  const child = spawn('kubectl', args, {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, KUBECONFIG: join(folder, 'kubeconfig'), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(stdin);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** What a command prints when it succeeds. */
async function output(line: string, stdin?: string, env?: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await kubectl(line, stdin, env);
  expect(`${code} ${stderr}`).toMatch(/^0 (Warning:.*|WARNING:.*)?\s*$/s);
  return stdout;
}

/** Lines as lists of columns. */
const columns = (text: string): string[][] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().split(/\s{2,}/));

const CONFIG_MAP = (data: string, name = 'cm'): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: ${JSON.stringify(data)}\n`;
const CRD = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources: {status: {}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, description: how large it is, maximum: 9}
`;
const WIDGET = (size: number): string => `apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\nspec:\n  size: ${size}\n`;
const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: nginx, ports: [{containerPort: 80}]}
`;

describe.skipIf(!hasKubectl)('kubectl', { timeout: 60_000 }, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kubectl-'));
    cluster = await createCluster({ world, entropy: systemEntropy });
    served = await serve(cluster, { port: 0, world, entropy: systemEntropy });
    writeFileSync(join(folder, 'kubeconfig'), served.kubeconfig.reveal(), { mode: 0o600 });
  });
  afterAll(async () => {
    await served.close();
    await cluster.close();
    rmSync(folder, { recursive: true });
  });

  it('TBL-01: get, wide, across namespaces, by selector', async () => {
    const [header, ...rows] = columns(await output('get namespaces'));
    expect(header).toEqual(['NAME', 'STATUS', 'AGE']);
    expect(rows.map(([name, status]) => [name, status])).toEqual([
      ['default', 'Active'],
      ['kube-node-lease', 'Active'],
      ['kube-public', 'Active'],
      ['kube-system', 'Active'],
    ]);
    expect(columns(await output('get services -A -o wide'))[1]?.slice(0, 6)).toEqual([
      'default',
      'kubernetes',
      'ClusterIP',
      '10.96.0.1',
      '<none>',
      '443/TCP',
    ]);
    expect(await output('get namespaces -l kubernetes.io/metadata.name=default -o name')).toBe('namespace/default\n');
    expect((await kubectl('get namespaces -l nope=1')).stderr).toBe('No resources found\n');
    const missing = await kubectl('get secret nope');
    expect(missing).toEqual({ code: 1, stdout: '', stderr: 'Error from server (NotFound): secrets "nope" not found\n' });
  });

  it('apiserver/ENC-02: create namespace, secret, configmap and serviceaccount in protobuf', async () => {
    expect(await output('create namespace team')).toBe('namespace/team created\n');
    expect(await output('create secret generic s -n team --from-literal=password=sesame')).toBe('secret/s created\n');
    expect(await output('create configmap c -n team --from-literal=k=v')).toBe('configmap/c created\n');
    expect(await output('create serviceaccount robot -n team')).toBe('serviceaccount/robot created\n');
    expect(await output("get secret s -n team -o 'jsonpath={.data.password}'")).toBe('c2VzYW1l');
    expect(JSON.parse(await output('get secret s -n team -o json'))).toMatchObject({
      kind: 'Secret',
      type: 'Opaque',
      data: { password: 'c2VzYW1l' },
    });
    expect(await output('get configmap c -n team -o yaml')).toMatch(
      /^apiVersion: v1\ndata:\n {2}k: v\nkind: ConfigMap\nmetadata:\n {2}creationTimestamp: "/,
    );
    const again = await kubectl('create namespace team');
    expect(again).toMatchObject({ code: 1, stderr: 'Error from server (AlreadyExists): namespaces "team" already exists\n' });
    const described = await output('describe secret s -n team');
    expect(described).toContain('password:  6 bytes');
    expect(described).not.toContain('sesame');
    expect(await output('describe serviceaccount robot -n team')).toContain('Events:              <none>');
  });

  it('NS-03: delete a namespace and wait until it is gone', async () => {
    expect(await output('delete namespace team')).toBe('namespace "team" deleted\n');
    expect((await kubectl('get namespace team')).code).toBe(1);
    const immortal = await kubectl('delete namespace kube-system');
    expect(immortal.stderr).toBe(
      'Error from server (Forbidden): namespaces "kube-system" is forbidden: this namespace may not be deleted\n',
    );
  });

  it('apply on the client side: created, unchanged, configured, and what is dropped goes', async () => {
    expect(await output('apply -f -', CONFIG_MAP('1'))).toBe('configmap/cm created\n');
    expect(await output('apply -f -', CONFIG_MAP('1'))).toBe('configmap/cm unchanged\n');
    expect(await output('apply -f -', CONFIG_MAP('2'))).toBe('configmap/cm configured\n');
    expect(await output('apply -f -', CONFIG_MAP('2').replace(/\ndata:[\s\S]*/, '\ndata: {}\n'))).toBe('configmap/cm configured\n');
    expect(await output("get configmap cm -o 'jsonpath={.data}'")).toBe('');
    const strict = await kubectl('apply -f -', CONFIG_MAP('1').replace('\ndata:', '\ndota:'));
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('strict decoding error: unknown field "dota"');
    await output('delete configmap cm');
  });

  it('apiserver/SSA-03: apply on the server side: a conflict, and force', async () => {
    expect(await output('apply --server-side --field-manager=one -f -', CONFIG_MAP('1'))).toBe('configmap/cm serverside-applied\n');
    const conflict = await kubectl('apply --server-side --field-manager=two -f -', CONFIG_MAP('2'));
    expect(conflict.code).toBe(1);
    expect(conflict.stderr).toMatch(/^error: Apply failed with 1 conflict: conflict with "one": \.data\.a\n/);
    expect(await output('apply --server-side --field-manager=two --force-conflicts -f -', CONFIG_MAP('2'))).toBe(
      'configmap/cm serverside-applied\n',
    );
    expect(await output('get configmap cm -o yaml --show-managed-fields')).toContain('manager: two\n    operation: Apply');
  });

  it('diff: 0 when equal, 1 with a difference', async () => {
    expect(await kubectl('diff -f -', CONFIG_MAP('2'))).toMatchObject({ code: 0, stdout: '' });
    const changed = await kubectl('diff -f -', CONFIG_MAP('3'));
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain('-  a: "2"\n+  a: "3"');
    expect((await kubectl('diff --server-side --force-conflicts -f -', CONFIG_MAP('3'))).code).toBe(1);
  });

  it('PATCH-01: patch in three forms, label, annotate, edit, replace', async () => {
    expect(await output('patch configmap cm -p \'{"data":{"s":"1"}}\'')).toBe('configmap/cm patched\n');
    expect(await output('patch configmap cm --type=merge -p \'{"data":{"m":"1","a":null}}\'')).toBe('configmap/cm patched\n');
    expect(await output('patch configmap cm --type=json -p \'[{"op":"replace","path":"/data/s","value":"2"}]\'')).toBe(
      'configmap/cm patched\n',
    );
    expect(await output('patch configmap cm --type=merge -p \'{"data":{"m":"1"}}\'')).toBe('configmap/cm patched (no change)\n');
    expect(await output("get configmap cm -o 'jsonpath={.data}'")).toBe('{"m":"1","s":"2"}');
    expect(await output('label configmap cm tier=gold')).toBe('configmap/cm labeled\n');
    expect(await output('annotate configmap cm note=hello')).toBe('configmap/cm annotated\n');
    expect(await output('get configmap -l tier=gold -o name')).toBe('configmap/cm\n');
    const editor = join(folder, 'editor.sh');
    writeFileSync(editor, '#!/bin/sh\nsed -i "s/s: \\"2\\"/s: edited/" "$1"\n');
    chmodSync(editor, 0o700);
    expect(await output('edit configmap cm', undefined, { EDITOR: editor })).toBe('configmap/cm edited\n');
    expect(await output("get configmap cm -o 'jsonpath={.data.s}'")).toBe('edited');
    expect(await output('replace -f -', CONFIG_MAP('9'))).toBe('configmap/cm replaced\n');
    expect(await output('describe configmap cm')).toContain('a:\n----\n9');
  });

  it('DEL-02: finalizers hold a deletion; wait sees it end', async () => {
    await output('patch configmap cm --type=merge -p \'{"metadata":{"finalizers":["example.com/hold"]}}\'');
    expect(await output('delete configmap cm --wait=false')).toBe('configmap "cm" deleted\n');
    expect((await kubectl('wait --for=delete configmap/cm --timeout=1s')).code).toBe(1);
    const waiting = kubectl('wait --for=delete configmap/cm --timeout=20s');
    await output('patch configmap cm --type=merge -p \'{"metadata":{"finalizers":null}}\'');
    expect((await waiting).code).toBe(0);
  });

  it('SIM-01: a Deployment rolls out, scales, restarts; deletion in the foreground', async () => {
    expect(await output('apply -f -', DEPLOYMENT)).toBe('deployment.apps/web created\n');
    expect(await output('wait --for=condition=Available deployment/web --timeout=20s')).toBe('deployment.apps/web condition met\n');
    expect(await output('rollout status deployment/web --timeout=20s')).toContain('successfully rolled out');
    expect(columns(await output('get deployment web -o wide'))[1]?.slice(0, 4)).toEqual(['web', '2/2', '2', '2']);
    expect(await output('apply -f -', DEPLOYMENT)).toBe('deployment.apps/web unchanged\n');
    expect((await kubectl('diff -f -', DEPLOYMENT)).code).toBe(0);
    expect(await output('scale deployment web --replicas=3')).toBe('deployment.apps/web scaled\n');
    expect(await output('wait --for=jsonpath={.status.readyReplicas}=3 deployment/web --timeout=20s')).toBe(
      'deployment.apps/web condition met\n',
    );
    expect(await output('set image deployment/web web=nginx:2')).toBe('deployment.apps/web image updated\n');
    expect(await output('rollout restart deployment/web')).toBe('deployment.apps/web restarted\n');
    expect(await output('describe deployment web')).toContain(
      'Replicas:               3 desired | 3 updated | 3 total | 3 available | 0 unavailable',
    );
    expect(await output('delete deployment web --cascade=foreground')).toBe('deployment.apps "web" deleted\n');
  });

  it('CRD-01: custom resources: apply, get, explain, validation, deletion', async () => {
    expect(await output('apply -f -', CRD)).toContain('created');
    expect(await output('wait --for=condition=Established crd/widgets.example.com --timeout=10s')).toContain('condition met');
    expect(await output('apply -f -', WIDGET(3))).toBe('widget.example.com/w created\n');
    expect(columns(await output('get wd'))).toEqual([
      ['NAME', 'SIZE'],
      ['w', '3'],
    ]);
    expect(await output('apply -f -', WIDGET(4))).toBe('widget.example.com/w configured\n');
    expect(await output('explain widget.spec.size')).toContain('how large it is');
    const invalid = await kubectl('apply -f -', WIDGET(40));
    expect(invalid.code).toBe(1);
    expect(invalid.stderr).toContain('spec.size: Invalid value: 40: spec.size in body should be less than or equal to 9');
    expect(await output('delete crd widgets.example.com')).toBe(
      'customresourcedefinition.apiextensions.k8s.io "widgets.example.com" deleted\n',
    );
    expect((await kubectl('get wd')).code).toBe(1);
  });

  it('LIST-07: get -w prints what is there and what comes', async () => {
    const watching = kubectl('get configmap -w --field-selector=metadata.name=seen --request-timeout=3s -o name');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await output('create configmap seen');
    expect((await watching).stdout).toBe('configmap/seen\n');
    await output('delete configmap seen');
  });

  it('DISC-03: api-resources, api-versions, explain, cluster-info, version', async () => {
    const list = columns(await output('api-resources --sort-by=name'));
    expect(list.find(([name]) => name === 'secrets')).toEqual(['secrets', 'v1', 'true', 'Secret']);
    expect(list.find(([name]) => name === 'deployments')).toEqual(['deployments', 'deploy', 'apps/v1', 'true', 'Deployment']);
    expect((await output('api-versions')).split('\n')).toContain('rbac.authorization.k8s.io/v1');
    expect(await output('explain secret.data')).toContain('FIELD: data <map[string]string>');
    expect(await output('cluster-info')).toContain('Kubernetes control plane');
    expect(await output('version')).toContain('Server Version: v1.');
  });

  it('TOK-04 and AUTHN-04: auth whoami, also as somebody else; auth can-i', async () => {
    const lines = columns(await output('auth whoami'));
    expect(lines.slice(1)).toEqual([
      ['Username', 'admin'],
      ['Groups', '[system:masters system:authenticated]'],
    ]);
    expect(await output('auth whoami --as=system:serviceaccount:flux:sync')).toContain(
      '[system:serviceaccounts system:serviceaccounts:flux system:authenticated]',
    );
    expect(await output('auth can-i delete secrets')).toBe('yes\n');
    expect(await output('auth can-i --list')).toContain('*.*');
    const nobody = await kubectl('get namespaces --as=system:anonymous');
    expect(nobody.stderr).toBe(
      'Error from server (Forbidden): namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" at the cluster scope\n',
    );
  });

  it('other imperative commands', async () => {
    expect(await output('create role reader --verb=get --resource=secrets')).toBe('role.rbac.authorization.k8s.io/reader created\n');
    expect(await output('create rolebinding read --role=reader --serviceaccount=default:default')).toContain('created');
    expect(columns(await output('get rolebinding read -o wide'))[1]?.slice(0, 2)).toEqual(['read', 'Role/reader']);
    expect(await output('create job once --image=busybox')).toBe('job.batch/once created\n');
    expect(await output('wait --for=condition=complete job/once --timeout=20s')).toBe('job.batch/once condition met\n');
    expect(await output('create deployment d --image=nginx --port=80')).toBe('deployment.apps/d created\n');
    expect(await output('expose deployment d')).toBe('service/d exposed\n');
    expect(await output('autoscale deployment d --max=3')).toBe('horizontalpodautoscaler.autoscaling/d autoscaled\n');
    expect(await output('get all -o name')).toContain('deployment.apps/d\n');
    expect(await output('delete deployment,service,hpa d')).toContain('deployment.apps "d" deleted');
    expect((await kubectl('get events')).stderr).toBe('No resources found in default namespace.\n');
  });
});
