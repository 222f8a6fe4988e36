import { describe, expect, it } from 'vitest';

import type { KubeObject } from '../objects/index.ts';
import { statusOf, type HealthStatus } from './index.ts';

const NOW = Date.UTC(2026, 0, 1);

function object(apiVersion: string, kind: string, fields: Record<string, unknown> = {}): KubeObject {
  const { metadata, ...rest } = fields;
  return { apiVersion, kind, metadata: { name: 'a', namespace: 'n', ...(metadata as object | undefined) }, ...rest };
}

const condition = (type: string, status: string, reason = 'R', message = 'why') => ({ type, status, reason, message });
const conditions = (...list: object[]) => ({ status: { conditions: list } });

type Row = [name: string, object: KubeObject, status: HealthStatus, message: string];

const widget = (fields: Record<string, unknown>) => object('example.com/v1', 'Widget', fields);

const generic: Row[] = [
  [
    'is being deleted',
    widget({ metadata: { deletionTimestamp: 'x' }, ...conditions(condition('Stalled', 'True')) }),
    'Terminating',
    'Resource scheduled for deletion',
  ],
  [
    'has an old observed generation',
    widget({ metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
    'InProgress',
    'Widget generation is 2, but latest observed generation is 1',
  ],
  [
    'has a newer observed generation',
    widget({ metadata: { generation: 2 }, status: { observedGeneration: 3 } }),
    'InProgress',
    'Widget generation is 2, but latest observed generation is 3',
  ],
  [
    'has -1 as observed generation',
    widget({ metadata: { generation: 1 }, status: { observedGeneration: -1 } }),
    'InProgress',
    'Widget generation is 1, but latest observed generation is -1',
  ],
  ['has no observed generation', widget({ metadata: { generation: 2 } }), 'Current', 'Resource is current'],
  [
    'is reconciling first in the list',
    widget(conditions(condition('Reconciling', 'True'), condition('Stalled', 'True'))),
    'InProgress',
    'why',
  ],
  ['is stalled first in the list', widget(conditions(condition('Stalled', 'True'), condition('Reconciling', 'True'))), 'Failed', 'why'],
  ['is not stalled', widget(conditions(condition('Stalled', 'False'), condition('Ready', 'True'))), 'Current', 'Resource is Ready'],
  ['is not ready', widget(conditions(condition('Ready', 'False'))), 'InProgress', 'why'],
  ['may be ready', widget(conditions(condition('Ready', 'Unknown'))), 'InProgress', 'why'],
  ['has a Ready condition of a strange status', widget(conditions(condition('Ready', 'yes'))), 'Current', 'Resource is current'],
  ['has conditions that are no list', widget({ status: { conditions: 'x' } }), 'Current', 'Resource is current'],
  ['has nothing to go by', widget({}), 'Current', 'Resource is current'],
];

const replicated = (kind: string, spec: object, status: object): KubeObject =>
  object('apps/v1', kind, { metadata: { generation: 1 }, spec, status: { observedGeneration: 1, ...status } });

const DONE = [condition('Progressing', 'True', 'NewReplicaSetAvailable'), condition('Available', 'True')];
const full = { replicas: 2, updatedReplicas: 2, availableReplicas: 2, readyReplicas: 2 };
const deployment = (status: object, spec: object = {}) =>
  replicated('Deployment', { replicas: 2, progressDeadlineSeconds: 600, ...spec }, { ...full, conditions: DONE, ...status });

const deployments: Row[] = [
  ['is available', deployment({}), 'Current', 'Deployment is available. Replicas: 2'],
  ['misses replicas', deployment({ replicas: 1 }), 'InProgress', 'Replicas: 1/2'],
  ['has old replicas', deployment({ updatedReplicas: 1 }), 'InProgress', 'Updated: 1/2'],
  ['has surplus replicas', deployment({ replicas: 3 }), 'InProgress', 'Pending termination: 1'],
  ['has unavailable replicas', deployment({ availableReplicas: 1 }), 'InProgress', 'Available: 1/2'],
  ['has replicas that are not ready', deployment({ readyReplicas: 1 }), 'InProgress', 'Ready: 1/2'],
  [
    'still rolls out',
    deployment({ conditions: [condition('Progressing', 'True', 'ReplicaSetUpdated'), condition('Available', 'True')] }),
    'InProgress',
    'ReplicaSet not Available',
  ],
  [
    'has no deadline',
    deployment({ conditions: [condition('Available', 'True')] }, { progressDeadlineSeconds: 2147483647 }),
    'Current',
    'Deployment is available. Replicas: 2',
  ],
  ['is not available', deployment({ conditions: DONE.slice(0, 1) }), 'InProgress', 'Deployment not Available'],
  [
    'exceeded its deadline',
    deployment({ conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] }),
    'Failed',
    'Progress deadline exceeded',
  ],
  ['wants one replica by default', replicated('Deployment', {}, { conditions: DONE }), 'InProgress', 'Replicas: 0/1'],
  ['is scaled to zero', replicated('Deployment', { replicas: 0 }, { conditions: DONE }), 'Current', 'Deployment is available. Replicas: 0'],
];

const rolled = { replicas: 2, readyReplicas: 2, currentReplicas: 2, currentRevision: 'r', updateRevision: 'r' };
const statefulSet = (status: object, spec: object = {}) => replicated('StatefulSet', { replicas: 2, ...spec }, { ...rolled, ...status });
const partition = (n: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: n } } });

const statefulSets: Row[] = [
  ['is complete', statefulSet({}), 'Current', 'All replicas scheduled as expected. Replicas: 2'],
  [
    'is updated by hand',
    statefulSet({ replicas: 0 }, { updateStrategy: { type: 'OnDelete' } }),
    'Current',
    'StatefulSet is using the ondelete update strategy',
  ],
  ['misses replicas', statefulSet({ replicas: 1 }), 'InProgress', 'Replicas: 1/2'],
  ['has replicas that are not ready', statefulSet({ readyReplicas: 0 }), 'InProgress', 'Ready: 0/2'],
  ['has surplus replicas', statefulSet({ replicas: 3 }), 'InProgress', 'Pending termination: 1'],
  ['has too few current replicas', statefulSet({ currentReplicas: 1 }), 'InProgress', 'current: 1/2'],
  ['waits for a revision', statefulSet({ updateRevision: 's' }), 'InProgress', 'Waiting for updated revision to match current'],
  ['rolls out a partition', statefulSet({ updatedReplicas: 0 }, partition(1)), 'InProgress', 'updated: 0/1'],
  [
    'has rolled out a partition, whatever the revision',
    statefulSet({ updatedReplicas: 1, updateRevision: 's', currentReplicas: 0 }, partition(1)),
    'Current',
    'Partition rollout complete. updated: 1',
  ],
];

const scheduled = { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2 };
const daemonSets: Row[] = [
  ['is complete', replicated('DaemonSet', {}, scheduled), 'Current', 'All replicas scheduled as expected. Replicas: 2'],
  [
    'has no generation',
    object('apps/v1', 'DaemonSet', { status: { observedGeneration: 1, ...scheduled } }),
    'InProgress',
    'DaemonSet metadata.generation not found',
  ],
  [
    'was never observed',
    object('apps/v1', 'DaemonSet', { metadata: { generation: 1 } }),
    'InProgress',
    'DaemonSet status.observedGeneration not found',
  ],
  ['has no wanted number', replicated('DaemonSet', {}, {}), 'InProgress', 'Missing .status.desiredNumberScheduled'],
  ['is not scheduled', replicated('DaemonSet', {}, { ...scheduled, currentNumberScheduled: 1 }), 'InProgress', 'Current: 1/2'],
  ['is not updated', replicated('DaemonSet', {}, { ...scheduled, updatedNumberScheduled: 1 }), 'InProgress', 'Updated: 1/2'],
  ['is not available', replicated('DaemonSet', {}, { ...scheduled, numberAvailable: 1 }), 'InProgress', 'Available: 1/2'],
  ['is not ready', replicated('DaemonSet', {}, { ...scheduled, numberReady: 1 }), 'InProgress', 'Ready: 1/2'],
];

const present = { replicas: 2, fullyLabeledReplicas: 2, availableReplicas: 2, readyReplicas: 2 };
const replicaSets: Row[] = [
  ['is complete', replicated('ReplicaSet', { replicas: 2 }, present), 'Current', 'ReplicaSet is available. Replicas: 2'],
  [
    'fails to make Pods',
    replicated('ReplicaSet', { replicas: 2 }, { ...present, conditions: [condition('ReplicaFailure', 'True')] }),
    'InProgress',
    'Replica Failure condition. Check Pods',
  ],
  [
    'has unlabelled Pods',
    replicated('ReplicaSet', { replicas: 2 }, { ...present, fullyLabeledReplicas: 1 }),
    'InProgress',
    'Labelled: 1/2',
  ],
  ['has surplus Pods', replicated('ReplicaSet', { replicas: 2 }, { ...present, replicas: 3 }), 'InProgress', 'Pending termination: 1'],
];

const created = (secondsAgo: number) => ({ metadata: { creationTimestamp: new Date(NOW - secondsAgo * 1000).toISOString() } });
const unschedulable = { status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] } };
const crash = (name: string, reason: string) => ({ name, state: { waiting: { reason } } });
const pods: Row[] = [
  ['is not observed', object('v1', 'Pod'), 'InProgress', 'Pod phase not available'],
  ['has succeeded', object('v1', 'Pod', { status: { phase: 'Succeeded' } }), 'Current', 'Pod has completed successfully'],
  [
    'has failed, which is current',
    object('v1', 'Pod', { status: { phase: 'Failed' } }),
    'Current',
    'Pod has completed, but not successfully',
  ],
  ['is ready', object('v1', 'Pod', { status: { phase: 'Running', conditions: [condition('Ready', 'True')] } }), 'Current', 'Pod is Ready'],
  ['is not ready', object('v1', 'Pod', { status: { phase: 'Running' } }), 'InProgress', 'Pod is running but is not Ready'],
  [
    'crashes',
    object('v1', 'Pod', {
      status: {
        phase: 'Running',
        containerStatuses: [crash('a', 'CrashLoopBackOff'), crash('b', 'ErrImagePull'), crash('c', 'CrashLoopBackOff')],
      },
    }),
    'Failed',
    'Containers in CrashLoop state: a,c',
  ],
  ['is pending', object('v1', 'Pod', { status: { phase: 'Pending' } }), 'InProgress', 'Pod is in the Pending phase'],
  ['cannot be scheduled yet', object('v1', 'Pod', { ...created(14), ...unschedulable }), 'InProgress', 'Pod has not been scheduled'],
  ['cannot be scheduled for 15 s', object('v1', 'Pod', { ...created(15), ...unschedulable }), 'Failed', 'Pod could not be scheduled'],
  ['has an unknown phase', object('v1', 'Pod', { status: { phase: 'Odd' } }), 'Unknown', 'unknown phase Odd'],
];

const job = (status: object) => object('batch/v1', 'Job', { spec: { completions: 3 }, status });
const jobs: Row[] = [
  ['has not started', job({}), 'InProgress', 'Job not started'],
  ['runs', job({ startTime: 'x', active: 1 }), 'InProgress', 'Job in progress'],
  ['is complete', job({ succeeded: 3, conditions: [condition('Complete', 'True')] }), 'Current', 'Job Completed. succeeded: 3/3'],
  ['has failed', job({ failed: 1, conditions: [condition('Failed', 'True')] }), 'Failed', 'Job Failed. failed: 1/3'],
  ['is suspended', job({ conditions: [condition('Suspended', 'True')] }), 'Current', 'Job is suspended'],
  ['was suspended', job({ startTime: 'x', conditions: [condition('Suspended', 'False')] }), 'InProgress', 'Job in progress'],
];

const crd = (...list: object[]) => object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', conditions(...list));
const others: Row[] = [
  ['Secret is always ready', object('v1', 'Secret'), 'Current', 'Resource is always ready'],
  ['ConfigMap is always ready', object('v1', 'ConfigMap'), 'Current', 'Resource is always ready'],
  ['CronJob is always ready', object('batch/v1', 'CronJob'), 'Current', 'Resource is always ready'],
  ['Service is ready', object('v1', 'Service', { spec: {} }), 'Current', 'Service is ready'],
  [
    'Service waits for an address',
    object('v1', 'Service', { spec: { type: 'LoadBalancer' } }),
    'InProgress',
    'ClusterIP not set. Service type: LoadBalancer',
  ],
  [
    'Service has an address',
    object('v1', 'Service', { spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' } }),
    'Current',
    'Service is ready',
  ],
  ['claim is bound', object('v1', 'PersistentVolumeClaim', { status: { phase: 'Bound' } }), 'Current', 'PVC is Bound'],
  ['claim is not bound', object('v1', 'PersistentVolumeClaim'), 'InProgress', 'PVC is not Bound. phase: unknown'],
  [
    'budget is computed',
    object('policy/v1', 'PodDisruptionBudget', { metadata: { generation: 1 }, status: { observedGeneration: 1 } }),
    'Current',
    'AllowedDisruptions has been computed.',
  ],
  [
    'budget is not observed',
    object('policy/v1', 'PodDisruptionBudget', { metadata: { generation: 2 }, status: { observedGeneration: 1 } }),
    'InProgress',
    'PodDisruptionBudget generation is 2, but latest observed generation is 1',
  ],
  ['CRD is established', crd(condition('NamesAccepted', 'True'), condition('Established', 'True')), 'Current', 'CRD is established'],
  ['CRD is installing', crd(condition('Established', 'False', 'Installing')), 'InProgress', 'Install in progress'],
  ['CRD clashes', crd(condition('NamesAccepted', 'False')), 'Failed', 'why'],
  ['CRD is refused', crd(condition('Established', 'False', 'NotAccepted')), 'Failed', 'why'],
  ['CRD is new', crd(), 'InProgress', 'Install in progress'],
  ['Ingress has no rules', object('networking.k8s.io/v1', 'Ingress'), 'Current', 'Resource is current'],
];

describe('statusOf', () => {
  const tables: [of: string, id: string, rows: Row[]][] = [
    ['an object that', 'HLT-02', generic],
    ['a Deployment that', 'HLT-02', deployments],
    ['a StatefulSet that', 'HLT-02', statefulSets],
    ['a DaemonSet that', 'HLT-02', daemonSets],
    ['a ReplicaSet that', 'HLT-02', replicaSets],
    ['a Pod that', 'HLT-02', pods],
    ['a Job that', 'HLT-03', jobs],
    ['a', 'HLT-02', others],
  ];
  for (const [of, id, rows] of tables) {
    it.each(rows)(`${id}: ${of} %s`, (_name, subject, status, message) => {
      expect(statusOf(subject, { now: NOW })).toEqual({ status, message });
    });
  }

  it('HLT-02: an object that is not there', () => {
    expect(statusOf(undefined).status).toBe('NotFound');
  });

  it('HLT-02: without the time, a Pod is never late', () => {
    expect(statusOf(object('v1', 'Pod', { ...created(60), ...unschedulable })).status).toBe('InProgress');
  });
});
