import { SottoError } from '../../../base/errors/index.ts';
import type { YamlNode } from '../../../text/yaml/index.ts';
import type { Collection } from '../collection.ts';
import { visitField } from '../fieldspec.ts';
import type { FieldSpec } from '../kustomization.ts';
import { fieldOf, isMissing, lookup, newString, setField, textOf } from '../node.ts';
import type { Resource } from '../resource.ts';
import { formatId } from '../resourceid.ts';
import { isClusterScoped } from '../scope.ts';
import type { Session } from '../session.ts';
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
export function setNamespace(collection: Collection, options: NamespaceOptions, session: Session): void {
  if (options.namespace === '') return;
  const clusterScoped = clusterScopedByDefinition(collection);
  for (const resource of collection.resources) {
    const { group, kind } = resource.gvk;
    if (clusterScoped.has(`${kind}.${group}`)) {
      session.warn({
        message: `${formatId(resource.id)} gets a namespace, although its kind is cluster-scoped`,
        file: resource.source.file,
      });
    }
    resource.rememberName();
    setIn(resource, options);
  }
  collection.idsChanged();
  const [conflict] = collection.conflicts();
  if (conflict === undefined) return;
  const ids = conflict.map((resource) => `${formatId(resource.id)} from ${resource.source.file}`);
  throw new SottoError('KUSTOMIZE_NAMESPACE', `namespace transformation produces ID conflict: [${ids.join(', ')}]`);
}

/** Kinds that upstream takes for namespaced, as its schema does not know them: `Kind.group`. */
const KNOWN_CLUSTER_SCOPED = [
  'ClusterIssuer.cert-manager.io',
  'ClusterSecretStore.external-secrets.io',
  'ClusterExternalSecret.external-secrets.io',
  'ClusterGenerator.generators.external-secrets.io',
  'ClusterPushSecret.external-secrets.io',
  'GatewayClass.gateway.networking.k8s.io',
  'DeviceClass.resource.k8s.io',
  'ValidatingAdmissionPolicy.admissionregistration.k8s.io',
  'ValidatingAdmissionPolicyBinding.admissionregistration.k8s.io',
];

function clusterScopedByDefinition(collection: Collection): ReadonlySet<string> {
  const defined = collection.resources.filter(
    ({ kind, root }) => kind === 'CustomResourceDefinition' && textOf(lookup(root, 'spec', 'scope')) === 'Cluster',
  );
  const names = defined.map(({ root }) => `${textOf(lookup(root, 'spec', 'names', 'kind'))}.${textOf(lookup(root, 'spec', 'group'))}`);
  return new Set([...KNOWN_CLUSTER_SCOPED, ...names]);
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
