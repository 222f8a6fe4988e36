import { SottoError } from '../../base/errors/index.ts';
import { compileRegExp, type SafeRegExp } from '../../text/regexp/index.ts';
import type { Collection } from './collection.ts';
import type { Selector } from './kustomization.ts';
import { parseLabelSelector } from './labelselector.ts';
import type { Resource } from './resource.ts';
import { effectiveNamespace } from './scope.ts';

/**
 * The objects that a selector names: anchored RE2 expressions, tested against original and current name and
 * namespace; empty parts match everything (k:api/types/selector.go, k:api/resmap/reswrangler.go).
 *
 * @throws SottoError KUSTOMIZE_SELECTOR
 */
export function select(collection: Collection, selector: Selector): Resource[] {
  const [group, version, kind, name, namespace] = [
    anchored(selector.group),
    anchored(selector.version),
    anchored(selector.kind),
    anchored(selector.name),
    anchored(selector.namespace),
  ];
  const labels = parseLabelSelector(selector.labelSelector ?? '');
  const annotations = parseLabelSelector(selector.annotationSelector ?? '');
  return collection.resources.filter((resource) => {
    if (resource.deleted) return false;
    const current = resource.id;
    const original = resource.originalId;
    return (
      passes(kind, current.kind) &&
      (passes(name, original.name) || passes(name, current.name)) &&
      passes(group, current.group) &&
      passes(version, current.version) &&
      (passes(namespace, effectiveNamespace(original, original.namespace)) ||
        passes(namespace, effectiveNamespace(current, current.namespace))) &&
      (selector.labelSelector === undefined || labels(resource.labels)) &&
      (selector.annotationSelector === undefined || annotations(resource.annotations))
    );
  });
}

function passes(pattern: SafeRegExp | undefined, text: string): boolean {
  return pattern === undefined || pattern.test(text);
}

/** An expression that must match the whole text; undefined for none. */
export function anchored(pattern: string | undefined): SafeRegExp | undefined {
  if (pattern === undefined || pattern === '') return undefined;
  try {
    return compileRegExp(`^(?:${pattern})$`);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : '';
    throw new SottoError('KUSTOMIZE_SELECTOR', `error parsing regexp: '${pattern}': ${problem}`, { cause });
  }
}

/** A selector in messages. */
export function formatSelector(selector: Selector): string {
  const parts = Object.entries(selector).filter(([, value]) => typeof value === 'string' && value !== '');
  return parts.length === 0 ? '{}' : `{${parts.map(([key, value]) => `${key}: ${String(value)}`).join(', ')}}`;
}
