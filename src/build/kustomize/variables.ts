/**
 * The old `vars`: `$(NAME)` in strings is replaced by a field of an object (k:api/internal/accumulator,
 * k:api/filters/refvar).
 */
import { SottoError } from '../../base/errors/index.ts';
import type { YamlNode, YamlScalar } from '../../text/yaml/index.ts';
import type { Accumulator } from './accumulator.ts';
import type { Collection } from './collection.ts';
import { lookupPath, splitFieldPath } from './fieldpath.ts';
import { visitField } from './fieldspec.ts';
import { gvkFrom } from './gvk.ts';
import type { FieldSpec, Variable } from './kustomization.ts';
import { isNull, textOf } from './node.ts';
import type { Resource } from './resource.ts';
import { idKey, type ResourceId } from './resourceid.ts';
import { isClusterScoped } from './scope.ts';
import type { BuildWarning } from './types.ts';

/**
 * Records the vars of a level, and which object each of them reads.
 *
 * @throws SottoError KUSTOMIZE_VARS
 */
export function mergeVariables(accumulator: Accumulator, variables: readonly Variable[], file: string): void {
  for (const variable of variables) {
    const { name = '' } = variable;
    const matched = objectsOf(accumulator.collection, variable);
    if (matched.length > 1) throw failure(`found ${matched.length} resId matches for var ${name} (unable to disambiguate)`, file);
    matched[0]?.variables.push(name);
    if (accumulator.variables.has(name)) throw failure(`var '${name}' already encountered`, file);
    accumulator.variables.set(name, variable);
  }
}

function objectsOf(collection: Collection, { objref = {} }: Variable): readonly Resource[] {
  const { apiVersion = '', group = '', version = '', kind = '', name = '', namespace = '' } = objref;
  const gvk = apiVersion === '' ? { group, version, kind } : gvkFrom(apiVersion, kind);
  const wanted: ResourceId = { ...gvk, name, namespace };
  if (namespace !== '' || isClusterScoped(wanted)) return collection.withAnyId(wanted);
  const key = idKey({ ...wanted, namespace: '' });
  return collection.resources.filter((resource) => resource.allIds.some((id) => idKey({ ...id, namespace: '' }) === key));
}

/** The typed value of a var: the scalar it reads, or undefined for a map or list. */
type Values = ReadonlyMap<string, YamlScalar | undefined>;

/**
 * Replaces all vars, after names are final.
 *
 * @throws SottoError KUSTOMIZE_VARS
 */
export function resolveVariables(
  accumulator: Accumulator,
  specs: readonly FieldSpec[],
  file: string,
  warn: (warning: BuildWarning) => void,
): void {
  const values = valuesOf(accumulator, file);
  if (values.size === 0) return;
  const used = new Set<string>();
  for (const resource of accumulator.collection.resources) {
    for (const spec of specs) {
      visitField(resource, spec, 'none', (node) => {
        substitute(node, values, used, resource);
      });
    }
  }
  const unused = [...values.keys()].filter((name) => !used.has(name));
  if (unused.length > 0) warn({ message: `well-defined vars that were never replaced: ${unused.join(',')}`, file });
}

function valuesOf({ collection, variables }: Accumulator, file: string): Values {
  const owners = new Map<string, Resource>();
  for (const resource of collection.resources) {
    for (const name of resource.variables) if (!owners.has(name)) owners.set(name, resource);
  }
  const values = new Map<string, YamlScalar | undefined>();
  for (const [name, variable] of variables) {
    const owner = owners.get(name);
    if (owner === undefined) throw failure(`var '${name}' cannot be mapped to a field in the set of known resources`, file);
    const found = fieldIn(owner, variable.fieldref?.fieldPath || 'metadata.name');
    if (found === undefined) throw failure(`field specified in var '${name}' not found in corresponding resource`, file);
    values.set(name, found.kind === 'scalar' ? { ...found } : undefined);
  }
  return values;
}

function fieldIn(resource: Resource, path: string): YamlNode | undefined {
  try {
    return lookupPath(resource.root, splitFieldPath(path).flatMap(splitIndex));
  } catch (error) {
    if (error instanceof SottoError) return undefined; // a path that does not fit finds nothing
    throw error;
  }
}

/** `ports[0]` → `ports`, `0`. */
function splitIndex(part: string): string[] {
  const match = /^(.*)\[(\d+)\]$/s.exec(part);
  if (match === null) return [part];
  const [, name = '', index = ''] = match;
  return name === '' ? [index] : [name, index];
}

function substitute(node: YamlNode, values: Values, used: Set<string>, resource: Resource): void {
  if (isNull(node)) return;
  if (node.kind === 'sequence') {
    for (const item of node.items) {
      if (!isString(item)) throw failure('invalid value type expect a string', resource.source.file);
      substituteText(item, values, used);
    }
    return;
  }
  const strings = node.kind === 'scalar' ? [node] : node.items.map(({ value }) => value);
  for (const value of strings) if (isString(value)) substituteText(value, values, used);
}

function isString(node: YamlNode): node is YamlScalar {
  return node.kind === 'scalar' && node.tag === '!!str';
}

const REFERENCE = /\$(?:\$|\(([^)]*)\)|\(|(.))/gs;

function substituteText(node: YamlScalar, values: Values, used: Set<string>): void {
  const whole = /^\$\(([^)]*)\)$/.exec(node.text)?.[1];
  const only = whole === undefined ? undefined : values.get(whole);
  if (whole !== undefined && only !== undefined) {
    used.add(whole);
    node.text = only.text;
    node.tag = ['!!int', '!!bool', '!!float'].includes(only.tag) ? only.tag : '!!str';
    node.style = 'plain';
    return;
  }
  node.text = node.text.replaceAll(REFERENCE, (match, name: string | undefined, other: string | undefined) => {
    if (name === undefined) return other === undefined && match === '$$' ? '$' : match;
    const value = values.get(name);
    if (value === undefined) return match;
    used.add(name);
    return textOf(value);
  });
  node.style = 'plain';
}

function failure(message: string, file: string): SottoError {
  return new SottoError('KUSTOMIZE_VARS', message, { at: { file } });
}
