import { apiErrors, type ApiError, type StatusCause } from '../objects/index.ts';
import { compareText, type PathElement } from './element.ts';
import { pathText, type FieldSet } from './fieldset.ts';
import type { Manager } from './managers.ts';

/** Fields that an apply would take from another manager. */
export interface Conflict {
  readonly manager: Manager;
  readonly set: FieldSet;
}

/** The 409 of an apply that would change fields of other managers; a cause for each field. */
export function conflictError(conflicts: readonly Conflict[]): ApiError {
  const fields = conflicts
    .map((conflict) => ({ name: managerText(conflict.manager), paths: [...conflict.set.paths()] }))
    .toSorted((a, b) => compareText(a.name, b.name));
  const causes = fields.flatMap(({ name, paths }) => paths.map((path) => causeOf(name, path)));
  return apiErrors.of(409, 'Conflict', messageOf(fields, causes.length), { causes });
}

function causeOf(name: string, path: readonly PathElement[]): StatusCause {
  return { reason: 'FieldManagerConflict', message: `conflict with ${name}`, field: pathText(path) };
}

function messageOf(fields: readonly { name: string; paths: readonly (readonly PathElement[])[] }[], count: number): string {
  const [only] = fields;
  if (count === 1 && only !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${only.name}: ${pathText(only.paths[0] ?? [])}`;
  }
  const lines = fields.flatMap(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((path) => `- ${pathText(path)}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

/** `"m" with subresource "s" using v1`. Real clusters never print the entry's time, although the format has a place for it. */
function managerText(manager: Manager): string {
  const subresource = manager.subresource === '' ? '' : ` with subresource ${JSON.stringify(manager.subresource)}`;
  const version = manager.operation === 'Update' ? ` using ${manager.apiVersion}` : '';
  return `${JSON.stringify(manager.manager)}${subresource}${version}`;
}
