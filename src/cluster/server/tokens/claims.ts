import { isJsonObject } from '../../../kube/objects/index.ts';

/** An object that a token names. */
export interface NamedObject {
  readonly name: string;
  readonly uid?: string;
}

/** The claims that are Kubernetes' own (kubernetes:pkg/serviceaccount/claims.go). */
export interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: NamedObject;
  readonly pod?: NamedObject;
  readonly secret?: NamedObject;
  readonly node?: NamedObject;
}

/** The private claims in a token's payload; undefined when they are not of this form. */
export function parseClaims(value: unknown): KubernetesClaims | undefined {
  if (!isJsonObject(value) || typeof value['namespace'] !== 'string') return undefined;
  const account = namedObject(value['serviceaccount']);
  if (account === undefined) return undefined;
  const optional = (name: 'pod' | 'secret' | 'node'): Partial<KubernetesClaims> => {
    const found = namedObject(value[name]);
    return found === undefined ? {} : { [name]: found };
  };
  return { namespace: value['namespace'], serviceaccount: account, ...optional('pod'), ...optional('secret'), ...optional('node') };
}

function namedObject(value: unknown): NamedObject | undefined {
  if (!isJsonObject(value) || typeof value['name'] !== 'string') return undefined;
  return { name: value['name'], ...(typeof value['uid'] === 'string' ? { uid: value['uid'] } : {}) };
}

/** The name that a service account has as a user. */
export function accountUsername(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
