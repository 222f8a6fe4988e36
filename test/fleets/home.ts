/**
 * A fleet laid out like the public home-lab and multi-tenant Flux repositories: `kubernetes/apps/<ns>/<app>/ks.yaml`, one
 * parent Kustomization whose patches inject `decryption` and nested `patches` into all children, a component with the
 * namespace, the key Secret and `cluster-secrets`, HelmReleases with OCIRepositories, and `${VAR}` from a decrypted Secret.
 */

/** Encrypts a manifest in place of `sops encrypt` with `encrypted_regex: ^(data|stringData)$`. */
export type EncryptManifest = (yaml: string) => Promise<string>;

export interface HomeFleetOptions {
  readonly namespaces: number;
  readonly appsPerNamespace: number;
  /** The age identity that children read from their own namespace. A test key. */
  readonly identity: string;
  readonly encrypt: EncryptManifest;
}

/** Path → content of the whole repository. `clusters/home` in Sotto's terms is `kubernetes/flux/cluster`. */
export async function homeFleet(options: HomeFleetOptions): Promise<Map<string, string>> {
  const files = new Map<string, string>([
    ['kubernetes/flux/cluster/ks.yaml', PARENT],
    ['kubernetes/components/common/kustomization.yaml', COMPONENT],
    ['kubernetes/components/common/namespace.yaml', NAMESPACE],
    ['kubernetes/components/common/sops-age.sops.yaml', await options.encrypt(keySecret(options.identity))],
    ['kubernetes/components/common/cluster-secrets.sops.yaml', await options.encrypt(CLUSTER_SECRETS)],
  ]);
  for (let n = 0; n < options.namespaces; n++) {
    const namespace = `team-${String(n).padStart(2, '0')}`;
    const apps = Array.from({ length: options.appsPerNamespace }, (_, a) => `app-${a}`);
    files.set(`kubernetes/apps/${namespace}/kustomization.yaml`, namespaceFile(namespace, apps));
    for (const [index, app] of apps.entries()) await addApp(files, namespace, app, index, options.encrypt);
  }
  return files;
}

async function addApp(files: Map<string, string>, namespace: string, app: string, index: number, encrypt: EncryptManifest): Promise<void> {
  const folder = `kubernetes/apps/${namespace}/${app}`;
  const isHelm = index % 2 === 0;
  files.set(`${folder}/ks.yaml`, childKustomization(namespace, app, index));
  files.set(`${folder}/app/kustomization.yaml`, appFile(isHelm));
  files.set(`${folder}/app/secret.sops.yaml`, await encrypt(appSecret(app)));
  if (isHelm) {
    files.set(`${folder}/app/helmrelease.yaml`, helmRelease(app));
    files.set(`${folder}/app/ocirepository.yaml`, ociRepository(app));
  } else {
    files.set(`${folder}/app/deployment.yaml`, deployment(app));
  }
}

const PARENT = `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: cluster-apps
  namespace: flux-system
spec:
  interval: 1h
  path: ./kubernetes/apps
  prune: true
  decryption:
    provider: sops
    secretRef:
      name: sops-age
  sourceRef:
    kind: GitRepository
    name: flux-system
  patches:
    - patch: |-
        apiVersion: kustomize.toolkit.fluxcd.io/v1
        kind: Kustomization
        metadata:
          name: _
        spec:
          decryption:
            provider: sops
            secretRef:
              name: sops-age
          patches:
            - patch: |-
                apiVersion: helm.toolkit.fluxcd.io/v2
                kind: HelmRelease
                metadata:
                  name: _
                spec:
                  install:
                    crds: CreateReplace
              target:
                group: helm.toolkit.fluxcd.io
                kind: HelmRelease
      target:
        group: kustomize.toolkit.fluxcd.io
        kind: Kustomization
`;

const COMPONENT = `---
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
resources:
  - ./namespace.yaml
  - ./sops-age.sops.yaml
  - ./cluster-secrets.sops.yaml
`;

const NAMESPACE = `---
apiVersion: v1
kind: Namespace
metadata:
  name: _
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
`;

const keySecret = (identity: string): string => `apiVersion: v1
kind: Secret
metadata:
  name: sops-age
stringData:
  age.agekey: ${identity}
`;

const CLUSTER_SECRETS = `apiVersion: v1
kind: Secret
metadata:
  name: cluster-secrets
stringData:
  SECRET_DOMAIN: home.example
  SECRET_CIDR: 10.42.0.0/16
`;

const namespaceFile = (namespace: string, apps: readonly string[]): string => `---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: ${namespace}
components:
  - ../../components/common
resources:
${apps.map((app) => `  - ./${app}/ks.yaml`).join('\n')}
`;

const childKustomization = (namespace: string, app: string, index: number): string => `---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: ${app}
spec:
  interval: 1h
  path: ./kubernetes/apps/${namespace}/${app}/app
  prune: true
  wait: true
  targetNamespace: ${namespace}
  commonMetadata:
    labels:
      app.kubernetes.io/name: ${app}
  sourceRef:
    kind: GitRepository
    name: flux-system
    namespace: flux-system
${index === 0 ? '' : `  dependsOn:\n    - name: app-0\n`}  postBuild:
    substituteFrom:
      - kind: Secret
        name: cluster-secrets
`;

const appFile = (isHelm: boolean): string => `---
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
  - ./secret.sops.yaml
${isHelm ? '  - ./helmrelease.yaml\n  - ./ocirepository.yaml' : '  - ./deployment.yaml'}
`;

const appSecret = (app: string): string => `apiVersion: v1
kind: Secret
metadata:
  name: ${app}-secret
stringData:
  PASSWORD: made-up-password-of-${app}
`;

const helmRelease = (app: string): string => `---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: ${app}
spec:
  interval: 1h
  chartRef:
    kind: OCIRepository
    name: ${app}
  valuesFrom:
    - kind: Secret
      name: ${app}-secret
      optional: true
  values:
    route:
      hostnames: ["${app}.\${SECRET_DOMAIN}"]
`;

const ociRepository = (app: string): string => `---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: ${app}
spec:
  interval: 1h
  layerSelector:
    mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip
    operation: copy
  ref:
    tag: 4.3.0
  url: oci://registry.example/charts/${app}
`;

const deployment = (app: string): string => `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${app}
spec:
  selector:
    matchLabels:
      app: ${app}
  template:
    metadata:
      labels:
        app: ${app}
    spec:
      containers:
        - name: main
          image: registry.example/${app}:1.0.0
          env:
            - name: DOMAIN
              value: ${app}.\${SECRET_DOMAIN}
          envFrom:
            - secretRef:
                name: ${app}-secret
`;
