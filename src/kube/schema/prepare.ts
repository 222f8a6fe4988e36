import { cloneJson, deepEqual, gvkOf, setOwn, type JsonObject, type KubeObject } from '../objects/index.ts';
import { fill, objectAt, objectsAt, textOf } from './access.ts';
import { schemaOf } from './definitions.ts';
import { shortTitle } from './table.ts';

type Step = (object: JsonObject, old: KubeObject | undefined) => void;

/** What the server sets besides defaults, by kind. Follows kubernetes:pkg/registry/GROUP/KIND/strategy.go. */
const STEPS: Readonly<Record<string, Step>> = {
  'core.v1.Secret': foldStringData,
  'core.v1.Namespace': (namespace, old) => {
    if (old !== undefined) return;
    const spec = objectAt(namespace, 'spec');
    const finalizers = Array.isArray(spec?.finalizers) ? spec.finalizers.filter((each) => each !== 'kubernetes') : [];
    namespace.spec = { ...spec, finalizers: [...finalizers, 'kubernetes'] };
    namespace.status = { phase: 'Active' };
  },
  'core.v1.Pod': (pod, old) => {
    if (old !== undefined) return;
    const spec = objectAt(pod, 'spec');
    if (spec !== undefined) {
      fill(spec, 'serviceAccountName', 'default');
      fill(spec, 'serviceAccount', spec.serviceAccountName ?? 'default');
    }
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod) };
  },
  'batch.v1.Job': selectJobPods,
};

/**
 * What the server itself sets on a write, after defaults and accounting: a Secret's `stringData` goes into `data`,
 * a new Namespace gets its finalizer and phase, a new Pod its service account and phase, a Job its selector (its
 * uid must be set). Service addresses are the registry's. Returns the same object when there is nothing to do.
 */
export function prepareObject(object: KubeObject, old?: KubeObject): KubeObject {
  const title = schemaOf(gvkOf(object))?.title;
  const step = title === undefined ? undefined : STEPS[shortTitle(title)];
  if (step === undefined) return object;
  const copy = cloneJson(object);
  step(copy as unknown as JsonObject, old);
  return deepEqual(copy, object) ? object : copy;
}

/** `stringData` is write-only and wins over `data`. */
function foldStringData(secret: JsonObject): void {
  const texts = objectAt(secret, 'stringData');
  delete secret.stringData;
  if (texts === undefined || Object.keys(texts).length === 0) return;
  const data: JsonObject = objectAt(secret, 'data') ?? {};
  for (const [key, text] of Object.entries(texts)) setOwn(data, key, Buffer.from(textOf(text), 'utf8').toString('base64'));
  secret.data = data;
}

const CONTROLLER_UID = 'batch.kubernetes.io/controller-uid';

function selectJobPods(job: JsonObject, old: KubeObject | undefined): void {
  const spec = objectAt(job, 'spec');
  const metadata = objectAt(job, 'metadata');
  if (old !== undefined || spec === undefined || spec.manualSelector === true || typeof metadata?.uid !== 'string') return;
  const name = textOf(metadata.name ?? '');
  const template = objectAt(spec, 'template') ?? {};
  const templateMetadata = objectAt(template, 'metadata') ?? {};
  templateMetadata.labels = {
    ...objectAt(templateMetadata, 'labels'),
    'batch.kubernetes.io/job-name': name,
    [CONTROLLER_UID]: metadata.uid,
    'job-name': name,
    'controller-uid': metadata.uid,
  };
  spec.template = { ...template, metadata: templateMetadata };
  const selector = objectAt(spec, 'selector') ?? {};
  spec.selector = { ...selector, matchLabels: { ...objectAt(selector, 'matchLabels'), [CONTROLLER_UID]: metadata.uid } };
}

/** Guaranteed when every container's cpu and memory limits equal its requests, BestEffort when none are given. */
function qosClassOf(pod: JsonObject): string {
  const spec = objectAt(pod, 'spec');
  const containers = [...objectsAt(spec, 'containers'), ...objectsAt(spec, 'initContainers')];
  const amounts = containers.map((container) => {
    const resources = objectAt(container, 'resources');
    return { limits: objectAt(resources, 'limits') ?? {}, requests: objectAt(resources, 'requests') ?? {} };
  });
  const names = ['cpu', 'memory'] as const;
  if (amounts.every(({ limits, requests }) => names.every((name) => limits[name] === undefined && requests[name] === undefined)))
    return 'BestEffort';
  const isGuaranteed = amounts.every(({ limits, requests }) =>
    names.every((name) => limits[name] !== undefined && deepEqual(limits[name], requests[name])),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}
