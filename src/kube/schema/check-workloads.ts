import { deepEqual, type Json, type JsonObject, type KubeObject } from '../objects/index.ts';
import { checkPodSpec, isEmptySelector, isSelected } from './check-pods.ts';
import { checkLabels } from './check-metadata.ts';
import { objectAt, objectsAt, textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { isSchedule } from './schedule.ts';
import type { FieldError } from './types.ts';

export type ObjectCheck = (object: JsonObject, old?: KubeObject) => FieldError[];

/** Workloads that keep their Pods running: selector, template and its labels belong together. */
export function checkReplicated(kind: string, immutable: readonly string[]): ObjectCheck {
  return (object, old) => {
    const spec = objectAt(object, 'spec') ?? {};
    const claims = objectsAt(spec, 'volumeClaimTemplates').map((claim) => textOf(objectAt(claim, 'metadata')?.name));
    return [
      ...checkSelector(spec, kind),
      ...checkTemplate(objectAt(spec, 'template'), 'spec.template', claims),
      ...checkAlways(spec),
      ...checkCount(spec, 'replicas'),
      ...(old === undefined ? [] : checkUnchanged(object, old, immutable)),
    ];
  };
}

function checkCount(spec: JsonObject, field: string): FieldError[] {
  const count = spec[field];
  return typeof count === 'number' && count < 0 ? [fieldErrors.invalid(`spec.${field}`, count, 'must be greater than or equal to 0')] : [];
}

function checkSelector(spec: JsonObject, kind: string): FieldError[] {
  const selector = objectAt(spec, 'selector');
  if (selector === undefined) return [fieldErrors.required('spec.selector')];
  if (isEmptySelector(selector)) return [fieldErrors.invalid('spec.selector', selector, `empty selector is invalid for ${kind}`)];
  const labels = objectAt(objectAt(objectAt(spec, 'template'), 'metadata'), 'labels') ?? {};
  if (isSelected(selector, labels)) return [];
  return [fieldErrors.invalid('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')];
}

function checkTemplate(template: JsonObject | undefined, path: string, claims: readonly string[] = []): FieldError[] {
  if (template === undefined) return [fieldErrors.required(path)];
  const labels = objectAt(objectAt(template, 'metadata'), 'labels');
  return [...checkLabels(labels, `${path}.metadata.labels`), ...checkPodSpec(objectAt(template, 'spec'), `${path}.spec`, claims)];
}

function checkAlways(spec: JsonObject): FieldError[] {
  const policy = objectAt(objectAt(spec, 'template'), 'spec')?.restartPolicy;
  return policy === undefined || policy === 'Always'
    ? []
    : [fieldErrors.notSupported('spec.template.spec.restartPolicy', policy, ['Always'])];
}

/** Fields of the spec that cannot change. Templates may hold plain values of variables, so no value is quoted for them. */
function checkUnchanged(object: JsonObject, old: KubeObject, fields: readonly string[]): FieldError[] {
  const spec = objectAt(object, 'spec') ?? {};
  const before = objectAt(old as unknown as JsonObject, 'spec') ?? {};
  return fields
    .filter((field) => !deepEqual(spec[field], before[field]))
    .map((field) =>
      fieldErrors.invalid(`spec.${field}`, field === 'template' ? '<template>' : (spec[field] ?? null), 'field is immutable'),
    );
}

const STATEFUL_MUTABLE = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
];

const checkStatefulSetSpec = checkReplicated('statefulset', []);

export const checkStatefulSet: ObjectCheck = (object, old) => {
  const errors = checkStatefulSetSpec(object, old);
  if (old === undefined || !changesOtherThan(object, old, STATEFUL_MUTABLE)) return errors;
  const names = STATEFUL_MUTABLE.map((field) => `'${field}'`);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
  return [...errors, fieldErrors.forbidden('spec', `updates to statefulset spec for fields other than ${list} are forbidden`)];
};

/** True when a field of the spec outside the list differs. */
export function changesOtherThan(object: JsonObject, old: KubeObject, fields: readonly string[]): boolean {
  const rest = (value: JsonObject | undefined): JsonObject =>
    Object.fromEntries(Object.entries(value ?? {}).filter(([key]) => !fields.includes(key)));
  return !deepEqual(rest(objectAt(object, 'spec')), rest(objectAt(old as unknown as JsonObject, 'spec')));
}

const JOB_POLICIES = 'valid values: "OnFailure", "Never"';

function checkJobTemplate(template: JsonObject | undefined, path: string): FieldError[] {
  const policy = objectAt(template, 'spec')?.restartPolicy;
  const isFinite = policy === 'OnFailure' || policy === 'Never';
  return [...checkTemplate(template, path), ...(isFinite ? [] : [fieldErrors.required(`${path}.spec.restartPolicy`, JOB_POLICIES)])];
}

export const checkJob: ObjectCheck = (job, old) => {
  const spec = objectAt(job, 'spec') ?? {};
  const errors = [
    ...checkJobTemplate(objectAt(spec, 'template'), 'spec.template'),
    ...['completions', 'parallelism', 'backoffLimit'].flatMap((field) => checkCount(spec, field)),
  ];
  if (old === undefined) return errors;
  const before = objectAt(old as unknown as JsonObject, 'spec') ?? {};
  const movesTogether = spec.completionMode === 'Indexed' && deepEqual(spec.completions, spec.parallelism);
  const isSuspended = before.suspend === true;
  const fields = ['selector', 'completionMode', ...(movesTogether ? [] : ['completions']), ...(isSuspended ? [] : ['template'])];
  return [...errors, ...checkUnchanged(job, old, fields)];
};

export const checkCronJob: ObjectCheck = (cronJob) => {
  const spec = objectAt(cronJob, 'spec') ?? {};
  const template = objectAt(objectAt(objectAt(spec, 'jobTemplate'), 'spec'), 'template');
  return [...checkSchedule(spec.schedule), ...checkJobTemplate(template, 'spec.jobTemplate.spec.template')];
};

function checkSchedule(schedule: Json | undefined): FieldError[] {
  if (typeof schedule !== 'string' || schedule === '') return [fieldErrors.required('spec.schedule')];
  return isSchedule(schedule)
    ? []
    : [fieldErrors.invalid('spec.schedule', schedule, 'must be a cron schedule of five fields or a descriptor like @daily')];
}

const POD_MUTABLE =
  '`spec.containers[*].image`, `spec.initContainers[*].image`, `spec.activeDeadlineSeconds`, `spec.tolerations` (only additions)';

export const checkPod: ObjectCheck = (pod, old) => {
  const errors = checkPodSpec(objectAt(pod, 'spec'), 'spec');
  if (old === undefined) return errors;
  const before = old as unknown as JsonObject;
  if (deepEqual(frozenPodSpec(pod), frozenPodSpec(before)) && keepsTolerations(pod, before)) return errors;
  return [...errors, fieldErrors.forbidden('spec', `pod updates may not change fields other than ${POD_MUTABLE}`)];
};

function keepsTolerations(pod: JsonObject, before: JsonObject): boolean {
  const now = objectsAt(objectAt(pod, 'spec'), 'tolerations');
  return objectsAt(objectAt(before, 'spec'), 'tolerations').every((toleration) => now.some((each) => deepEqual(each, toleration)));
}

/** What cannot change about a Pod: its spec without images, deadline and tolerations. */
function frozenPodSpec(pod: JsonObject): Json {
  const { activeDeadlineSeconds: _, tolerations: __, ...spec } = objectAt(pod, 'spec') ?? {};
  const withoutImage = (containers: readonly JsonObject[]): Json[] => containers.map(({ image: ___, ...container }) => container);
  return {
    ...spec,
    containers: withoutImage(objectsAt(spec, 'containers')),
    initContainers: withoutImage(objectsAt(spec, 'initContainers')),
  };
}
