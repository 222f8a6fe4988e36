import type { KubeObject } from '../../../kube/objects/index.ts';
import { age, humanDuration } from './duration.ts';
import {
  ageColumn,
  at,
  createdAt,
  integer,
  joined,
  listAt,
  name,
  NONE,
  numberAt,
  selectorText,
  TEMPLATE_CONTAINERS,
  text,
  textAt,
  UNSET,
  wide,
  workloadColumns,
  type Column,
} from './types.ts';

const selector = (object: KubeObject): string => selectorText(at(object, 'spec', 'selector'));
const yesNo = (value: unknown): string => (value === true ? 'true' : 'false');

const ROLE: readonly Column[] = [name, createdAt];
const BINDING: readonly Column[] = [
  name,
  text('Role', (object) => `${textAt(object, 'roleRef', 'kind')}/${textAt(object, 'roleRef', 'name')}`),
  ageColumn,
  ...wide(
    text('Users', (object) => subjects(object, 'User')),
    text('Groups', (object) => subjects(object, 'Group')),
    text('ServiceAccounts', (object) => subjects(object, 'ServiceAccount')),
  ),
];
const WEBHOOKS: readonly Column[] = [name, integer('Webhooks', (object) => listAt(object, 'webhooks').length), ageColumn];

function subjects(object: KubeObject, kind: string): string {
  return listAt(object, 'subjects')
    .filter((subject) => textAt(subject, 'kind') === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${textAt(subject, 'namespace')}/${textAt(subject, 'name')}` : textAt(subject, 'name')))
    .join(', ');
}

/** Columns of all other groups. */
export const GROUPS: Readonly<Record<string, readonly Column[]>> = {
  'deployments.apps': [
    name,
    text('Ready', (object) => `${numberAt(object, 'status', 'readyReplicas')}/${numberAt(object, 'spec', 'replicas')}`),
    integer('Up-to-date', (object) => numberAt(object, 'status', 'updatedReplicas')),
    integer('Available', (object) => numberAt(object, 'status', 'availableReplicas')),
    ageColumn,
    ...workloadColumns(TEMPLATE_CONTAINERS, selector),
  ],
  'statefulsets.apps': [
    name,
    text('Ready', (object) => `${numberAt(object, 'status', 'readyReplicas')}/${numberAt(object, 'spec', 'replicas')}`),
    ageColumn,
    ...workloadColumns(TEMPLATE_CONTAINERS),
  ],
  'daemonsets.apps': [
    name,
    integer('Desired', (object) => numberAt(object, 'status', 'desiredNumberScheduled')),
    integer('Current', (object) => numberAt(object, 'status', 'currentNumberScheduled')),
    integer('Ready', (object) => numberAt(object, 'status', 'numberReady')),
    integer('Up-to-date', (object) => numberAt(object, 'status', 'updatedNumberScheduled')),
    integer('Available', (object) => numberAt(object, 'status', 'numberAvailable')),
    text('Node Selector', (object) => selectorText({ matchLabels: at(object, 'spec', 'template', 'spec', 'nodeSelector') })),
    ageColumn,
    ...workloadColumns(TEMPLATE_CONTAINERS, selector),
  ],
  'replicasets.apps': [
    name,
    integer('Desired', (object) => numberAt(object, 'spec', 'replicas')),
    integer('Current', (object) => numberAt(object, 'status', 'replicas')),
    integer('Ready', (object) => numberAt(object, 'status', 'readyReplicas')),
    ageColumn,
    ...workloadColumns(TEMPLATE_CONTAINERS, selector),
  ],
  'controllerrevisions.apps': [
    name,
    text('Controller', (object) => {
      const owner = object.metadata.ownerReferences?.find((each) => each.controller === true);
      return owner === undefined
        ? NONE
        : `${owner.kind.toLowerCase()}${owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0] ?? ''}` : ''}/${owner.name}`;
    }),
    integer('Revision', (object) => numberAt(object, 'revision')),
    ageColumn,
  ],
  'jobs.batch': [
    name,
    text('Status', jobStatus),
    text(
      'Completions',
      (object) =>
        `${numberAt(object, 'status', 'succeeded')}/${at(object, 'spec', 'completions') === undefined ? '1' : numberAt(object, 'spec', 'completions')}`,
    ),
    text('Duration', jobDuration),
    ageColumn,
    ...workloadColumns(TEMPLATE_CONTAINERS, selector),
  ],
  'cronjobs.batch': [
    name,
    text('Schedule', (object) => textAt(object, 'spec', 'schedule')),
    text('Timezone', (object) => textAt(object, 'spec', 'timeZone') || NONE),
    text('Suspend', (object) => (at(object, 'spec', 'suspend') === true ? 'True' : 'False')),
    integer('Active', (object) => listAt(object, 'status', 'active').length),
    text('Last Schedule', (object, now) =>
      at(object, 'status', 'lastScheduleTime') === undefined ? NONE : age(at(object, 'status', 'lastScheduleTime'), now),
    ),
    ageColumn,
    ...workloadColumns(['spec', 'jobTemplate', 'spec', 'template', 'spec', 'containers'], (object) =>
      selectorText(at(object, 'spec', 'jobTemplate', 'spec', 'selector')),
    ),
  ],
  'ingresses.networking.k8s.io': [
    name,
    text('Class', (object) => textAt(object, 'spec', 'ingressClassName') || NONE),
    text('Hosts', (object) =>
      joined(
        listAt(object, 'spec', 'rules').map((rule) => textAt(rule, 'host') || '*'),
        '*',
      ),
    ),
    text('Address', (object) =>
      listAt(object, 'status', 'loadBalancer', 'ingress')
        .map((each) => textAt(each, 'ip') || textAt(each, 'hostname'))
        .join(','),
    ),
    text('Ports', (object) => (listAt(object, 'spec', 'tls').length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  'ingressclasses.networking.k8s.io': [
    name,
    text('Controller', (object) => textAt(object, 'spec', 'controller')),
    text('Parameters', (object) =>
      at(object, 'spec', 'parameters') === undefined
        ? NONE
        : `${textAt(object, 'spec', 'parameters', 'kind')}/${textAt(object, 'spec', 'parameters', 'name')}`,
    ),
    ageColumn,
  ],
  'networkpolicies.networking.k8s.io': [name, text('Pod-Selector', (object) => selectorText(at(object, 'spec', 'podSelector'))), ageColumn],
  'poddisruptionbudgets.policy': [
    name,
    text('Min Available', (object) => textAt(object, 'spec', 'minAvailable') || 'N/A'),
    text('Max Unavailable', (object) => textAt(object, 'spec', 'maxUnavailable') || 'N/A'),
    integer('Allowed Disruptions', (object) => numberAt(object, 'status', 'disruptionsAllowed')),
    ageColumn,
  ],
  'roles.rbac.authorization.k8s.io': ROLE,
  'clusterroles.rbac.authorization.k8s.io': ROLE,
  'rolebindings.rbac.authorization.k8s.io': BINDING,
  'clusterrolebindings.rbac.authorization.k8s.io': BINDING,
  'horizontalpodautoscalers.autoscaling': [
    name,
    text(
      'Reference',
      (object) => `${textAt(object, 'spec', 'scaleTargetRef', 'kind')}/${textAt(object, 'spec', 'scaleTargetRef', 'name')}`,
    ),
    text('Targets', autoscalerTargets),
    text('MinPods', (object) => textAt(object, 'spec', 'minReplicas') || UNSET),
    integer('MaxPods', (object) => numberAt(object, 'spec', 'maxReplicas')),
    integer('Replicas', (object) => numberAt(object, 'status', 'currentReplicas')),
    ageColumn,
  ],
  'priorityclasses.scheduling.k8s.io': [
    name,
    integer('Value', (object) => numberAt(object, 'value')),
    text('Global-Default', (object) => yesNo(at(object, 'globalDefault'))),
    ageColumn,
    text('PreemptionPolicy', (object) => textAt(object, 'preemptionPolicy')),
  ],
  'storageclasses.storage.k8s.io': [
    {
      ...name,
      cell: (object) =>
        `${object.metadata.name ?? ''}${object.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true' ? ' (default)' : ''}`,
    },
    text('Provisioner', (object) => textAt(object, 'provisioner')),
    text('ReclaimPolicy', (object) => textAt(object, 'reclaimPolicy') || 'Delete'),
    text('VolumeBindingMode', (object) => textAt(object, 'volumeBindingMode') || 'Immediate'),
    text('AllowVolumeExpansion', (object) => yesNo(at(object, 'allowVolumeExpansion'))),
    ageColumn,
  ],
  'csidrivers.storage.k8s.io': [
    name,
    text('AttachRequired', (object) => yesNo(at(object, 'spec', 'attachRequired') ?? true)),
    text('PodInfoOnMount', (object) => yesNo(at(object, 'spec', 'podInfoOnMount'))),
    text('StorageCapacity', (object) => yesNo(at(object, 'spec', 'storageCapacity'))),
    text('TokenRequests', (object) =>
      joined(
        listAt(object, 'spec', 'tokenRequests').map((each) => textAt(each, 'audience')),
        UNSET,
      ),
    ),
    text('RequiresRepublish', (object) => yesNo(at(object, 'spec', 'requiresRepublish'))),
    text('Modes', (object) => joined(listAt(object, 'spec', 'volumeLifecycleModes').map(String))),
    ageColumn,
  ],
  'csinodes.storage.k8s.io': [name, integer('Drivers', (object) => listAt(object, 'spec', 'drivers').length), ageColumn],
  'volumeattachments.storage.k8s.io': [
    name,
    text('Attacher', (object) => textAt(object, 'spec', 'attacher')),
    text('PV', (object) => textAt(object, 'spec', 'source', 'persistentVolumeName')),
    text('Node', (object) => textAt(object, 'spec', 'nodeName')),
    text('Attached', (object) => yesNo(at(object, 'status', 'attached'))),
    ageColumn,
  ],
  'certificatesigningrequests.certificates.k8s.io': [
    name,
    ageColumn,
    text('SignerName', (object) => textAt(object, 'spec', 'signerName')),
    text('Requestor', (object) => textAt(object, 'spec', 'username')),
    text('RequestedDuration', (object) =>
      at(object, 'spec', 'expirationSeconds') === undefined ? NONE : humanDuration(numberAt(object, 'spec', 'expirationSeconds')),
    ),
    text('Condition', (object) =>
      joined(
        listAt(object, 'status', 'conditions').map((each) => textAt(each, 'type')),
        'Pending',
      ),
    ),
  ],
  'validatingadmissionpolicies.admissionregistration.k8s.io': [
    name,
    integer('Validations', (object) => listAt(object, 'spec', 'validations').length),
    text('ParamKind', (object) =>
      at(object, 'spec', 'paramKind') === undefined
        ? UNSET
        : `${textAt(object, 'spec', 'paramKind', 'apiVersion')}/${textAt(object, 'spec', 'paramKind', 'kind')}`,
    ),
    ageColumn,
  ],
  'validatingadmissionpolicybindings.admissionregistration.k8s.io': [
    name,
    text('PolicyName', (object) => textAt(object, 'spec', 'policyName')),
    text('ParamRef', (object) => textAt(object, 'spec', 'paramRef', 'name') || UNSET),
    ageColumn,
  ],
  'validatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
  'mutatingwebhookconfigurations.admissionregistration.k8s.io': WEBHOOKS,
  'endpointslices.discovery.k8s.io': [
    name,
    text('AddressType', (object) => textAt(object, 'addressType')),
    text('Ports', (object) =>
      joined(
        listAt(object, 'ports').map((port) => textAt(port, 'port') || '*'),
        UNSET,
      ),
    ),
    text('Endpoints', (object) =>
      joined(
        listAt(object, 'endpoints').flatMap((each) => listAt(each, 'addresses').map(String)),
        UNSET,
      ),
    ),
    ageColumn,
  ],
  'leases.coordination.k8s.io': [name, text('Holder', (object) => textAt(object, 'spec', 'holderIdentity')), ageColumn],
  'runtimeclasses.node.k8s.io': [name, text('Handler', (object) => textAt(object, 'handler')), ageColumn],
  'customresourcedefinitions.apiextensions.k8s.io': [name, createdAt],
  'scales.autoscaling': [
    name,
    integer('Desired', (object) => numberAt(object, 'spec', 'replicas')),
    integer('Available', (object) => numberAt(object, 'status', 'replicas')),
    ageColumn,
  ],
};

function jobStatus(object: KubeObject): string {
  if (object.metadata.deletionTimestamp !== undefined) return 'Terminating';
  const holds = (type: string): boolean =>
    listAt(object, 'status', 'conditions').some(
      (condition) => textAt(condition, 'type') === type && textAt(condition, 'status') === 'True',
    );
  const states = ['Complete', 'Failed', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'];
  return states.find(holds) ?? 'Running';
}

function jobDuration(object: KubeObject, now: number): string {
  const start = Date.parse(textAt(object, 'status', 'startTime'));
  if (Number.isNaN(start)) return '';
  const end = Date.parse(textAt(object, 'status', 'completionTime'));
  return humanDuration(((Number.isNaN(end) ? now : end) - start) / 1000);
}

function autoscalerTargets(object: KubeObject): string {
  const metrics = listAt(object, 'spec', 'metrics').map((metric) => {
    const kind = textAt(metric, 'type').toLowerCase();
    const target = at(metric, kind, 'target');
    const utilization = at(target, 'averageUtilization');
    const label = kind === 'resource' ? `${textAt(metric, 'resource', 'name')}: ` : '';
    return `${label}<unknown>/${utilization === undefined ? textAt(target, 'averageValue') || textAt(target, 'value') : `${textAt(target, 'averageUtilization')}%`}`;
  });
  const old = at(object, 'spec', 'targetCPUUtilizationPercentage');
  return joined(old === undefined ? metrics : [`cpu: <unknown>/${textAt(object, 'spec', 'targetCPUUtilizationPercentage')}%`]);
}
