import type { KubeObject } from '../../../kube/objects/index.ts';
import type { Resource, Version } from '../../registry/index.ts';
import { columnsOf, type Column } from './index.ts';
import type { Wanted } from '../negotiate.ts';

export type RowObject = 'None' | 'Metadata' | 'Object';

export interface Table {
  readonly kind: 'Table';
  readonly apiVersion: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly columnDefinitions: readonly unknown[];
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object?: unknown }[];
}

/** A meta.k8s.io Table of objects (TBL-01). */
export function tableOf(
  resource: Resource,
  version: Version,
  objects: readonly KubeObject[],
  look: { readonly wanted: Wanted; readonly rowObject: RowObject; readonly now: () => number },
  metadata: Readonly<Record<string, unknown>>,
): Table {
  const columns = columnsOf(resource, version);
  const apiVersion = `meta.k8s.io/${look.wanted.version ?? 'v1'}`;
  const now = look.now();
  const rows = objects.map((object) => {
    const shown = rowObject(object, look.rowObject, apiVersion);
    return { cells: columns.map((column) => column.cell(object, now)), ...(shown === undefined ? {} : { object: shown }) };
  });
  return { kind: 'Table', apiVersion, metadata, columnDefinitions: columns.map(definition), rows };
}

function definition({ name, type, format = '', description = '', priority = 0 }: Column): unknown {
  return { name, type, format, description, priority };
}

function rowObject(object: KubeObject, include: RowObject, apiVersion: string): unknown {
  if (include === 'None') return undefined;
  if (include === 'Object') return object;
  return { kind: 'PartialObjectMetadata', apiVersion, metadata: object.metadata };
}
