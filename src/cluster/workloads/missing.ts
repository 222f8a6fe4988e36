import { type KubeObject } from '../../kube/objects/index.ts';
import { referencesOf, type Reference } from '../../kube/references/index.ts';
import { CLAIMS } from './volumes.ts';
import { fields, list, specOf, text, type Simulation } from './simulation.ts';

/** Why a Pod can't start, as kubelet (or the scheduler) says it. */
export interface Obstacle {
  readonly kind: 'Unschedulable' | 'FailedMount' | 'CreateContainerConfigError' | 'ErrImagePull';
  readonly message: string;
  /** Only this container, for CreateContainerConfigError. */
  readonly container?: string;
}

const PROVIDER_CLASSES = 'secretproviderclasses.secrets-store.csi.x-k8s.io';

/** Everything that keeps a Pod from starting now, the first obstacle first (SIM-02). */
export function obstaclesOf(sim: Simulation, pod: KubeObject): Obstacle[] {
  const references = referencesOf(pod).filter(({ optional, path }) => !optional && !isOptionalSource(pod, path));
  const problems = references.flatMap((reference) => {
    const problem = problemOf(sim, pod, reference);
    return problem === undefined ? [] : [problem];
  });
  return [...missingClaims(sim, pod), ...[...missingClasses(sim, pod), ...problems].toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind])];
}

/** Volumes are mounted before images are pulled, and images pulled before containers are made. */
const ORDER = { Unschedulable: 0, FailedMount: 1, ErrImagePull: 2, CreateContainerConfigError: 3 } as const;

/** An optional volume is mounted without the keys it lacks too. */
function isOptionalSource(pod: KubeObject, path: string): boolean {
  const [, index, source] = /^spec\.volumes\[(\d+)\]\.(\w+)/.exec(path) ?? [];
  return index !== undefined && fields(list(specOf(pod)['volumes'])[Number(index)]?.[source ?? ''])['optional'] === true;
}

function problemOf(sim: Simulation, pod: KubeObject, reference: Reference): Obstacle | undefined {
  const { kind, namespace, name, keys = [], path } = reference;
  const word = kind.toLowerCase();
  const found = sim.get(kind === 'Secret' ? 'secrets' : 'configmaps', namespace, name);
  const [, listName = '', index = '0'] = /^spec\.(\w+)\[(\d+)\]/.exec(path) ?? [];
  const place = list(specOf(pod)[listName])[Number(index)] ?? {};
  const at = text(place['name']);
  if (found === undefined) {
    if (listName === 'imagePullSecrets') {
      return { kind: 'ErrImagePull', message: `failed to pull image: the image pull secret "${name}" was not found` };
    }
    if (listName === 'volumes')
      return { kind: 'FailedMount', message: `MountVolume.SetUp failed for volume "${at}" : ${word} "${name}" not found` };
    return { kind: 'CreateContainerConfigError', message: `${word} "${name}" not found`, container: at };
  }
  const missing = keys.find((key) => !Object.hasOwn(fields(found['data']), key) && !Object.hasOwn(fields(found['binaryData']), key));
  if (missing === undefined || listName === 'imagePullSecrets') return undefined;
  if (listName === 'volumes') {
    return {
      kind: 'FailedMount',
      message: `MountVolume.SetUp failed for volume "${at}" : references non-existent ${word} key: ${missing}`,
    };
  }
  return { kind: 'CreateContainerConfigError', message: `couldn't find key ${missing} in ${kind} ${namespace}/${name}`, container: at };
}

function missingClaims(sim: Simulation, pod: KubeObject): Obstacle[] {
  return list(specOf(pod)['volumes']).flatMap((volume): Obstacle[] => {
    const name = fields(volume['persistentVolumeClaim'])['claimName'];
    if (typeof name !== 'string' || sim.get(CLAIMS, pod.metadata.namespace ?? '', name) !== undefined) return [];
    return [{ kind: 'Unschedulable', message: `0/1 nodes are available: persistentvolumeclaim "${name}" not found.` }];
  });
}

function missingClasses(sim: Simulation, pod: KubeObject): Obstacle[] {
  const namespace = pod.metadata.namespace ?? '';
  return list(specOf(pod)['volumes']).flatMap((volume): Obstacle[] => {
    const csi = fields(volume['csi']);
    const name = fields(csi['volumeAttributes'])['secretProviderClass'];
    if (csi['driver'] !== 'secrets-store.csi.k8s.io' || typeof name !== 'string') return [];
    if (sim.get(PROVIDER_CLASSES, namespace, name) !== undefined) return [];
    const why = `failed to get secretproviderclass ${namespace}/${name}, error: secretproviderclasses.secrets-store.csi.x-k8s.io "${name}" not found`;
    return [
      {
        kind: 'FailedMount',
        message: `MountVolume.SetUp failed for volume "${text(volume['name'])}" : rpc error: code = Unknown desc = ${why}`,
      },
    ];
  });
}

/** Resources whose arrival may let a Pod start. */
export const AWAITED: ReadonlySet<string> = new Set(['secrets', 'configmaps', CLAIMS, PROVIDER_CLASSES]);
