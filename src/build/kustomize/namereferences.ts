/**
 * Follows renamed objects in the fields of others, once, at the end of a build (k:api/filters/nameref). Candidates
 * are found by the names they had, so that the work grows with the number of references.
 */
import { SottoError } from '../../base/errors/index.ts';
import type { YamlMap, YamlNode } from '../../text/yaml/index.ts';
import type { Collection } from './collection.ts';
import { visitPath } from './fieldspec.ts';
import { formatGvk, isSelected, type GvkSelector } from './gvk.ts';
import type { FieldSpec } from './kustomization.ts';
import { fieldOf, isNull, lookup, newString, setField, textOf } from './node.ts';
import type { Resource } from './resource.ts';
import { formatId, type ResourceId } from './resourceid.ts';
import { effectiveNamespace, isClusterScoped } from './scope.ts';
import type { NameReference } from './transformerconfig.ts';
import type { BuildWarning } from './types.ts';
import { writeTextAt } from './write.ts';

type Warn = (warning: BuildWarning) => void;

/** An object with what is asked about it again and again. */
interface Candidate {
  readonly resource: Resource;
  readonly id: ResourceId;
  readonly previousIds: readonly ResourceId[];
  readonly isClusterScoped: boolean;
  readonly namespace: string;
  readonly originalNamespace: string;
}

interface Index {
  readonly candidates: readonly Candidate[];
  readonly byPreviousName: ReadonlyMap<string, readonly Candidate[]>;
  readonly byNamespace: ReadonlyMap<string, readonly Candidate[]>;
  readonly byOriginalNamespace: ReadonlyMap<string, readonly Candidate[]>;
}

/** One field spec of one referred kind. */
interface Reference {
  readonly referred: GvkSelector;
  readonly spec: FieldSpec;
}

/**
 * Writes the current names of objects into the fields that refer to them.
 *
 * @throws SottoError KUSTOMIZE_REFERENCE when a reference is ambiguous
 */
export function fixNameReferences(collection: Collection, references: readonly NameReference[], warn: Warn): void {
  const index = indexOf(collection.resources);
  const byKind = groupByKind(references);
  for (const referrer of index.candidates) {
    const original = referrer.previousIds[0] ?? referrer.id;
    const applicable = referencesOf(byKind, original);
    if (applicable.length === 0) continue;
    const fixer = new ReferenceFixer(referrer, index, warn);
    for (const reference of applicable) fixer.fix(reference);
  }
}

function indexOf(resources: readonly Resource[]): Index {
  const candidates = resources.filter((resource) => !resource.deleted).map(candidateOf);
  const byPreviousName = new Map<string, Candidate[]>();
  for (const candidate of candidates) {
    for (const name of new Set(candidate.previousIds.map((id) => id.name))) push(byPreviousName, name, candidate);
  }
  return {
    candidates,
    byPreviousName,
    byNamespace: Map.groupBy(candidates, ({ namespace }) => namespace),
    byOriginalNamespace: Map.groupBy(candidates, ({ originalNamespace }) => originalNamespace),
  };
}

function candidateOf(resource: Resource): Candidate {
  const { id, previousIds } = resource;
  const original = previousIds[0] ?? id;
  return {
    resource,
    id,
    previousIds,
    isClusterScoped: isClusterScoped(id),
    namespace: effectiveNamespace(id, id.namespace),
    originalNamespace: effectiveNamespace(original, original.namespace),
  };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, [value]);
  else found.push(value);
}

/** All references in order, by the kind of the referrer; '' for specs without kind. */
function groupByKind(references: readonly NameReference[]): Map<string, (Reference & { readonly order: number })[]> {
  const groups = new Map<string, (Reference & { readonly order: number })[]>();
  let order = 0;
  for (const referred of references) {
    for (const spec of referred.fieldSpecs) push(groups, spec.kind ?? '', { referred, spec, order: order++ });
  }
  return groups;
}

function referencesOf(byKind: ReturnType<typeof groupByKind>, id: ResourceId): Reference[] {
  const own = byKind.get(id.kind) ?? [];
  const any = byKind.get('') ?? [];
  const all = any.length === 0 ? own : [...own, ...any].toSorted((a, b) => a.order - b.order);
  return all.filter(({ spec }) => isSelected(id, spec));
}

class ReferenceFixer {
  readonly #referrer: Candidate;
  readonly #index: Index;
  readonly #warn: Warn;
  readonly #subjectNamespaces: ReadonlySet<string>;

  constructor(referrer: Candidate, index: Index, warn: Warn) {
    this.#referrer = referrer;
    this.#index = index;
    this.#warn = warn;
    this.#subjectNamespaces = referrer.isClusterScoped ? new Set() : subjectNamespaces(referrer.resource);
  }

  fix(reference: Reference): void {
    visitPath(this.#referrer.resource, reference.spec, 'none', (node) => {
      if (isNull(node)) return;
      if (node.kind !== 'sequence') this.#fixNode(node, reference);
      else for (const item of node.items) if (!isNull(item)) this.#fixNode(item, reference);
    });
  }

  #fixNode(node: YamlNode, reference: Reference): void {
    if (node.kind === 'map') this.#fixMap(node, reference);
    else if (node.kind === 'scalar') this.#fixText(node, reference);
    else throw this.#failure(reference, `a list in a list where names are expected`, node);
  }

  #fixText(node: YamlNode, reference: Reference): void {
    const old = textOf(node);
    const found = this.#choose(old, this.#candidatesNamed(old), reference, (a, b) => a.id.name === b.id.name);
    if (found !== undefined && found.id.name !== old) writeTextAt(node, found.id.name, this.#referrer.resource, reference.spec.path ?? '');
  }

  #fixMap(node: YamlMap, reference: Reference): void {
    const nameNode = fieldOf(node, 'name');
    if (nameNode === undefined) throw this.#failure(reference, "path config error; no 'name' field in node", node);
    const old = textOf(nameNode);
    const candidates = this.#inNamespaceOf(node, this.#candidatesNamed(old));
    const found = this.#choose(old, candidates, reference, (a, b) => a.id.name === b.id.name && a.id.namespace === b.id.namespace);
    if (found === undefined) return;
    this.#warnOfOtherSubject(node, found);
    if (found.id.name !== old) writeTextAt(nameNode, found.id.name, this.#referrer.resource, reference.spec.path ?? '');
    if (found.id.namespace === '') return;
    const namespace = fieldOf(node, 'namespace');
    if (namespace?.kind === 'scalar') writeTextAt(namespace, found.id.namespace, this.#referrer.resource, reference.spec.path ?? '');
    else setField(node, 'namespace', newString(found.id.namespace));
  }

  #candidatesNamed(name: string): Candidate[] {
    return (this.#index.byPreviousName.get(name) ?? []).filter((candidate) => this.#canRefer(candidate));
  }

  /** Objects that the referrer can see at all. */
  #canRefer(candidate: Candidate): boolean {
    if (this.#referrer.isClusterScoped || candidate.isClusterScoped || candidate.namespace === this.#referrer.namespace) return true;
    return this.#subjectNamespaces.has(candidate.id.namespace);
  }

  /** Narrowed to the namespace that the reference names: the original one of objects, or else the current one. */
  #inNamespaceOf(node: YamlMap, named: readonly Candidate[]): readonly Candidate[] {
    const written = fieldOf(node, 'namespace');
    if (written === undefined) return named;
    const namespace = textOf(written);
    const inOriginal = this.#index.byOriginalNamespace.get(namespace) ?? [];
    const useOriginal = inOriginal.some((candidate) => this.#canRefer(candidate));
    return named.filter((candidate) =>
      useOriginal
        ? candidate.originalNamespace === namespace && !isOriginallyClusterScoped(candidate)
        : candidate.namespace === namespace && !candidate.isClusterScoped,
    );
  }

  #choose(
    name: string,
    named: readonly Candidate[],
    { referred, spec }: Reference,
    isSame: (a: Candidate, b: Candidate) => boolean,
  ): Candidate | undefined {
    const ofKind = named.filter(
      (candidate) => candidate.previousIds.some((id) => isSelected(id, referred)) && this.#fitsRoleRef(candidate, spec),
    );
    const near = ofKind.filter((candidate) => this.#isNear(candidate));
    if (near.length <= 1) return near[0];
    const loose = near.filter((candidate) => this.#sharesAffixes(candidate, true));
    const left = loose.length > 1 ? loose.filter((candidate) => this.#sharesAffixes(candidate, false)) : loose;
    const [first] = left;
    if (first === undefined) {
      this.#warn({
        message: `reference '${name}' in ${formatId(this.#referrer.id)} is left alone: ${near.length} objects had this name`,
        file: this.#referrer.resource.source.file,
      });
      return undefined;
    }
    if (left.every((candidate) => isSame(first, candidate))) return first;
    const ids = left.map((candidate) => formatId(candidate.id)).join(', ');
    throw this.#failure({ referred, spec }, `found multiple possible referrals: ${ids}`);
  }

  #fitsRoleRef(candidate: Candidate, spec: FieldSpec): boolean {
    if (spec.path?.endsWith('roleRef/name') !== true) return true;
    const { root } = this.#referrer.resource;
    const group = lookup(root, 'roleRef', 'apiGroup');
    const kind = lookup(root, 'roleRef', 'kind');
    if (group === undefined || kind === undefined) return true;
    return candidate.previousIds.some((id) => isSelected(id, { group: textOf(group), kind: textOf(kind) }));
  }

  /** In the same namespace now, where that matters; bindings refer to service accounts anywhere. */
  #isNear(candidate: Candidate): boolean {
    return (
      this.#referrer.isClusterScoped ||
      candidate.isClusterScoped ||
      candidate.id.kind === 'ServiceAccount' ||
      candidate.namespace === this.#referrer.namespace
    );
  }

  #sharesAffixes({ resource }: Candidate, emptyMatches: boolean): boolean {
    const own = this.#referrer.resource;
    return endAlike(resource.prefixes, own.prefixes, emptyMatches) && endAlike(resource.suffixes, own.suffixes, emptyMatches);
  }

  /** Subjects follow by name, whatever their kind says. */
  #warnOfOtherSubject(node: YamlMap, found: Candidate): void {
    const kind = textOf(fieldOf(node, 'kind'));
    if (kind === '' || kind === found.id.kind || this.#referrer.resource.kind.endsWith('Binding') === false) return;
    this.#warn({
      message: `subject of kind ${kind} in ${formatId(this.#referrer.id)} is renamed like ${formatId(found.id)}`,
      file: this.#referrer.resource.source.file,
    });
  }

  #failure({ referred, spec }: Reference, message: string, node?: YamlNode): SottoError {
    const { resource, id } = this.#referrer;
    return new SottoError(
      'KUSTOMIZE_REFERENCE',
      `updating name reference to ${formatGvk(referred)} in '${spec.path ?? ''}' field of '${formatId(id)}': ${message}`,
      { at: { file: resource.source.file, ...(node === undefined || node.line === 0 ? {} : { line: node.line, column: node.column }) } },
    );
  }
}

function isOriginallyClusterScoped({ previousIds, id }: Candidate): boolean {
  return isClusterScoped(previousIds[0] ?? id);
}

/** True when one list is the ending part of the other; an empty one ends only an empty one. */
function endAlike(a: readonly string[], b: readonly string[], emptyMatches: boolean): boolean {
  if (a.length === 0 || b.length === 0) return emptyMatches || a.length === b.length;
  const length = Math.min(a.length, b.length);
  for (let i = 1; i <= length; i++) if (a.at(-i) !== b.at(-i)) return false;
  return true;
}

/** Namespaces of the ServiceAccount subjects of a RoleBinding. */
function subjectNamespaces(resource: Resource): ReadonlySet<string> {
  const subjects = resource.kind === 'RoleBinding' ? fieldOf(resource.root, 'subjects') : undefined;
  const namespaces = new Set<string>();
  if (subjects?.kind !== 'sequence') return namespaces;
  for (const subject of subjects.items) {
    const namespace = fieldOf(subject, 'namespace');
    if (namespace === undefined || textOf(fieldOf(subject, 'kind')) !== 'ServiceAccount') continue;
    if (namespace.kind !== 'scalar' || namespace.tag !== '!!str') {
      throw new SottoError('KUSTOMIZE_REFERENCE', `Invalid Input: namespace is blank for resource "${formatId(resource.id)}"`, {
        at: { file: resource.source.file, ...(namespace.line > 0 ? { line: namespace.line } : {}) },
      });
    }
    namespaces.add(namespace.text);
  }
  return namespaces;
}
