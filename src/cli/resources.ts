import { findCondition, type KubeObject } from '../kube/objects/index.ts';
import { consumedKinds, referencesOf } from '../kube/references/index.ts';
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

interface RowContext {
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
  return [
    Object.keys(object['data'] ?? {}).join(' ') || '-',
    typeof object['type'] === 'string' ? object['type'] : '',
    producer,
    used.length === 0 ? '-' : String(used.length),
  ];
}

/** Who uses which Secret: one list request a kind, none for kinds that nothing serves. A Deployment stands for its Pods. */
export async function consumersOfSecrets(cluster: Cluster): Promise<Map<string, string[]>> {
  const users = new Map<string, string[]>();
  const kinds = new Set(consumedKinds().map(({ kind }) => kind));
  for (const { apiVersion, kind } of await servedConsumers(cluster)) {
    for (const object of (await cluster.list({ apiVersion, kind })).items) {
      if (object.metadata.ownerReferences?.some((owner) => owner.controller === true && kinds.has(owner.kind)) === true) continue;
      for (const reference of referencesOf(object).filter((candidate) => candidate.kind === 'Secret')) {
        const key = `${reference.namespace ?? object.metadata.namespace ?? ''}/${reference.name}`;
        const user = `${kind}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
        if (users.get(key)?.includes(user) !== true) users.set(key, [...(users.get(key) ?? []), user]);
      }
    }
  }
  return users;
}

/** The kinds of the reference table that this cluster serves, in the version that it prefers. */
async function servedConsumers(cluster: Cluster): Promise<{ apiVersion: string; kind: string }[]> {
  const groups = await preferredVersions(cluster);
  const served: { apiVersion: string; kind: string }[] = [];
  for (const { group, kind } of consumedKinds()) {
    const version = groups.get(group);
    const apiVersion = group === '' ? 'v1' : `${group}/${version ?? ''}`;
    if (version !== undefined && (await cluster.resourceFor({ apiVersion, kind })) !== undefined) served.push({ apiVersion, kind });
  }
  return served;
}

/** Group → preferred version; the core group is ''. */
async function preferredVersions(cluster: Cluster): Promise<Map<string, string>> {
  const { groups = [] } = (await cluster.request('GET', '/apis')) as unknown as {
    groups?: { name: string; preferredVersion?: { version: string } }[];
  };
  return new Map([['', 'v1'], ...groups.map((group): [string, string] => [group.name, group.preferredVersion?.version ?? 'v1'])]);
}
