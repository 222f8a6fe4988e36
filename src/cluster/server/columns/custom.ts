import { isJsonObject, type KubeObject } from '../../../kube/objects/index.ts';
import type { PrinterColumn } from '../../registry/index.ts';
import { age } from './duration.ts';
import { jsonPath } from './jsonpath.ts';
import { name, type Column } from './types.ts';

const DEFAULT_AGE: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
const NAME_DESCRIPTION = 'Name must be unique within a namespace.';

/** The columns of a custom resource: Name, then what its CRD lists (TBL-03). */
export function customColumns(printed: readonly PrinterColumn[] | undefined): readonly Column[] {
  const list = printed === undefined || printed.length === 0 ? [DEFAULT_AGE] : printed;
  return [{ ...name, description: NAME_DESCRIPTION }, ...list.map(columnOf)];
}

function columnOf(printed: PrinterColumn): Column {
  const read = jsonPath(printed.jsonPath);
  return {
    name: printed.name,
    type: printed.type,
    ...(printed.format === undefined ? {} : { format: printed.format }),
    ...(printed.description === undefined ? {} : { description: printed.description }),
    ...(printed.priority === undefined ? {} : { priority: printed.priority }),
    cell: (object: KubeObject, now: number) => cellOf(printed.type, read(object), now),
  };
}

/** One value in the column's type; several are joined, a wrong type is null. */
function cellOf(type: string, values: readonly unknown[], now: number): unknown {
  const [value] = values;
  if (values.length === 0 || value === null || value === undefined) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : typeof value === 'bigint' ? value : null;
    case 'number':
      return typeof value === 'number' || typeof value === 'bigint' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'string':
      return values.map(printed).join(',');
    case 'date':
      return typeof value === 'string' ? age(value, now) : null;
    default:
      return null;
  }
}

function printed(value: unknown): string {
  return isJsonObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value);
}
