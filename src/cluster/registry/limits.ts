import { apiErrors, type KubeObject, type StatusCause } from '../../kube/objects/index.ts';
import { encodeJson } from '../store/index.ts';

/** Largest stored object in bytes, as etcd takes it (LIM-01). */
const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024;

/** Whether an object is too large to be stored. */
export function isTooLarge(object: KubeObject): boolean {
  // Counting code units is quick and never more than the bytes; only near the limit are bytes counted.
  const text = encodeJson(object);
  return text.length > MAX_OBJECT_BYTES || (text.length * 3 > MAX_OBJECT_BYTES && Buffer.byteLength(text) > MAX_OBJECT_BYTES);
}

/** The answer for an object that is too large even without managed fields. */
export function objectTooLarge(): Error {
  return apiErrors.of(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MAX_OBJECT_BYTES}`);
}

const EVENT_NAMESPACES = ['default', 'kube-system', ''];

/** An Event stands in the namespace of what it is about; for cluster-scoped objects in one of the system's (EVT-01). */
export function eventCauses(event: KubeObject): StatusCause[] {
  const field = event.apiVersion === 'v1' ? 'involvedObject' : 'regarding';
  const about = (event[field] as { namespace?: unknown } | undefined)?.namespace ?? '';
  const { namespace = '' } = event.metadata;
  const isFine = about === '' ? EVENT_NAMESPACES.includes(namespace) : about === namespace;
  if (isFine) return [];
  return [
    {
      reason: 'FieldValueInvalid',
      field: `${field}.namespace`,
      message: `Invalid value: ${JSON.stringify(about)}: does not match event.namespace`,
    },
  ];
}
