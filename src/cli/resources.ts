import { findCondition, type KubeObject } from '../kube/objects/index.ts';
import { referencesOf } from '../kube/references/index.ts';
import type { Cluster } from '../kube/client/index.ts';
import type { Style } from './style.ts';
import type { Column } from './table.ts';
import { shortRevision, standingOf } from './up/state.ts';

/** One thing that `sotto get` lists. */
export interface Listing {
  readonly names: readonly string[];
  readonly apiVersion: string;
  readonly kind: string;
  readonly columns: readonly Column[];
  /** Cells after NAMESPACE and NAME. */
  row(object: KubeObject, context: RowContext): readonly string[];
}

export interface RowContext {
  readonly style: Style;
  readonly wide: boolean;
  /** `namespace/name` of a Secret → consumers as `Kind/namespace/name`. Empty unless Secrets are listed. */
  readonly consumers: ReadonlyMap<string, readonly string[]>;
}

const STANDING_COLUMNS: readonly Column[] = [{ title: 'STATE' }, { title: 'REVISION', priority: 1 }, { title: 'MESSAGE' }];

/** The listings, by the words that name them. */
export const LISTINGS: readonly Listing[] = [
  {
    names: ['kustomizations', 'kustomization', 'ks'],
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    columns: STANDING_COLUMNS,
    row: standingCells,
  },
  {
    names: ['sources', 'gitrepositories', 'gitrepository', 'gitrepo'],
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    columns: STANDING_COLUMNS,
    row: standingCells,
  },
  {
    names: ['secrets', 'secret'],
    apiVersion: 'v1',
    kind: 'Secret',
    columns: [{ title: 'KEYS' }, { title: 'TYPE', priority: 3 }, { title: 'PRODUCER', priority: 1 }, { title: 'USED BY', priority: 2 }],
    row: secretCells,
  },
];

function standingCells(object: KubeObject, { style, wide }: RowContext): string[] {
  const standing = standingOf(object);
  const message = (findCondition(object, 'Ready')?.message ?? 'waiting to be reconciled').replaceAll(/\s*\n\s*/g, ' ');
  return [
    style.paint(standing.state, `${style.glyph(standing.state)} ${standing.word}`.trim()),
    (wide ? standing.revision : shortRevision(standing.revision)) || '-',
    message,
  ];
}

function secretCells(object: KubeObject, { consumers }: RowContext): string[] {
  const { namespace = '', name = '', labels = {} } = object.metadata;
  const owner = labels['kustomize.toolkit.fluxcd.io/name'];
  const producer = owner === undefined ? '-' : `Kustomization/${labels['kustomize.toolkit.fluxcd.io/namespace'] ?? ''}/${owner}`;
  const used = consumers.get(`${namespace}/${name}`) ?? [];
  return [Object.keys((object['data'] ?? {}) as object).join(' ') || '-', String(object['type'] ?? ''), producer, used.length === 0 ? '-' : String(used.length)];
}

/** Kinds whose objects consume Secrets in a cluster that Sotto looks at. */
const CONSUMER_KINDS = [
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['batch/v1', 'Job'],
  ['batch/v1', 'CronJob'],
  ['v1', 'Pod'],
  ['v1', 'ServiceAccount'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['kustomize.toolkit.fluxcd.io/v1', 'Kustomization'],
  ['source.toolkit.fluxcd.io/v1', 'GitRepository'],
  ['helm.toolkit.fluxcd.io/v2', 'HelmRelease'],
] as const;

/** Who uses which Secret: one list request a kind, none for kinds that nothing serves. */
export async function consumersOfSecrets(cluster: Cluster): Promise<Map<string, string[]>> {
  const users = new Map<string, string[]>();
  for (const [apiVersion, kind] of CONSUMER_KINDS) {
    if ((await cluster.resourceFor({ apiVersion, kind })) === undefined) continue;
    for (const object of (await cluster.list({ apiVersion, kind })).items) {
      for (const reference of referencesOf(object).filter((candidate) => candidate.kind === 'Secret')) {
        const key = `${reference.namespace ?? object.metadata.namespace ?? ''}/${reference.name}`;
        const user = `${kind}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
        if (users.get(key)?.includes(user) !== true) users.set(key, [...(users.get(key) ?? []), user]);
      }
    }
  }
  return users;
}
