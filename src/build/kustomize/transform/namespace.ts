import { SottoError } from '../../../base/errors/index.ts';
import type { YamlNode } from '../../../text/yaml/index.ts';
import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import type { FieldSpec } from '../kustomization.ts';
import { fieldOf, isMissing, newString, setField, textOf } from '../node.ts';
import type { Resource } from '../resource.ts';
import { formatId } from '../resourceid.ts';
import { isClusterScoped } from '../scope.ts';
import { writeStringAt, wrongKind } from '../write.ts';

/** Which subjects of bindings get the namespace: those called `default`, all service accounts, or none. */
export const SUBJECT_MODES = ['defaultOnly', 'allServiceAccounts', 'none'] as const;
export type SubjectMode = (typeof SUBJECT_MODES)[number];

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  readonly subjects: SubjectMode;
  /** Leave namespaces that are already there. */
  readonly unsetOnly: boolean;
}

const NAMESPACE_PATH = 'metadata/namespace';
const NAME_PATH = 'metadata/name';
const BINDINGS = new Set(['RoleBinding', 'ClusterRoleBinding']);

/**
 * Puts all namespaced objects into a namespace, together with what the field specs name and the subjects called
 * `default` of bindings (k:api/filters/namespace/namespace.go).
 *
 * @throws SottoError KUSTOMIZE_NAMESPACE when two objects get the same id
 */
export function setNamespace(collection: Collection, options: NamespaceOptions): void {
  if (options.namespace === '') return;
  for (const resource of collection.resources) {
    resource.rememberName();
    setIn(resource, options);
  }
  collection.idsChanged();
  const [conflict] = collection.conflicts();
  if (conflict === undefined) return;
  const ids = conflict.map((resource) => `${formatId(resource.id)} from ${resource.source.file}`);
  throw new SottoError('KUSTOMIZE_NAMESPACE', `namespace transformation produces ID conflict: [${ids.join(', ')}]`);
}

function setIn(resource: Resource, options: NamespaceOptions): void {
  const write = (node: YamlNode, what: string): void => {
    if (options.unsetOnly && textOf(node) !== '' && !isMissing(node)) return;
    writeStringAt(node, options.namespace, resource, what);
  };
  if (!isClusterScoped(resource.gvk)) {
    visitField(resource, { path: NAMESPACE_PATH, create: true }, 'scalar', (node) => {
      write(node, NAMESPACE_PATH);
    });
  }
  const isBinding = BINDINGS.has(resource.kind);
  if (isBinding) setSubjects(resource, options.subjects, write);
  for (const spec of options.specs) {
    if (spec.path === NAMESPACE_PATH) continue;
    if (spec.path === NAME_PATH && resource.apiVersion !== 'v1') continue;
    if (isBinding && BINDINGS.has(spec.kind ?? '') && spec.path === 'subjects/namespace') continue;
    visitField(resource, spec, 'scalar', (node) => {
      write(node, spec.path ?? '');
    });
  }
}

/** Which subjects are meant: a field and its value. */
const SUBJECTS: Readonly<Record<SubjectMode, readonly [field: string, value: string] | undefined>> = {
  defaultOnly: ['name', 'default'],
  allServiceAccounts: ['kind', 'ServiceAccount'],
  none: undefined,
};

function setSubjects(resource: Resource, mode: SubjectMode, write: (node: YamlNode, what: string) => void): void {
  const subjects = fieldOf(resource.root, 'subjects');
  const chosen = SUBJECTS[mode];
  if (chosen === undefined || subjects === undefined || isMissing(subjects)) return;
  if (subjects.kind !== 'sequence') throw wrongKind(subjects, 'sequence', resource, 'subjects');
  for (const subject of subjects.items) {
    if (subject.kind !== 'map') {
      if (isMissing(subject)) continue;
      throw wrongKind(subject, 'map', resource, 'subjects');
    }
    if (textOf(fieldOf(subject, chosen[0])) !== chosen[1]) continue;
    const found = fieldOf(subject, 'namespace') ?? newString('');
    setField(subject, 'namespace', found);
    write(found, 'subjects/namespace');
  }
}
