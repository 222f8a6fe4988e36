import type { KubeObject } from '../../kube/objects/index.ts';

type Convert = (object: KubeObject) => KubeObject;
type Fields = Record<string, unknown>;

/** `from to` → how. Fields that both versions share keep their names. */
const CONVERSIONS: Readonly<Record<string, Convert>> = {
  'v1 events.k8s.io/v1': (event) =>
    renamed(event, {
      involvedObject: 'regarding',
      message: 'note',
      source: 'deprecatedSource',
      firstTimestamp: 'deprecatedFirstTimestamp',
      lastTimestamp: 'deprecatedLastTimestamp',
      count: 'deprecatedCount',
      reportingComponent: 'reportingController',
    }),
  'events.k8s.io/v1 v1': (event) =>
    renamed(event, {
      regarding: 'involvedObject',
      note: 'message',
      deprecatedSource: 'source',
      deprecatedFirstTimestamp: 'firstTimestamp',
      deprecatedLastTimestamp: 'lastTimestamp',
      deprecatedCount: 'count',
      reportingController: 'reportingComponent',
    }),
  'autoscaling/v1 autoscaling/v2': (scaler) => changedSpec(scaler, scaleUp),
  'autoscaling/v2 autoscaling/v1': (scaler) => changedSpec(scaler, scaleDown),
};

/** A built-in object in another version of its kind. */
export function convertBuiltin(object: KubeObject, apiVersion: string): KubeObject {
  const convert = CONVERSIONS[`${object.apiVersion} ${apiVersion}`];
  return { ...(convert === undefined ? object : convert(object)), apiVersion };
}

function renamed(object: KubeObject, names: Readonly<Record<string, string>>): KubeObject {
  const entries = Object.entries(object).map(([key, value]) => [Object.hasOwn(names, key) ? names[key] : key, value]);
  return Object.fromEntries(entries) as KubeObject;
}

function changedSpec(object: KubeObject, change: (spec: Fields) => Fields): KubeObject {
  const spec = object['spec'] as Fields | undefined;
  return spec === undefined ? object : { ...object, spec: change(spec) };
}

/** The CPU target of autoscaling/v1 is one resource metric of v2. */
function scaleUp({ targetCPUUtilizationPercentage: target, ...spec }: Fields): Fields {
  if (target === undefined || target === null) return spec;
  return {
    ...spec,
    metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } } }],
  };
}

interface Metric {
  readonly type?: string;
  readonly resource?: { readonly name?: string; readonly target?: { readonly averageUtilization?: number } };
}

function scaleDown({ metrics, behavior: _, ...spec }: Fields): Fields {
  const cpu = ((metrics ?? []) as Metric[]).find((metric) => metric.type === 'Resource' && metric.resource?.name === 'cpu');
  const target = cpu?.resource?.target?.averageUtilization;
  return target === undefined ? spec : { ...spec, targetCPUUtilizationPercentage: target };
}
