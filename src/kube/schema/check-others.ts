import { deepEqual, type JsonObject } from '../objects/index.ts';
import { checkPort } from './check-pods.ts';
import { changesOtherThan, type ObjectCheck } from './check-workloads.ts';
import { objectAt, objectsAt, textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { dnsLabel } from './names.ts';
import type { FieldError } from './types.ts';

export const checkService: ObjectCheck = (service, old) => {
  const spec = objectAt(service, 'spec') ?? {};
  const ports = objectsAt(spec, 'ports');
  const needsPorts = spec.type !== 'ExternalName' && spec.clusterIP !== 'None';
  const before = objectAt(old as unknown as JsonObject | undefined, 'spec');
  return [
    ...(needsPorts && ports.length === 0 ? [fieldErrors.required('spec.ports')] : []),
    ...(spec.type === 'ExternalName' && (spec.externalName ?? '') === '' ? [fieldErrors.required('spec.externalName')] : []),
    ...checkServicePorts(ports),
    ...(before === undefined ? [] : checkClusterIp(spec, before)),
  ];
};

function checkServicePorts(ports: readonly JsonObject[]): FieldError[] {
  const names = new Set<unknown>();
  const numbers = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `spec.ports[${i}]`;
    const { name = '', protocol } = port;
    const errors: FieldError[] = [];
    if (name === '') {
      if (ports.length > 1) errors.push(fieldErrors.required(`${at}.name`));
    } else if (names.has(name)) errors.push(fieldErrors.duplicate(`${at}.name`, name));
    else {
      const problem = dnsLabel(textOf(name));
      if (problem !== undefined) errors.push(fieldErrors.invalid(`${at}.name`, name, problem));
    }
    names.add(name);
    errors.push(...checkPort(port.port, `${at}.port`));
    const number = JSON.stringify([port.port ?? null, protocol ?? null]);
    if (numbers.has(number)) errors.push(fieldErrors.duplicate(at, { protocol: protocol ?? null, port: port.port ?? null }));
    numbers.add(number);
    return errors;
  });
}

/** An address stays as long as the Service has one. */
function checkClusterIp(spec: JsonObject, before: JsonObject): FieldError[] {
  const had = before.clusterIP ?? '';
  if (had === '' || before.type === 'ExternalName' || spec.type === 'ExternalName' || deepEqual(spec.clusterIP, had)) return [];
  return [fieldErrors.invalid('spec.clusterIP', spec.clusterIP ?? '', 'may not change once set')];
}

export const checkIngress: ObjectCheck = (ingress) =>
  objectsAt(objectAt(ingress, 'spec'), 'rules').flatMap((rule, i) =>
    objectsAt(objectAt(rule, 'http'), 'paths').flatMap((path, j) =>
      (path.pathType ?? '') === ''
        ? [fieldErrors.required(`spec.rules[${i}].http.paths[${j}].pathType`, 'pathType must be specified')]
        : [],
    ),
  );

/** Role and ClusterRole. */
export const checkRole: ObjectCheck = (role) =>
  objectsAt(role, 'rules').flatMap((rule, i) => {
    const at = `rules[${i}]`;
    const has = (field: string): boolean => Array.isArray(rule[field]) && rule[field].length > 0;
    const errors = has('verbs') ? [] : [fieldErrors.required(`${at}.verbs`, 'verbs must contain at least one value')];
    if (has('nonResourceURLs')) {
      if (role.kind === 'Role')
        errors.push(
          fieldErrors.invalid(`${at}.nonResourceURLs`, rule.nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'),
        );
      return errors;
    }
    if (!has('apiGroups')) errors.push(fieldErrors.required(`${at}.apiGroups`, 'resource rules must supply at least one api group'));
    if (!has('resources')) errors.push(fieldErrors.required(`${at}.resources`, 'resource rules must supply at least one resource'));
    return errors;
  });

const SUBJECT_KINDS = ['ServiceAccount', 'User', 'Group'];

/** RoleBinding and ClusterRoleBinding. */
export const checkBinding: ObjectCheck = (binding, old) => {
  const roleRef = objectAt(binding, 'roleRef') ?? {};
  const kinds = binding.kind === 'ClusterRoleBinding' ? ['ClusterRole'] : ['Role', 'ClusterRole'];
  const errors: FieldError[] = [];
  if (!kinds.includes(textOf(roleRef.kind))) errors.push(fieldErrors.notSupported('roleRef.kind', roleRef.kind ?? '', kinds));
  if ((roleRef.name ?? '') === '') errors.push(fieldErrors.required('roleRef.name'));
  for (const [i, subject] of objectsAt(binding, 'subjects').entries()) {
    if ((subject.name ?? '') === '') errors.push(fieldErrors.required(`subjects[${i}].name`));
    if (!SUBJECT_KINDS.includes(textOf(subject.kind)))
      errors.push(fieldErrors.notSupported(`subjects[${i}].kind`, subject.kind ?? '', SUBJECT_KINDS));
    const needsNamespace = subject.kind === 'ServiceAccount' && binding.kind === 'ClusterRoleBinding';
    if (needsNamespace && (subject.namespace ?? '') === '') errors.push(fieldErrors.required(`subjects[${i}].namespace`));
  }
  if (old !== undefined && !deepEqual(binding.roleRef, old.roleRef))
    errors.push(fieldErrors.invalid('roleRef', roleRef, 'field is immutable'));
  return errors;
};

export const checkStorageClass: ObjectCheck = (storageClass, old) => {
  if ((storageClass.provisioner ?? '') === '') return [fieldErrors.required('provisioner')];
  if (old === undefined) return [];
  const fixed = ['provisioner', 'parameters', 'reclaimPolicy'].filter((field) => !deepEqual(storageClass[field], old[field]));
  const errors = fixed.map((field) => fieldErrors.forbidden(field, `updates to ${field} are forbidden.`));
  if (deepEqual(storageClass.volumeBindingMode, old.volumeBindingMode)) return errors;
  return [...errors, fieldErrors.invalid('volumeBindingMode', storageClass.volumeBindingMode ?? '', 'field is immutable')];
};

const CLAIM_MUTABLE = ['resources', 'volumeAttributesClassName'];

export const checkClaim: ObjectCheck = (claim, old) => {
  const spec = objectAt(claim, 'spec') ?? {};
  const requests = objectAt(objectAt(spec, 'resources'), 'requests');
  const errors: FieldError[] = [];
  if (!Array.isArray(spec.accessModes) || spec.accessModes.length === 0) {
    errors.push(fieldErrors.required('spec.accessModes', 'at least 1 access mode is required'));
  }
  if (requests?.storage === undefined) errors.push(fieldErrors.required('spec.resources[storage]'));
  const isBinding = old !== undefined && (objectAt(old as unknown as JsonObject, 'spec')?.volumeName ?? '') === '';
  if (old !== undefined && changesOtherThan(claim, old, isBinding ? [...CLAIM_MUTABLE, 'volumeName'] : CLAIM_MUTABLE)) {
    errors.push(
      fieldErrors.forbidden(
        'spec',
        'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
      ),
    );
  }
  return errors;
};
