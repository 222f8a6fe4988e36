import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../objects/index.ts';
import { consumedKinds, producesOf, referencesOf, usuallyProvidedBy } from './index.ts';

function object(apiVersion: string, kind: string, fields: Record<string, unknown>): KubeObject {
  return { apiVersion, kind, metadata: { name: 'me', namespace: 'apps' }, ...fields };
}

/** `Secret apps/name[keys]? at path`, one line each. */
function lines(subject: KubeObject): string[] {
  return referencesOf(subject).map(({ kind, namespace, name, keys, optional, path }) => {
    const list = keys === undefined ? '' : `[${keys.join(',')}]`;
    return `${kind} ${namespace}/${name}${list}${optional ? '?' : ''} at ${path}`;
  });
}

const podSpec = {
  containers: [
    {
      env: [
        { name: 'A', value: 'x' },
        { name: 'B', valueFrom: { secretKeyRef: { name: 's1', key: 'k' } } },
        { name: 'C', valueFrom: { configMapKeyRef: { name: 'c1', key: 'k', optional: true } } },
      ],
      envFrom: [{ secretRef: { name: 's2' } }, { prefix: 'P', configMapRef: { name: 'c2' } }],
    },
  ],
  initContainers: [{ envFrom: [{ secretRef: { name: 's3', optional: true } }] }],
  ephemeralContainers: [{ env: [{ valueFrom: { secretKeyRef: { name: 's4', key: 'z' } } }] }],
  volumes: [
    { name: 'a', secret: { secretName: 's5' } },
    {
      name: 'b',
      secret: {
        secretName: 's6',
        optional: true,
        items: [
          { key: 'x', path: 'x' },
          { key: 'y', path: 'y' },
        ],
      },
    },
    { name: 'c', configMap: { name: 'c3' } },
    {
      name: 'd',
      projected: {
        sources: [{ secret: { name: 's7', items: [{ key: 'q' }] } }, { configMap: { name: 'c4' } }, { serviceAccountToken: {} }],
      },
    },
    { name: 'e', csi: { driver: 'x', nodePublishSecretRef: { name: 's8' } } },
    { name: 'f', emptyDir: {} },
  ],
  imagePullSecrets: [{ name: 's9' }, {}],
};

const inPodSpec = (prefix: string): string[] => [
  `Secret apps/s1[k] at ${prefix}.containers[0].env[1].valueFrom.secretKeyRef`,
  `ConfigMap apps/c1[k]? at ${prefix}.containers[0].env[2].valueFrom.configMapKeyRef`,
  `Secret apps/s2 at ${prefix}.containers[0].envFrom[0].secretRef`,
  `ConfigMap apps/c2 at ${prefix}.containers[0].envFrom[1].configMapRef`,
  `Secret apps/s3? at ${prefix}.initContainers[0].envFrom[0].secretRef`,
  `Secret apps/s4[z] at ${prefix}.ephemeralContainers[0].env[0].valueFrom.secretKeyRef`,
  `Secret apps/s5 at ${prefix}.volumes[0].secret`,
  `Secret apps/s6[x,y]? at ${prefix}.volumes[1].secret`,
  `ConfigMap apps/c3 at ${prefix}.volumes[2].configMap`,
  `Secret apps/s7[q] at ${prefix}.volumes[3].projected.sources[0].secret`,
  `ConfigMap apps/c4 at ${prefix}.volumes[3].projected.sources[1].configMap`,
  `Secret apps/s8 at ${prefix}.volumes[4].csi.nodePublishSecretRef`,
  `Secret apps/s9 at ${prefix}.imagePullSecrets[0]`,
];

describe('referencesOf', () => {
  const workloads: [apiVersion: string, kind: string, prefix: string, wrap: (spec: object) => Record<string, unknown>][] = [
    ['v1', 'Pod', 'spec', (spec) => ({ spec })],
    ['v1', 'PodTemplate', 'template.spec', (spec) => ({ template: { spec } })],
    ['v1', 'ReplicationController', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'Deployment', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'StatefulSet', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'DaemonSet', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
    ['apps/v1', 'ReplicaSet', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
    ['batch/v1', 'Job', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
    ['batch/v1', 'CronJob', 'spec.jobTemplate.spec.template.spec', (spec) => ({ spec: { jobTemplate: { spec: { template: { spec } } } } })],
    ['argoproj.io/v1alpha1', 'Rollout', 'spec.template.spec', (spec) => ({ spec: { template: { spec } } })],
  ];
  it.each(workloads)('finds everything in the Pod spec of %s %s', (apiVersion, kind, prefix, wrap) => {
    expect(lines(object(apiVersion, kind, wrap(podSpec)))).toEqual(inPodSpec(prefix));
  });

  const kustomization = {
    decryption: { provider: 'sops', secretRef: { name: 'sops-age' } },
    postBuild: {
      substituteFrom: [
        { kind: 'ConfigMap', name: 'vars' },
        { kind: 'Secret', name: 'more', optional: true },
      ],
    },
    kubeConfig: { secretRef: { name: 'remote' } },
  };
  const others: [name: string, subject: KubeObject, expected: string[]][] = [
    [
      'a ServiceAccount',
      object('v1', 'ServiceAccount', { secrets: [{ name: 'token' }], imagePullSecrets: [{ name: 'pull' }] }),
      ['Secret apps/token at secrets[0]', 'Secret apps/pull at imagePullSecrets[0]'],
    ],
    [
      'an Ingress',
      object('networking.k8s.io/v1', 'Ingress', { spec: { tls: [{ secretName: 'tls' }, { hosts: [] }] } }),
      ['Secret apps/tls at spec.tls[0].secretName'],
    ],
    [
      'a Gateway',
      object('gateway.networking.k8s.io/v1', 'Gateway', {
        spec: {
          listeners: [
            {
              tls: {
                certificateRefs: [
                  { name: 'cert', namespace: 'certs' },
                  { kind: 'Other', name: 'x' },
                ],
              },
            },
          ],
        },
      }),
      ['Secret certs/cert at spec.listeners[0].tls.certificateRefs[0]'],
    ],
    [
      'a PersistentVolume',
      object('v1', 'PersistentVolume', { spec: { csi: { nodeStageSecretRef: { name: 'csi', namespace: 'storage' } } } }),
      ['Secret storage/csi at spec.csi.nodeStageSecretRef'],
    ],
    [
      'a Kustomization',
      object('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { spec: kustomization }),
      [
        'Secret apps/sops-age at spec.decryption.secretRef',
        'ConfigMap apps/vars at spec.postBuild.substituteFrom[0]',
        'Secret apps/more? at spec.postBuild.substituteFrom[1]',
        'Secret apps/remote[value,value.yaml] at spec.kubeConfig.secretRef',
      ],
    ],
    [
      'a Kustomization with a named key',
      object('kustomize.toolkit.fluxcd.io/v1', 'Kustomization', { spec: { kubeConfig: { secretRef: { name: 'remote', key: 'config' } } } }),
      ['Secret apps/remote[config] at spec.kubeConfig.secretRef'],
    ],
    [
      'a HelmRelease',
      object('helm.toolkit.fluxcd.io/v2', 'HelmRelease', {
        spec: {
          valuesFrom: [
            { kind: 'Secret', name: 'v' },
            { kind: 'ConfigMap', name: 'w', valuesKey: 'k', optional: true },
          ],
        },
      }),
      ['Secret apps/v[values.yaml] at spec.valuesFrom[0]', 'ConfigMap apps/w[k]? at spec.valuesFrom[1]'],
    ],
    [
      'a GitRepository',
      object('source.toolkit.fluxcd.io/v1', 'GitRepository', {
        spec: { secretRef: { name: 'a' }, verify: { secretRef: { name: 'b' } }, proxySecretRef: { name: 'c' } },
      }),
      ['Secret apps/a at spec.secretRef', 'Secret apps/b at spec.verify.secretRef', 'Secret apps/c at spec.proxySecretRef'],
    ],
    [
      'an OCIRepository',
      object('source.toolkit.fluxcd.io/v1', 'OCIRepository', {
        spec: { certSecretRef: { name: 'a' }, verify: { trustedRootSecretRef: { name: 'b' } } },
      }),
      ['Secret apps/a at spec.certSecretRef', 'Secret apps/b at spec.verify.trustedRootSecretRef'],
    ],
    [
      'a Receiver',
      object('notification.toolkit.fluxcd.io/v1', 'Receiver', { spec: { secretRef: { name: 'hook' } } }),
      ['Secret apps/hook[token] at spec.secretRef'],
    ],
    [
      'a SecretStore',
      object('external-secrets.io/v1', 'SecretStore', {
        spec: {
          provider: {
            aws: {
              auth: {
                secretRef: { accessKeyIDSecretRef: { name: 'aws', key: 'id' }, secretAccessKeySecretRef: { name: 'aws', key: 'key' } },
              },
            },
          },
        },
      }),
      [
        'Secret apps/aws[id] at spec.provider.aws.auth.secretRef.accessKeyIDSecretRef',
        'Secret apps/aws[key] at spec.provider.aws.auth.secretRef.secretAccessKeySecretRef',
      ],
    ],
    [
      'a ClusterSecretStore',
      object('external-secrets.io/v1', 'ClusterSecretStore', {
        metadata: { name: 'x' },
        spec: { provider: { vault: { auth: { tokenSecretRef: { name: 't', namespace: 'vault', key: 'token' } } } } },
      }),
      ['Secret vault/t[token] at spec.provider.vault.auth.tokenSecretRef'],
    ],
    [
      'a PushSecret',
      object('external-secrets.io/v1alpha1', 'PushSecret', { spec: { selector: { secret: { name: 'p' } } } }),
      ['Secret apps/p at spec.selector.secret'],
    ],
    [
      'an Issuer',
      object('cert-manager.io/v1', 'Issuer', {
        spec: {
          ca: { secretName: 'ca' },
          acme: { solvers: [{ dns01: { cloudflare: { apiTokenSecretRef: { name: 'cf', key: 'token' } } } }] },
        },
      }),
      ['Secret apps/ca at spec.ca.secretName', 'Secret apps/cf[token] at spec.acme.solvers[0].dns01.cloudflare.apiTokenSecretRef'],
    ],
  ];
  it.each(others)('finds what %s consumes', (_name, subject, expected) => {
    expect(lines(subject)).toEqual(expected);
  });

  it('finds nothing in kinds that consume nothing, and survives malformed objects', () => {
    expect(referencesOf(object('v1', 'Secret', { data: { a: '' } }))).toEqual([]);
    expect(referencesOf(object('example.com/v1', 'Deployment', { spec: { template: { spec: podSpec } } }))).toEqual([]);
    for (const spec of [
      undefined,
      null,
      'text',
      [],
      { containers: 'x' },
      { containers: [null, { env: [7], envFrom: [{ secretRef: null }] }], volumes: {} },
    ]) {
      expect(referencesOf(object('v1', 'Pod', { spec }))).toEqual([]);
    }
  });

  it('is not misled by inherited properties', () => {
    expect(referencesOf(object('v1', 'Pod', { spec: { imagePullSecrets: [Object.create({ name: 'inherited' })] } }))).toEqual([]);
  });

  it('lists the kinds it knows', () => {
    expect(consumedKinds()).toContainEqual({ group: 'apps', kind: 'Deployment' });
    expect(consumedKinds()).toContainEqual({ group: '', kind: 'Pod' });
  });
});

describe('producesOf', () => {
  const products: [name: string, subject: KubeObject, expected: object[]][] = [
    [
      'an ExternalSecret with a target',
      object('external-secrets.io/v1', 'ExternalSecret', {
        spec: { target: { name: 't', template: { data: { url: '' } } }, data: [{ secretKey: 'a' }] },
      }),
      [{ kind: 'Secret', namespace: 'apps', name: 't', keys: ['a', 'url'] }],
    ],
    [
      'an ExternalSecret without one',
      object('external-secrets.io/v1', 'ExternalSecret', { spec: { dataFrom: [] } }),
      [{ kind: 'Secret', namespace: 'apps', name: 'me' }],
    ],
    [
      'a SealedSecret',
      object('bitnami.com/v1alpha1', 'SealedSecret', { spec: { encryptedData: { a: 'x' }, template: { data: { b: '' } } } }),
      [{ kind: 'Secret', namespace: 'apps', name: 'me', keys: ['a', 'b'] }],
    ],
    [
      'a Certificate',
      object('cert-manager.io/v1', 'Certificate', { spec: { secretName: 'web-tls' } }),
      [{ kind: 'Secret', namespace: 'apps', name: 'web-tls', keys: ['tls.crt', 'tls.key', 'ca.crt'] }],
    ],
    [
      'a OnePasswordItem',
      object('onepassword.com/v1', 'OnePasswordItem', { spec: { itemPath: 'x' } }),
      [{ kind: 'Secret', namespace: 'apps', name: 'me' }],
    ],
    [
      'a SecretProviderClass',
      object('secrets-store.csi.x-k8s.io/v1', 'SecretProviderClass', {
        spec: { secretObjects: [{ secretName: 'a', data: [{ key: 'k', objectName: 'o' }] }, { secretName: 'b' }] },
      }),
      [
        { kind: 'Secret', namespace: 'apps', name: 'a', keys: ['k'] },
        { kind: 'Secret', namespace: 'apps', name: 'b' },
      ],
    ],
    [
      'a DopplerSecret elsewhere',
      object('secrets.doppler.com/v1alpha1', 'DopplerSecret', { spec: { managedSecret: { name: 'd', namespace: 'n' } } }),
      [{ kind: 'Secret', namespace: 'n', name: 'd' }],
    ],
    ['a Deployment', object('apps/v1', 'Deployment', { spec: {} }), []],
  ];
  it.each(products)('says what %s produces', (_name, subject, expected) => {
    expect(producesOf(subject)).toEqual(expected);
  });
});

describe('usuallyProvidedBy', () => {
  const hints: [group: string, kind: string, provider: string | undefined][] = [
    ['helm.toolkit.fluxcd.io', 'HelmRelease', "Flux's helm-controller"],
    ['source.toolkit.fluxcd.io', 'HelmChart', "Flux's source-controller"],
    ['acme.cert-manager.io', 'Order', 'cert-manager'],
    ['networking.istio.io', 'VirtualService', 'Istio'],
    ['postgresql.cnpg.io', 'Cluster', 'CloudNativePG'],
    ['example.com', 'Widget', undefined],
    ['', 'Secret', undefined],
  ];
  it.each(hints)('%s %s', (group, kind, provider) => {
    expect(usuallyProvidedBy({ group, kind })).toBe(provider);
  });
});
