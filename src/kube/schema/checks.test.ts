import { describe, expect, it } from 'vitest';

import type { JsonObject, KubeObject } from '../objects/index.ts';
import { defaultObject, validateObject } from './index.ts';

function object(apiVersion: string, kind: string, body: JsonObject = {}): KubeObject {
  const { metadata, ...rest } = body;
  return defaultObject({ apiVersion, kind, metadata: { name: 'x', ...(metadata as JsonObject | undefined) }, ...rest });
}

function texts(kube: KubeObject, old?: KubeObject): string[] {
  return validateObject(kube, old).map(({ field, message }) => `${field}: ${message}`);
}

function fields(kube: KubeObject, old?: KubeObject): string[] {
  return validateObject(kube, old).map(({ field }) => field);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('metadata', () => {
  const rows: [name: string, kube: KubeObject, expected: string[]][] = [
    ['no name', object('v1', 'ConfigMap', { metadata: { name: '' } }), ['metadata.name']],
    ['a generated name', object('v1', 'ConfigMap', { metadata: { name: '', generateName: 'a-' } }), []],
    ['a subdomain', object('v1', 'ConfigMap', { metadata: { name: 'a.b-c' } }), []],
    ['capitals', object('v1', 'ConfigMap', { metadata: { name: 'A' } }), ['metadata.name']],
    ['254 characters', object('v1', 'ConfigMap', { metadata: { name: 'a'.repeat(254) } }), ['metadata.name']],
    ['a namespace is a label', object('v1', 'Namespace', { metadata: { name: 'a.b' } }), ['metadata.name']],
    ['a role is a path segment', object('rbac.authorization.k8s.io/v1', 'Role', { metadata: { name: 'system:A' }, rules: [] }), []],
    ['a role without slash', object('rbac.authorization.k8s.io/v1', 'Role', { metadata: { name: 'a/b' }, rules: [] }), ['metadata.name']],
    ['a label key', object('v1', 'ConfigMap', { metadata: { labels: { 'a b': 'v' } } }), ['metadata.labels']],
    ['a label prefix', object('v1', 'ConfigMap', { metadata: { labels: { 'Example.org/a': 'v' } } }), ['metadata.labels']],
    ['a label value', object('v1', 'ConfigMap', { metadata: { labels: { a: 'x'.repeat(64) } } }), ['metadata.labels']],
    ['good labels', object('v1', 'ConfigMap', { metadata: { labels: { 'example.org/a': 'v_1.x', b: '' } } }), []],
    ['large annotations', object('v1', 'ConfigMap', { metadata: { annotations: { a: 'x'.repeat(262_144) } } }), ['metadata.annotations']],
    [
      'an owner without uid',
      object('v1', 'ConfigMap', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p' }] } }),
      ['metadata.ownerReferences[0].uid'],
    ],
    [
      'two controllers',
      object('v1', 'ConfigMap', {
        metadata: { ownerReferences: ['a', 'b'].map((uid) => ({ apiVersion: 'v1', kind: 'Pod', name: uid, uid, controller: true })) },
      }),
      ['metadata.ownerReferences'],
    ],
    [
      'an event as owner',
      object('v1', 'ConfigMap', { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'e', uid: 'u' }] } }),
      ['metadata.ownerReferences[0]'],
    ],
    ['an unqualified finalizer', object('v1', 'ConfigMap', { metadata: { finalizers: ['mine'] } }), ['metadata.finalizers[0]']],
    [
      'known finalizers',
      object('v1', 'ConfigMap', { metadata: { finalizers: ['kubernetes', 'foregroundDeletion', 'example.org/f'] } }),
      [],
    ],
    ['any finalizer on a custom resource', object('example.org/v1', 'Thing', { metadata: { finalizers: ['mine'] } }), []],
    [
      'both deletion finalizers',
      object('v1', 'ConfigMap', { metadata: { finalizers: ['orphan', 'foregroundDeletion'] } }),
      ['metadata.finalizers'],
    ],
  ];
  it.each(rows)('META-01: %s', (_name, kube, expected) => {
    expect(fields(kube)).toEqual(expected);
  });

  it('DEL-02: no finalizer is added while an object is deleted', () => {
    const metadata = { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.org/a', 'example.org/b'] };
    const old = object('v1', 'ConfigMap', { metadata });
    expect(texts(object('v1', 'ConfigMap', { metadata: { ...metadata, finalizers: ['example.org/b'] } }), old)).toEqual([]);
    expect(texts(object('v1', 'ConfigMap', { metadata: { ...metadata, finalizers: ['example.org/c'] } }), old)).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ["example.org/c"]',
    ]);
  });
});

describe('Secret', () => {
  const secret = (type: string, data: Record<string, string>, more: JsonObject = {}): KubeObject =>
    object('v1', 'Secret', { type, data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, base64(text)])), ...more });

  const rows: [name: string, kube: KubeObject, expected: string[]][] = [
    ['keys', secret('Opaque', { 'a.B_c-1': 'v', 'a b': 'v', '..x': 'v', '.': 'v' }), ['data[a b]', 'data[..x]', 'data[.]']],
    ['a size just right', secret('Opaque', { a: 'x'.repeat(1_048_576) }), []],
    ['a size too large', secret('Opaque', { a: 'x'.repeat(1_048_577) }), ['data']],
    [
      'service account token',
      secret('kubernetes.io/service-account-token', {}),
      ['metadata.annotations[kubernetes.io/service-account.name]'],
    ],
    [
      'service account token with its name',
      secret('kubernetes.io/service-account-token', {}, { metadata: { annotations: { 'kubernetes.io/service-account.name': 's' } } }),
      [],
    ],
    ['dockercfg without key', secret('kubernetes.io/dockercfg', {}), ['data[.dockercfg]']],
    ['dockerconfigjson that is JSON', secret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': '{"auths":{}}' }), []],
    ['basic-auth with one of both', secret('kubernetes.io/basic-auth', { password: '' }), []],
    ['basic-auth with neither', secret('kubernetes.io/basic-auth', {}), ['data[username]', 'data[password]']],
    ['ssh-auth with an empty key', secret('kubernetes.io/ssh-auth', { 'ssh-privatekey': '' }), ['data[ssh-privatekey]']],
    ['tls with both', secret('kubernetes.io/tls', { 'tls.crt': '', 'tls.key': '' }), []],
    ['tls with one', secret('kubernetes.io/tls', { 'tls.crt': 'x' }), ['data[tls.key]']],
    ['a bootstrap token is free', secret('bootstrap.kubernetes.io/token', {}), []],
  ];
  it.each(rows)('SEC-01, SEC-02: %s', (_name, kube, expected) => {
    expect(fields(kube)).toEqual(expected);
  });

  it('SEC-02: never echoes contents', () => {
    expect(texts(secret('kubernetes.io/dockerconfigjson', { '.dockerconfigjson': 'CANARY' }))).toEqual([
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be valid JSON',
    ]);
  });

  it('SEC-01: the type is immutable, and so is data once the flag is set', () => {
    expect(texts(secret('Opaque', {}), secret('kubernetes.io/tls', { 'tls.crt': '', 'tls.key': '' }))).toEqual([
      'type: Invalid value: "Opaque": field is immutable',
    ]);
    const frozen = secret('Opaque', { a: '1' }, { immutable: true });
    expect(texts(secret('Opaque', { a: '1' }, { immutable: true, metadata: { labels: { l: 'v' } } }), frozen)).toEqual([]);
    expect(texts(secret('Opaque', { a: '2' }, { immutable: true }), frozen)).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ]);
    expect(texts(secret('Opaque', { a: '1' }), frozen)).toEqual(['immutable: Forbidden: field is immutable when `immutable` is set']);
  });
});

describe('ConfigMap', () => {
  it('CM-01: keys, overlap, size and immutability', () => {
    expect(fields(object('v1', 'ConfigMap', { data: { a: 'x', 'b c': 'x' }, binaryData: { a: '' } }))).toEqual(['data[b c]', 'data[a]']);
    expect(texts(object('v1', 'ConfigMap', { data: { a: 'x'.repeat(1_048_570) }, binaryData: { b: base64('1234567') } }))).toEqual([
      '[]: Too long: may not be more than 1048576 bytes',
    ]);
    const frozen = object('v1', 'ConfigMap', { data: { a: '1' }, immutable: true });
    expect(fields(object('v1', 'ConfigMap', { data: { a: '1' }, binaryData: { b: '' } }), frozen)).toEqual(['immutable', 'binaryData']);
  });
});

const CONTAINER = { name: 'c', image: 'i:1' };

function workload(kind: string, spec: JsonObject = {}, podSpec: JsonObject = {}, labels: JsonObject = { a: 'b' }): KubeObject {
  const template = { metadata: { labels }, spec: { containers: [CONTAINER], ...podSpec } };
  return object('apps/v1', kind, { spec: { selector: { matchLabels: { a: 'b' } }, template, ...spec } });
}

describe('workloads', () => {
  const IN = 'spec.template.spec';
  const container = (more: JsonObject): KubeObject => workload('Deployment', {}, { containers: [{ ...CONTAINER, ...more }] });
  const rows: [name: string, kube: KubeObject, expected: string[]][] = [
    ['a good one', workload('Deployment'), []],
    ['no selector', workload('Deployment', { selector: null }), ['spec.selector: Required value']],
    [
      'an empty selector',
      workload('Deployment', { selector: {} }),
      ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
    ],
    [
      'other labels',
      workload('Deployment', {}, {}, { app: 'x' }),
      ['spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`'],
    ],
    [
      'a selector with expressions',
      workload('Deployment', {
        selector: {
          matchExpressions: [
            { key: 'a', operator: 'In', values: ['b'] },
            { key: 'z', operator: 'DoesNotExist' },
          ],
        },
      }),
      [],
    ],
    ['no containers', workload('Deployment', {}, { containers: [] }), [`${IN}.containers: Required value`]],
    ['no name', container({ name: '' }), [`${IN}.containers[0].name: Required value`]],
    ['no image', container({ image: '' }), [`${IN}.containers[0].image: Required value`]],
    [
      'two containers of one name',
      workload('Deployment', {}, { containers: [CONTAINER, CONTAINER] }),
      [`${IN}.containers[1].name: Duplicate value: "c"`],
    ],
    [
      'a mount without volume',
      container({ volumeMounts: [{ name: 'x', mountPath: '/x' }] }),
      [`${IN}.containers[0].volumeMounts[0].name: Not found: "x"`],
    ],
    [
      'one path twice',
      workload(
        'Deployment',
        {},
        {
          volumes: [{ name: 'v' }],
          containers: [
            {
              ...CONTAINER,
              volumeMounts: [
                { name: 'v', mountPath: '/x' },
                { name: 'v', mountPath: '/x' },
              ],
            },
          ],
        },
      ),
      [`${IN}.containers[0].volumeMounts[1].mountPath: Invalid value: "/x": must be unique`],
    ],
    [
      'a port out of range',
      container({ ports: [{ containerPort: 70_000 }] }),
      [`${IN}.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
    ],
    [
      'port names',
      container({
        ports: [
          { containerPort: 1, name: 'http' },
          { containerPort: 2, name: 'http' },
        ],
      }),
      [`${IN}.containers[0].ports[1].name: Duplicate value: "http"`],
    ],
    ['a variable without name', container({ env: [{ value: 'CANARY' }] }), [`${IN}.containers[0].env[0].name: Required value`]],
    [
      'a restart policy',
      workload('Deployment', {}, { restartPolicy: 'Never' }),
      [`${IN}.restartPolicy: Unsupported value: "Never": supported values: "Always"`],
    ],
    [
      'a mount of a claim template',
      workload(
        'StatefulSet',
        { volumeClaimTemplates: [{ metadata: { name: 'd' } }] },
        { containers: [{ ...CONTAINER, volumeMounts: [{ name: 'd', mountPath: '/d' }] }] },
      ),
      [],
    ],
    [
      'a Job that restarts always',
      object('batch/v1', 'Job', { spec: { template: { spec: { containers: [CONTAINER] } } } }),
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'a schedule that is none',
      object('batch/v1', 'CronJob', {
        spec: {
          schedule: '61 * * * *',
          jobTemplate: { spec: { template: { spec: { containers: [CONTAINER], restartPolicy: 'Never' } } } },
        },
      }),
      ['spec.schedule: Invalid value: "61 * * * *": must be a cron schedule of five fields or a descriptor like @daily'],
    ],
  ];
  it.each(rows)('KIND-01: %s', (_name, kube, expected) => {
    expect(texts(kube)).toEqual(expected);
  });

  it.each(['*/5 * * * *', '0 0 1 jan mon-fri', '0-30/2,45 8 * * 1,3', '@daily', '@every 1h30m', '0 0 ? * *'])(
    'KIND-01: the schedule %s parses',
    (schedule) => {
      const template = { spec: { containers: [CONTAINER], restartPolicy: 'Never' } };
      expect(texts(object('batch/v1', 'CronJob', { spec: { schedule, jobTemplate: { spec: { template } } } }))).toEqual([]);
    },
  );

  it.each(['Deployment', 'ReplicaSet', 'DaemonSet'])('KIND-01: the selector of a %s is immutable', (kind) => {
    const selector = { matchLabels: { c: 'd' } };
    expect(texts(workload(kind, { selector }, {}, { a: 'b', c: 'd' }), workload(kind))).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"c":"d"}}: field is immutable',
    ]);
  });

  it('KIND-01: a StatefulSet changes only in some fields', () => {
    const old = workload('StatefulSet');
    expect(texts(workload('StatefulSet', { replicas: 5, minReadySeconds: 3 }), old)).toEqual([]);
    expect(texts(workload('StatefulSet', { serviceName: 's' }), old)).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ]);
  });

  it('KIND-01: a Job keeps template, selector and completions; no text quotes the template', () => {
    const job = (spec: JsonObject, value = 'CANARY'): KubeObject =>
      object('batch/v1', 'Job', {
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ ...CONTAINER, env: [{ name: 'P', value }] }] } }, ...spec },
      });
    const errors = texts(job({ completions: 5, completionMode: 'Indexed' }, 'OTHER-CANARY'), job({ completions: 1 }));
    expect(errors.map((text) => text.split(':')[0])).toEqual(['spec.completionMode', 'spec.completions', 'spec.template']);
    expect(errors.join(' ')).not.toContain('CANARY');
    const indexed = { completionMode: 'Indexed', completions: 2, parallelism: 2 };
    expect(texts(job({ ...indexed, completions: 3, parallelism: 3 }), job(indexed))).toEqual([]);
  });

  it('KIND-01: a Pod keeps its spec but images, deadline and added tolerations', () => {
    const pod = (spec: JsonObject): KubeObject => object('v1', 'Pod', { spec: { containers: [CONTAINER], ...spec } });
    expect(
      texts(
        pod({
          containers: [{ ...CONTAINER, image: 'i:2', imagePullPolicy: 'IfNotPresent' }],
          activeDeadlineSeconds: 5,
          tolerations: [{ key: 'k' }],
        }),
        pod({}),
      ),
    ).toEqual([]);
    expect(texts(pod({ nodeName: 'n' }), pod({}))[0]).toContain('spec: Forbidden: pod updates may not change fields other than ');
    expect(fields(pod({ tolerations: [] }), pod({ tolerations: [{ key: 'k' }] }))).toEqual(['spec']);
  });
});

describe('other kinds', () => {
  const service = (spec: JsonObject): KubeObject => object('v1', 'Service', { spec });
  const binding = (kind: string, body: JsonObject): KubeObject =>
    object('rbac.authorization.k8s.io/v1', kind, { roleRef: { kind: 'ClusterRole', name: 'r' }, ...body });
  const rows: [name: string, kube: KubeObject, expected: string[]][] = [
    ['a Service without ports', service({}), ['spec.ports: Required value']],
    ['a headless one', service({ clusterIP: 'None' }), []],
    ['an external name', service({ type: 'ExternalName', externalName: 'a.b' }), []],
    ['ports without names', service({ ports: [{ port: 1 }, { port: 2, name: 'b' }] }), ['spec.ports[0].name: Required value']],
    [
      'a port twice',
      service({
        ports: [
          { port: 1, name: 'a' },
          { port: 1, name: 'b' },
        ],
      }),
      ['spec.ports[1]: Duplicate value: {"protocol":"TCP","port":1}'],
    ],
    [
      'one number, two protocols',
      service({
        ports: [
          { port: 1, name: 'a' },
          { port: 1, name: 'b', protocol: 'UDP' },
        ],
      }),
      [],
    ],
    [
      'an Ingress path without type',
      object('networking.k8s.io/v1', 'Ingress', { spec: { rules: [{ http: { paths: [{ path: '/' }] } }] } }),
      ['spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified'],
    ],
    [
      'a rule without verbs',
      object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ apiGroups: [''], resources: ['pods'] }] }),
      ['rules[0].verbs: Required value: verbs must contain at least one value'],
    ],
    [
      'paths in a Role',
      object('rbac.authorization.k8s.io/v1', 'Role', { rules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] }),
      ['rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs'],
    ],
    [
      'a subject without namespace',
      binding('ClusterRoleBinding', { subjects: [{ kind: 'ServiceAccount', name: 's' }] }),
      ['subjects[0].namespace: Required value'],
    ],
    ['… which a RoleBinding need not have', binding('RoleBinding', { subjects: [{ kind: 'ServiceAccount', name: 's' }] }), []],
    [
      'a Role in a ClusterRoleBinding',
      binding('ClusterRoleBinding', { roleRef: { kind: 'Role', name: 'r' } }),
      ['roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
    ],
  ];
  it.each(rows)('KIND-01, RBAC-02: %s', (_name, kube, expected) => {
    expect(texts(kube)).toEqual(expected);
  });

  it('RBAC-03: roleRef is immutable', () => {
    expect(texts(binding('RoleBinding', { roleRef: { kind: 'ClusterRole', name: 'q' } }), binding('RoleBinding', {}))[0]).toContain(
      'field is immutable',
    );
  });

  it('KIND-01: a clusterIP stays once set', () => {
    const ports = [{ port: 1 }];
    expect(texts(service({ ports, clusterIP: '10.0.0.2' }), service({ ports, clusterIP: '10.0.0.1' }))).toEqual([
      'spec.clusterIP: Invalid value: "10.0.0.2": may not change once set',
    ]);
    expect(texts(service({ type: 'ExternalName', externalName: 'a' }), service({ ports, clusterIP: '10.0.0.1' }))).toEqual([]);
  });

  it('KIND-01: a StorageClass does not change', () => {
    const storage = (body: JsonObject): KubeObject => object('storage.k8s.io/v1', 'StorageClass', { provisioner: 'p', ...body });
    expect(texts(storage({ provisioner: 'q', volumeBindingMode: 'WaitForFirstConsumer' }), storage({}))).toEqual([
      'provisioner: Forbidden: updates to provisioner are forbidden.',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]);
  });

  it('KIND-01: a claim changes only what it requests', () => {
    const claim = (spec: JsonObject): KubeObject =>
      object('v1', 'PersistentVolumeClaim', {
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
      });
    expect(texts(claim({}))).toEqual([]);
    expect(fields(claim({ accessModes: [], resources: {} }))).toEqual(['spec.accessModes', 'spec.resources[storage]']);
    expect(texts(claim({ resources: { requests: { storage: '2Gi' } } }), claim({}))).toEqual([]);
    expect(fields(claim({ accessModes: ['ReadOnlyMany'] }), claim({}))).toEqual(['spec']);
  });
});

describe('CustomResourceDefinition', () => {
  const version = (more: JsonObject = {}): JsonObject => ({
    name: 'v1',
    served: true,
    storage: true,
    schema: { openAPIV3Schema: { type: 'object' } },
    ...more,
  });
  const crd = (spec: JsonObject = {}, name = 'things.example.org'): KubeObject =>
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
      metadata: { name },
      spec: { group: 'example.org', scope: 'Namespaced', names: { plural: 'things', kind: 'Thing' }, versions: [version()], ...spec },
    });
  const rows: [name: string, kube: KubeObject, expected: string[]][] = [
    ['a good one', crd(), []],
    ['another name', crd({}, 'x.example.org'), ['metadata.name: Invalid value: "x.example.org": must be spec.names.plural+"."+spec.group']],
    [
      'no storage version',
      crd({ versions: [version({ storage: false })] }),
      ['spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version'],
    ],
    [
      'no schema',
      crd({ versions: [version({ schema: null })] }),
      ['spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required'],
    ],
    [
      'a schema that is not structural',
      crd({ versions: [version({ schema: { openAPIV3Schema: { type: 'object', properties: { spec: {} } } } })] }),
      ['spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields'],
    ],
    ['no scope', crd({ scope: '' }), ['spec.scope: Required value']],
    ['another scope', crd({ scope: 'Planet' }), ['spec.scope: Unsupported value: "Planet": supported values: "Cluster", "Namespaced"']],
    [
      'conversion by webhook',
      crd({ conversion: { strategy: 'Webhook' } }),
      ['spec.conversion.strategy: Invalid value: "Webhook": conversion webhooks are not supported by this API server'],
    ],
    [
      'nine selectable fields',
      crd({ versions: [version({ selectableFields: Array.from({ length: 9 }, (_, i) => ({ jsonPath: `.spec.f${i}` })) })] }),
      ['spec.versions[0].selectableFields: Too many: 9: must have at most 8 items'],
    ],
  ];
  it.each(rows)('CRD-01, CRD-09, CRD-10: %s', (_name, kube, expected) => {
    expect(texts(kube)).toEqual(expected);
  });

  it('CRD-01: group, kind, plural and scope stay', () => {
    expect(fields(crd({ scope: 'Cluster' }), crd())).toEqual(['spec.scope']);
  });

  it('CRD-02: its own finalizer needs no prefix', () => {
    const metadata = { name: 'things.example.org', finalizers: ['customresourcecleanup.apiextensions.k8s.io'] };
    expect(texts({ ...crd(), metadata })).toEqual([]);
  });
});
