import { isJsonObject, ownValue, type Json, type JsonObject } from '../objects/index.ts';
import { objectAt, objectsAt, textOf } from './access.ts';
import { fieldErrors } from './errors.ts';
import { dnsLabel, portName, type NameCheck } from './names.ts';
import type { FieldError } from './types.ts';

const ENV_NAME = /^[\u0020-\u003c\u003e-\u007e]+$/;

/** What workloads share: containers, their names, images, ports, environment and mounts, and the volumes. */
export function checkPodSpec(spec: JsonObject | undefined, path: string, moreVolumes: readonly string[] = []): FieldError[] {
  if (spec === undefined) return [fieldErrors.required(`${path}.containers`)];
  const volumes = objectsAt(spec, 'volumes');
  const names = new Set([...volumes.map((volume) => textOf(volume.name)), ...moreVolumes]);
  const containers = objectsAt(spec, 'containers');
  const inits = objectsAt(spec, 'initContainers');
  const seen = new Set<string>();
  return [
    ...checkVolumes(volumes, `${path}.volumes`),
    ...(containers.length === 0 ? [fieldErrors.required(`${path}.containers`)] : []),
    ...containers.flatMap((container, i) => checkContainer(container, `${path}.containers[${i}]`, names, seen)),
    ...inits.flatMap((container, i) => checkContainer(container, `${path}.initContainers[${i}]`, names, seen)),
    ...checkRestartPolicy(spec, path),
  ];
}

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];

function checkRestartPolicy(spec: JsonObject, path: string): FieldError[] {
  const policy = spec.restartPolicy;
  if (policy === undefined) return [fieldErrors.required(`${path}.restartPolicy`)];
  return RESTART_POLICIES.includes(textOf(policy)) ? [] : [fieldErrors.notSupported(`${path}.restartPolicy`, policy, RESTART_POLICIES)];
}

function checkVolumes(volumes: readonly JsonObject[], path: string): FieldError[] {
  const seen = new Set<string>();
  return volumes.flatMap((volume, i) => checkUniqueName(volume.name, `${path}[${i}].name`, dnsLabel, seen));
}

/** Required, of a form, and not there twice. */
function checkUniqueName(name: Json | undefined, path: string, form: NameCheck, seen: Set<string>): FieldError[] {
  if (typeof name !== 'string' || name === '') return [fieldErrors.required(path)];
  const problem = form(name);
  if (problem !== undefined) return [fieldErrors.invalid(path, name, problem)];
  if (seen.has(name)) return [fieldErrors.duplicate(path, name)];
  seen.add(name);
  return [];
}

function checkContainer(container: JsonObject, path: string, volumes: ReadonlySet<string>, seen: Set<string>): FieldError[] {
  const hasImage = typeof container.image === 'string' && container.image.trim() !== '';
  return [
    ...checkUniqueName(container.name, `${path}.name`, dnsLabel, seen),
    ...(hasImage ? [] : [fieldErrors.required(`${path}.image`)]),
    ...checkPorts(objectsAt(container, 'ports'), `${path}.ports`),
    ...checkEnv(objectsAt(container, 'env'), `${path}.env`),
    ...checkMounts(objectsAt(container, 'volumeMounts'), `${path}.volumeMounts`, volumes),
  ];
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function checkPorts(ports: readonly JsonObject[], path: string): FieldError[] {
  const seen = new Set<string>();
  return ports.flatMap((port, i) => {
    const at = `${path}[${i}]`;
    const name = ownValue(port, 'name');
    return [
      ...(name === undefined || name === '' ? [] : checkUniqueName(name, `${at}.name`, portName, seen)),
      ...(port.containerPort === undefined || port.containerPort === 0
        ? [fieldErrors.required(`${at}.containerPort`)]
        : checkPort(port.containerPort, `${at}.containerPort`)),
      ...(port.hostPort === undefined || port.hostPort === 0 ? [] : checkPort(port.hostPort, `${at}.hostPort`)),
      ...(PROTOCOLS.includes(textOf(port.protocol)) ? [] : [fieldErrors.notSupported(`${at}.protocol`, port.protocol ?? '', PROTOCOLS)]),
    ];
  });
}

/** A port number. */
export function checkPort(port: Json | undefined, path: string): FieldError[] {
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535;
  return isPort ? [] : [fieldErrors.invalid(path, port ?? 0, 'must be between 1 and 65535, inclusive')];
}

function checkEnv(env: readonly JsonObject[], path: string): FieldError[] {
  return env.flatMap((variable, i) => {
    const name = ownValue(variable, 'name');
    const at = `${path}[${i}].name`;
    if (typeof name !== 'string' || name === '') return [fieldErrors.required(at)];
    if (ENV_NAME.test(name)) return [];
    return [fieldErrors.invalid(at, name, "must be the name of an environment variable: printable ASCII characters other than '='")];
  });
}

function checkMounts(mounts: readonly JsonObject[], path: string, volumes: ReadonlySet<string>): FieldError[] {
  const seen = new Set<string>();
  return mounts.flatMap((mount, i) => {
    const [name, mountPath] = [textOf(mount.name ?? ''), textOf(mount.mountPath ?? '')];
    const at = `${path}[${i}]`;
    const errors: FieldError[] = [];
    if (name === '') errors.push(fieldErrors.required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(fieldErrors.notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(fieldErrors.required(`${at}.mountPath`));
    else if (seen.has(mountPath)) errors.push(fieldErrors.invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    seen.add(mountPath);
    return errors;
  });
}

/** True when a label selector selects these labels. */
export function isSelected(selector: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(objectAt(selector, 'matchLabels') ?? {});
  if (!wanted.every(([key, value]) => ownValue(labels, key) === value)) return false;
  return objectsAt(selector, 'matchExpressions').every((expression) => meets(expression, ownValue(labels, textOf(expression.key))));
}

function meets(expression: JsonObject, label: Json | undefined): boolean {
  const values = Array.isArray(expression.values) ? expression.values : [];
  switch (expression.operator) {
    case 'In':
      return label !== undefined && values.includes(label);
    case 'NotIn':
      return label === undefined || !values.includes(label);
    case 'Exists':
      return label !== undefined;
    case 'DoesNotExist':
      return label === undefined;
    default:
      return false;
  }
}

/** True for a selector that selects everything. */
export function isEmptySelector(selector: Json | undefined): boolean {
  if (!isJsonObject(selector)) return true;
  return Object.keys(objectAt(selector, 'matchLabels') ?? {}).length === 0 && objectsAt(selector, 'matchExpressions').length === 0;
}
