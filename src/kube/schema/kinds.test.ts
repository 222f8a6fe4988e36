import { describe, expect, it } from 'vitest';

import type { Json, JsonObject, KubeObject } from '../objects/index.ts';
import { builtinResources, canonicalQuantity, defaultObject, prepareObject, schemaOf, validate } from './index.ts';

function object(apiVersion: string, kind: string, body: JsonObject): KubeObject {
  const { metadata, ...rest } = body;
  return { apiVersion, kind, metadata: { name: 'x', ...(metadata as JsonObject | undefined) }, ...rest };
}

const TEMPLATE = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } };

function deployment(spec: JsonObject = {}, podSpec: JsonObject = {}): KubeObject {
  const template = { ...TEMPLATE, spec: { ...TEMPLATE.spec, ...podSpec } };
  return defaultObject(object('apps/v1', 'Deployment', { spec: { selector: { matchLabels: { a: 'b' } }, template, ...spec } }));
}

describe('builtinResources', () => {
  it('DISC-04: groups come in priority order, preferred versions first', () => {
    const groups = [...new Set(builtinResources().map((resource) => `${resource.group}/${resource.version}`))];
    expect(groups).toEqual([
      '/v1',
      'apps/v1',
      'events.k8s.io/v1',
      'authentication.k8s.io/v1',
      'authorization.k8s.io/v1',
      'autoscaling/v2',
      'autoscaling/v1',
      'batch/v1',
      'certificates.k8s.io/v1',
      'networking.k8s.io/v1',
      'policy/v1',
      'rbac.authorization.k8s.io/v1',
      'storage.k8s.io/v1',
      'apiextensions.k8s.io/v1',
      'admissionregistration.k8s.io/v1',
      'scheduling.k8s.io/v1',
      'coordination.k8s.io/v1',
      'node.k8s.io/v1',
      'discovery.k8s.io/v1',
      'flowcontrol.apiserver.k8s.io/v1',
    ]);
  });

  const KINDS =
    'Namespace Secret ConfigMap ServiceAccount Service Endpoints Event Pod PersistentVolume PersistentVolumeClaim LimitRange ResourceQuota Node PodTemplate ' +
    'ReplicationController Deployment StatefulSet DaemonSet ReplicaSet ControllerRevision Job CronJob Ingress IngressClass NetworkPolicy PodDisruptionBudget ' +
    'Role RoleBinding ClusterRole ClusterRoleBinding StorageClass CSIDriver CSINode VolumeAttachment PriorityClass Lease EndpointSlice HorizontalPodAutoscaler ' +
    'MutatingWebhookConfiguration ValidatingWebhookConfiguration CustomResourceDefinition SubjectAccessReview SelfSubjectReview TokenReview CertificateSigningRequest';
  it.each(KINDS.split(' '))('KIND-01: %s is served and has a schema', (kind) => {
    const found = builtinResources().find((resource) => resource.kind === kind);
    expect(found).toBeDefined();
    expect(found === undefined ? undefined : schemaOf(found)?.properties?.['metadata']).toBeDefined();
  });

  it('knows scope, short names, categories, verbs and subresources', () => {
    const deployments = builtinResources().find((resource) => resource.plural === 'deployments');
    expect(deployments).toMatchObject({ namespaced: true, singular: 'deployment', shortNames: ['deploy'], categories: ['all'] });
    expect(deployments?.verbs).toEqual(['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']);
    expect(deployments?.subresources.find(({ name }) => name === 'scale')).toEqual({
      name: 'scale',
      group: 'autoscaling',
      version: 'v1',
      kind: 'Scale',
      verbs: ['get', 'patch', 'update'],
    });
  });

  it('a recursive definition is one value', () => {
    const crd = schemaOf({ group: 'apiextensions.k8s.io', version: 'v1', kind: 'CustomResourceDefinition' });
    const props = crd?.properties?.['spec']?.properties?.['versions']?.items?.properties?.['schema']?.properties?.['openAPIV3Schema'];
    expect(props?.properties?.['not']).toBe(props);
  });
});

describe('canonicalQuantity', () => {
  const rows: [string | number, string | undefined][] = [
    ['0.5', '500m'],
    ['1024Mi', '1Gi'],
    ['1000m', '1'],
    ['1', '1'],
    [1, '1'],
    [0.1, '100m'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1.5Gi', '1536Mi'],
    ['1Ki', '1Ki'],
    ['512Ki', '512Ki'],
    ['0.5Ki', '512'],
    ['0.5Mi', '512Ki'],
    ['100Mi', '100Mi'],
    ['1e3', '1e3'],
    ['12e6', '12e6'],
    ['1E', '1E'],
    ['0', '0'],
    ['0Gi', '0'],
    ['-1000m', '-1'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['100u', '100u'],
    ['.5', '500m'],
    ['5.', '5'],
    ['+1', '1'],
    ['', undefined],
    ['1.2.3', undefined],
    ['1 Gi', undefined],
    ['Gi', undefined],
    ['1mi', undefined],
  ];
  it.each(rows)('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });
});

describe('defaultObject', () => {
  it('KIND-01: a Deployment gets what its kind and its Pods default', () => {
    expect(deployment()).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'x' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: {
          metadata: { labels: { a: 'b' } },
          spec: {
            containers: [
              {
                name: 'c',
                image: 'i:1',
                resources: {},
                imagePullPolicy: 'IfNotPresent',
                terminationMessagePath: '/dev/termination-log',
                terminationMessagePolicy: 'File',
              },
            ],
            restartPolicy: 'Always',
            dnsPolicy: 'ClusterFirst',
            terminationGracePeriodSeconds: 30,
            schedulerName: 'default-scheduler',
            securityContext: {},
          },
        },
      },
      status: {},
    });
  });

  type Row = readonly [name: string, apiVersion: string, kind: string, body: JsonObject, expected: JsonObject];
  const pod = (spec: JsonObject): JsonObject => ({ spec: { containers: [{ name: 'c', image: 'i' }], ...spec } });
  const rows: readonly Row[] = [
    ['Secret type', 'v1', 'Secret', {}, { type: 'Opaque' }],
    ['Namespace label', 'v1', 'Namespace', {}, { metadata: { name: 'x', labels: { 'kubernetes.io/metadata.name': 'x' } } }],
    ['image without tag', 'v1', 'Pod', pod({}), { spec: { containers: [{ imagePullPolicy: 'Always' }], enableServiceLinks: true } }],
    [
      'image with digest',
      'v1',
      'Pod',
      pod({ containers: [{ name: 'c', image: 'r:5000/i@sha256:0' }] }),
      { spec: { containers: [{ imagePullPolicy: 'IfNotPresent' }] } },
    ],
    [
      'registry port is no tag',
      'v1',
      'Pod',
      pod({ containers: [{ name: 'c', image: 'r:5000/i' }] }),
      { spec: { containers: [{ imagePullPolicy: 'Always' }] } },
    ],
    ['service account names agree', 'v1', 'Pod', pod({ serviceAccount: 's' }), { spec: { serviceAccountName: 's', serviceAccount: 's' } }],
    [
      'the newer service account name wins',
      'v1',
      'Pod',
      pod({ serviceAccount: 'old', serviceAccountName: 'new' }),
      { spec: { serviceAccountName: 'new', serviceAccount: 'new' } },
    ],
    [
      'Pod ports on the host, requests from limits',
      'v1',
      'Pod',
      pod({
        hostNetwork: true,
        containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }], resources: { limits: { cpu: '0.5', memory: '1024Mi' } } }],
      }),
      {
        spec: {
          containers: [
            {
              ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
              resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '500m', memory: '1Gi' } },
            },
          ],
        },
      },
    ],
    [
      'probes',
      'v1',
      'Pod',
      pod({
        containers: [
          { name: 'c', image: 'i', livenessProbe: { httpGet: { port: 80 } }, readinessProbe: { grpc: { port: 1 }, timeoutSeconds: 5 } },
        ],
      }),
      {
        spec: {
          containers: [
            {
              livenessProbe: {
                httpGet: { port: 80, path: '/', scheme: 'HTTP' },
                timeoutSeconds: 1,
                periodSeconds: 10,
                successThreshold: 1,
                failureThreshold: 3,
              },
              readinessProbe: { grpc: { port: 1, service: '' }, timeoutSeconds: 5 },
            },
          ],
        },
      },
    ],
    [
      'volumes',
      'v1',
      'Pod',
      pod({
        volumes: [
          { name: 'a' },
          { name: 'b', secret: { secretName: 's' } },
          {
            name: 'c',
            projected: {
              sources: [
                { serviceAccountToken: { path: 't' } },
                { downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.name' } }] } },
              ],
            },
          },
          { name: 'd', hostPath: { path: '/' } },
        ],
      }),
      {
        spec: {
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
            {
              name: 'c',
              projected: {
                defaultMode: 420,
                sources: [
                  { serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
                  { downwardAPI: { items: [{ fieldRef: { apiVersion: 'v1' } }] } },
                ],
              },
            },
            { name: 'd', hostPath: { path: '/', type: '' } },
          ],
        },
      },
    ],
    [
      'StatefulSet',
      'apps/v1',
      'StatefulSet',
      { spec: { volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }] } },
      {
        spec: {
          replicas: 1,
          podManagementPolicy: 'OrderedReady',
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
          revisionHistoryLimit: 10,
          persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
          volumeClaimTemplates: [{ spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
        },
      },
    ],
    [
      'DaemonSet',
      'apps/v1',
      'DaemonSet',
      { spec: {} },
      { spec: { revisionHistoryLimit: 10, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } } } },
    ],
    ['ReplicaSet', 'apps/v1', 'ReplicaSet', { spec: {} }, { spec: { replicas: 1 } }],
    [
      'Job',
      'batch/v1',
      'Job',
      { spec: { template: TEMPLATE } },
      {
        metadata: { name: 'x', labels: { a: 'b' } },
        spec: {
          completions: 1,
          parallelism: 1,
          backoffLimit: 6,
          completionMode: 'NonIndexed',
          suspend: false,
          manualSelector: false,
          podReplacementPolicy: 'TerminatingOrFailed',
        },
      },
    ],
    [
      'CronJob',
      'batch/v1',
      'CronJob',
      { spec: {} },
      { spec: { concurrencyPolicy: 'Allow', suspend: false, successfulJobsHistoryLimit: 3, failedJobsHistoryLimit: 1 } },
    ],
    [
      'Service',
      'v1',
      'Service',
      { spec: { ports: [{ port: 80 }] } },
      {
        spec: {
          type: 'ClusterIP',
          sessionAffinity: 'None',
          internalTrafficPolicy: 'Cluster',
          ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
        },
        status: { loadBalancer: {} },
      },
    ],
    [
      'Service of type LoadBalancer with affinity',
      'v1',
      'Service',
      { spec: { type: 'LoadBalancer', sessionAffinity: 'ClientIP' } },
      {
        spec: {
          externalTrafficPolicy: 'Cluster',
          allocateLoadBalancerNodePorts: true,
          sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
        },
      },
    ],
    [
      'PersistentVolume',
      'v1',
      'PersistentVolume',
      { spec: {} },
      { spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
    ],
    [
      'NetworkPolicy',
      'networking.k8s.io/v1',
      'NetworkPolicy',
      { spec: { podSelector: {}, egress: [{ ports: [{ port: 1 }] }] } },
      { spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'], egress: [{ ports: [{ port: 1, protocol: 'TCP' }] }] } },
    ],
    [
      'IngressClass',
      'networking.k8s.io/v1',
      'IngressClass',
      { spec: { parameters: { kind: 'K', name: 'n' } } },
      { spec: { parameters: { scope: 'Cluster' } } },
    ],
    [
      'StorageClass',
      'storage.k8s.io/v1',
      'StorageClass',
      { provisioner: 'p' },
      { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    ],
    [
      'CSIDriver',
      'storage.k8s.io/v1',
      'CSIDriver',
      { spec: {} },
      {
        spec: {
          attachRequired: true,
          podInfoOnMount: false,
          storageCapacity: false,
          requiresRepublish: false,
          fsGroupPolicy: 'ReadWriteOnceWithFSType',
          volumeLifecycleModes: ['Persistent'],
        },
      },
    ],
    [
      'RoleBinding',
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      {
        roleRef: { kind: 'Role', name: 'r' },
        subjects: [
          { kind: 'User', name: 'u' },
          { kind: 'ServiceAccount', name: 's' },
        ],
      },
      {
        roleRef: { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' },
        subjects: [
          { kind: 'User', name: 'u', apiGroup: 'rbac.authorization.k8s.io' },
          { kind: 'ServiceAccount', name: 's' },
        ],
      },
    ],
    [
      'webhooks',
      'admissionregistration.k8s.io/v1',
      'MutatingWebhookConfiguration',
      { webhooks: [{ name: 'w', clientConfig: { service: { name: 's', namespace: 'n' } }, rules: [{ operations: ['*'] }] }] },
      {
        webhooks: [
          {
            failurePolicy: 'Fail',
            matchPolicy: 'Equivalent',
            namespaceSelector: {},
            objectSelector: {},
            timeoutSeconds: 10,
            reinvocationPolicy: 'Never',
            rules: [{ scope: '*' }],
            clientConfig: { service: { port: 443 } },
          },
        ],
      },
    ],
    ['PriorityClass', 'scheduling.k8s.io/v1', 'PriorityClass', { value: 1 }, { preemptionPolicy: 'PreemptLowerPriority' }],
    ['HorizontalPodAutoscaler', 'autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { maxReplicas: 2 } }, { spec: { minReplicas: 1 } }],
    [
      'CustomResourceDefinition',
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      { spec: { names: { kind: 'Thing', plural: 'things' } } },
      { spec: { names: { singular: 'thing', listKind: 'ThingList' }, conversion: { strategy: 'None' } } },
    ],
  ];
  it.each(rows)('KIND-01: %s', (_name, apiVersion, kind, body, expected) => {
    expect(defaultObject(object(apiVersion, kind, body))).toMatchObject(expected);
  });

  it.each(rows)('KIND-01: %s, done once, stays the same value', (_name, apiVersion, kind, body) => {
    const done = defaultObject(object(apiVersion, kind, body));
    expect(defaultObject(done)).toBe(done);
  });

  it('KIND-01: nulls and empty values without meaning go, those with meaning stay', () => {
    const secret = object('v1', 'Secret', {
      metadata: { labels: {}, finalizers: [], annotations: null, creationTimestamp: null },
      data: { empty: '' },
      stringData: {},
      immutable: false,
    });
    expect(defaultObject(secret)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
      data: { empty: '' },
      immutable: false,
      type: 'Opaque',
    });
    const claim = object('v1', 'PersistentVolumeClaim', { spec: { storageClassName: '', volumeName: '' } });
    expect(defaultObject(claim)['spec']).toEqual({ storageClassName: '', volumeMode: 'Filesystem' });
    const scaled = deployment({ replicas: 0, paused: false, minReadySeconds: 0 });
    expect(scaled['spec']).toMatchObject({ replicas: 0 });
    expect(Object.keys(scaled['spec'] as object)).not.toContain('paused');
  });

  it('leaves other kinds alone', () => {
    const custom = object('example.org/v1', 'Thing', { spec: { a: null } });
    expect(defaultObject(custom)).toBe(custom);
  });
});

describe('prepareObject', () => {
  it('SEC-01: stringData goes into data, wins over it and is not stored', () => {
    const secret = object('v1', 'Secret', { data: { a: 'b2xk', b: 'Yg==' }, stringData: { a: 'new', ü: 'ü' } });
    expect(prepareObject(secret)).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'x' },
      data: { a: 'bmV3', b: 'Yg==', ü: 'w7w=' },
    });
    expect(secret['stringData']).toBeDefined();
    const plain = object('v1', 'Secret', { data: {} });
    expect(prepareObject(plain)).toBe(plain);
  });

  it('NS-01: a new namespace gets its finalizer and phase', () => {
    expect(prepareObject(object('v1', 'Namespace', {}))).toMatchObject({
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    });
    expect(prepareObject(object('v1', 'Namespace', { spec: { finalizers: ['a/b'] } }))['spec']).toEqual({
      finalizers: ['a/b', 'kubernetes'],
    });
    const old = object('v1', 'Namespace', { spec: { finalizers: [] } });
    expect(prepareObject(old, old)).toBe(old);
  });

  it('KIND-01: a Job selects its Pods by its uid, unless told otherwise', () => {
    const job = object('batch/v1', 'Job', { metadata: { uid: 'u' }, spec: { template: TEMPLATE } });
    expect(prepareObject(job)['spec']).toEqual({
      template: {
        ...TEMPLATE,
        metadata: {
          labels: {
            a: 'b',
            'batch.kubernetes.io/job-name': 'x',
            'batch.kubernetes.io/controller-uid': 'u',
            'job-name': 'x',
            'controller-uid': 'u',
          },
        },
      },
      selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u' } },
    });
    const manual = object('batch/v1', 'Job', { metadata: { uid: 'u' }, spec: { manualSelector: true, template: TEMPLATE } });
    expect(prepareObject(manual)).toBe(manual);
  });

  const qos: [string, JsonObject, string][] = [
    ['nothing asked', {}, 'BestEffort'],
    ['limits equal requests', { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
    ['anything else', { requests: { cpu: '1' } }, 'Burstable'],
  ];
  it.each(qos)('KIND-01: a new Pod is pending, its quality of service with %s is right', (_name, resources, qosClass) => {
    const pod = prepareObject(object('v1', 'Pod', { spec: { containers: [{ name: 'c', resources }] } }));
    expect(pod).toMatchObject({
      status: { phase: 'Pending', qosClass },
      spec: { serviceAccountName: 'default', serviceAccount: 'default' },
    });
  });
});

describe('validate of built-in kinds', () => {
  const secret = schemaOf({ group: '', version: 'v1', kind: 'Secret' }) ?? {};
  const deploymentSchema = schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' }) ?? {};
  const rows: [name: string, value: Json, errors: string[]][] = [
    ['null is absent', { metadata: { labels: null }, spec: null }, []],
    ['a text for a number', { spec: { replicas: 'three' } }, ['spec.replicas: Invalid value: "string": must be of type integer']],
    ['a number out of range', { spec: { replicas: 2 ** 31 } }, ['spec.replicas: Invalid value: "integer": must be of type int32']],
    ['a number as quantity', { spec: { template: { spec: { overhead: { cpu: 1 } } } } }, []],
    [
      'a bad quantity',
      { spec: { template: { spec: { overhead: { cpu: '1x' } } } } },
      ['spec.template.spec.overhead[cpu]: Invalid value: "string": must be of type quantity'],
    ],
  ];
  it.each(rows)('checks types only: %s', (_name, value, errors) => {
    expect(validate(deploymentSchema, value).map(({ field, message }) => `${field}: ${message}`)).toEqual(errors);
  });

  it('SEC-01: never quotes data', () => {
    const errors = validate(secret, { data: { a: 'not base64!', b: { c: 'CANARY' }, c: 'QQ==' } });
    expect(errors.map(({ field }) => field)).toEqual(['data[a]', 'data[b]']);
    expect(JSON.stringify(errors)).not.toMatch(/not base64|CANARY/);
  });
});
