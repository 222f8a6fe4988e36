import type { Cluster } from '../../kube/client/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import type { Standing } from './state.ts';

/** A kind that an object asks for and nothing serves. */
export interface MissingKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

const SIMULATED_LABEL = 'sotto.dev/simulated';

const NO_MATCH = /no matches for kind "([^"]+)" in version "(?:([^"/]+)\/)?([^"/]+)"/g;

/** The kinds that failed Kustomizations name in their messages. Core kinds are never missing. */
export function missingKinds(standings: readonly Standing[]): MissingKind[] {
  const found = new Map<string, MissingKind>();
  for (const standing of standings.filter((candidate) => candidate.state === 'failed')) {
    for (const [, kind = '', group = '', version = ''] of standing.message.matchAll(NO_MATCH)) {
      if (group !== '') found.set(`${group}/${version}/${kind}`, { group, version, kind });
    }
  }
  return [...found.values()];
}

/** Kinds of known controllers that are cluster-scoped; everything else is taken as namespaced. */
const CLUSTER_SCOPED =
  /^(Cluster[A-Z]\w*|GatewayClass|IPAddressPool|.*Class|CiliumLoadBalancerIPPool|CiliumL2AnnouncementPolicy|CiliumBGP\w+)$/;

/** A permissive CRD that accepts anything, labelled `sotto.dev/simulated`. */
export function simulatedCrd({ group, version, kind }: MissingKind): KubeObject {
  const plural = pluralOf(kind);
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { [SIMULATED_LABEL]: 'true' } },
    spec: {
      group,
      scope: CLUSTER_SCOPED.test(kind) ? 'Cluster' : 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

/** The usual English plural that API machinery guesses (meta.UnsafeGuessKindToResource). */
export function pluralOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (/(s|x|z|ch|sh)$/.test(lower)) return `${lower}es`;
  return /[^aeiou]y$/.test(lower) ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** Installs the CRDs and adds a version to one that another missing kind made a moment ago. */
export async function installSimulated(cluster: Cluster, kinds: readonly MissingKind[]): Promise<void> {
  for (const kind of kinds) {
    const crd = simulatedCrd(kind);
    const existing = await cluster.find({ apiVersion: crd.apiVersion, kind: crd.kind, name: crd.metadata.name ?? '' });
    if (existing === undefined) {
      await cluster.create(crd, { fieldManager: 'sotto-up' });
    } else if (existing.metadata.labels?.[SIMULATED_LABEL] === 'true') {
      const versions = [...versionsOf(existing), { ...versionsOf(crd)[0], storage: false }];
      await cluster.patch({ apiVersion: crd.apiVersion, kind: crd.kind, name: crd.metadata.name ?? '' }, 'merge', { spec: { versions } });
    }
  }
}

function versionsOf(crd: KubeObject): object[] {
  return (crd['spec'] as { versions: object[] }).versions;
}
