/** What the rooms do in process, warm; beside it the program that does the same, as a process. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { memoryTree } from '../src/base/files/index.ts';
import { systemEntropy, systemWorld } from '../src/base/world/index.ts';
import { build, renderYaml } from '../src/build/kustomize/index.ts';
import { ageRecipientOf, generateAgeIdentity, parseAgeIdentities } from '../src/secrets/keys/index.ts';
import { decrypt } from '../src/secrets/sops/index.ts';
import { encryptFor } from '../test/fleets/repository.ts';
import { timeFunction, type Group, type Measured } from './benchmark.ts';
import { isOnPath, timeCommand } from './process.ts';

const RUNS = 11;

export const functions: Group = (scope) => {
  const folder = mkdtempSync(join(tmpdir(), 'sotto-bench-'));
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  return [
    { name: 'build of a small kustomization in process', unit: 'ms', target: { below: 3 }, measure: () => measureBuild(folder) },
    { name: 'decryption of a small SOPS file with age in process', unit: 'ms', measure: () => measureDecryption(folder) },
  ];
};

async function measureBuild(folder: string): Promise<Measured> {
  const tree = memoryTree(new Map(Object.entries(SMALL)));
  const value = await timeFunction(() => renderYaml(build({ tree, path: '.', loadRestrictor: 'root-only', order: 'legacy' })));
  for (const [name, text] of Object.entries(SMALL)) writeFileSync(join(folder, name), text);
  return { value, ...peer('kustomize', ['build', folder]) };
}

async function measureDecryption(folder: string): Promise<Measured> {
  const world = systemWorld();
  const identity = generateAgeIdentity(systemEntropy);
  const text = await encryptFor(await ageRecipientOf(identity, world), SECRET);
  const bytes = new TextEncoder().encode(text);
  const credentials = { age: { identities: parseAgeIdentities(identity.reveal(), 'benchmark') } };
  const value = await timeFunction(() => decrypt(bytes, { world, entropy: systemEntropy, credentials, format: 'yaml' }));
  writeFileSync(join(folder, 'secret.yaml'), text);
  writeFileSync(join(folder, 'age.key'), identity.reveal(), { mode: 0o600 });
  return { value, ...peer('sops', ['decrypt', join(folder, 'secret.yaml')], { SOPS_AGE_KEY_FILE: join(folder, 'age.key') }) };
}

/** The time of a program when it is on PATH. */
function peer(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Pick<Measured, 'reference'> {
  return isOnPath(program) ? { reference: { name: program, value: timeCommand(program, args, { runs: RUNS, env }) } } : {};
}

const SECRET = `apiVersion: v1
kind: Secret
metadata:
  name: database
stringData:
  USER: shop
  PASSWORD: made-up-password-of-a-benchmark
`;

/** A deployment, a service, a generated Secret that the deployment refers to, and a patch. */
const SMALL = {
  'kustomization.yaml': `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop
resources:
  - deployment.yaml
  - service.yaml
secretGenerator:
  - name: database
    literals:
      - USER=shop
      - PASSWORD=made-up
patches:
  - path: patch.yaml
`,
  'deployment.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/shop/web:2.0.1
          ports:
            - containerPort: 8080
          envFrom:
            - secretRef:
                name: database
`,
  'service.yaml': `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - port: 80
      targetPort: 8080
`,
  'patch.yaml': `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 5
  template:
    spec:
      containers:
        - name: web
          resources:
            limits:
              memory: 256Mi
`,
};
