/*
 * The columns of `kubectl get`: those of built-in kinds as upstream prints them, those of custom kinds from their
 * CRDs.
 */
import type { Resource, Version } from '../../registry/index.ts';
import { CORE } from './core.ts';
import { customColumns } from './custom.ts';
import { GROUPS } from './groups.ts';
import { createdAt, name, type Column } from './types.ts';

/** Kinds that upstream has no printer for. */
const OTHERS: readonly Column[] = [name, createdAt];
const cache = new WeakMap<Version, readonly Column[]>();

/** The columns of a resource's version. */
export function columnsOf(resource: Resource, version: Version): readonly Column[] {
  const known = cache.get(version);
  if (known !== undefined) return known;
  const key = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
  const columns = resource.custom ? customColumns(version.columns) : (CORE[key] ?? GROUPS[key] ?? OTHERS);
  cache.set(version, columns);
  return columns;
}

export type { Column } from './types.ts';
