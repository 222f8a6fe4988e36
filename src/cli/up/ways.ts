import type { FleetBuild } from '../../build/fleet/index.ts';
import type { Cluster } from '../../kube/client/index.ts';
import { consumersOfSecrets } from '../resources.ts';
import type { SecretWay } from './summary.ts';

/** Remembers the latest build of every Kustomization, for the summary. Only names, keys and files are kept. */
export interface BuildLog {
  record(owner: { readonly namespace: string; readonly name: string }, build: FleetBuild): void;
  /** Every Secret's way from its file to its consumers. */
  ways(cluster: Cluster): Promise<SecretWay[]>;
  warnings(): readonly string[];
}

type Way = Omit<SecretWay, 'consumers'>;

export function buildLog(): BuildLog {
  const latest = new Map<string, { ways: Way[]; warnings: string[] }>();
  return {
    record: (owner, build) => {
      const ways = build.objects.flatMap(({ object, secret }) =>
        secret === undefined
          ? []
          : [
              {
                file: secret.file,
                mechanism: secret.mechanism,
                namespace: object.metadata.namespace ?? '',
                name: object.metadata.name ?? '',
                keys: [...new Set([...keysOf(object['data']), ...keysOf(object['stringData'])])],
              },
            ],
      );
      const warnings = build.warnings.map(({ message, file, line }) =>
        [file, line, message].filter((part) => part !== undefined).join(':'),
      );
      latest.set(`${owner.namespace}/${owner.name}`, { ways, warnings });
    },
    ways: async (cluster) => {
      const consumers = await consumersOfSecrets(cluster);
      return [...latest.values()]
        .flatMap(({ ways }) => ways)
        .map((way) => ({ ...way, consumers: consumers.get(`${way.namespace}/${way.name}`) ?? [] }))
        .toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));
    },
    warnings: () => [...new Set([...latest.values()].flatMap(({ warnings }) => warnings))],
  };
}

function keysOf(data: unknown): string[] {
  return typeof data === 'object' && data !== null ? Object.keys(data) : [];
}
