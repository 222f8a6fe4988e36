import { ageKey } from './age.ts';
import type { KeyFields, MasterKey, MasterKeyType } from './types.ts';
import { unsupportedKey } from './unsupported.ts';

interface KeyType {
  readonly display: (fields: KeyFields) => string;
  readonly make?: (display: string) => MasterKey;
}

/** One line per key type: how SOPS names a key, and how to make it. */
const KEY_TYPES: Readonly<Record<MasterKeyType, KeyType>> = {
  age: { display: (fields) => text(fields, 'recipient'), make: ageKey },
  pgp: { display: (fields) => text(fields, 'fp') },
  kms: { display: awsDisplay },
  gcp_kms: { display: (fields) => text(fields, 'resource_id') },
  azure_kv: { display: (fields) => `${text(fields, 'vault_url')}/keys/${text(fields, 'name')}/${text(fields, 'version')}` },
  hc_vault: { display: (fields) => `${text(fields, 'vault_address')}/v1/${text(fields, 'engine_path')}/keys/${text(fields, 'key_name')}` },
  hckms: { display: (fields) => text(fields, 'key_id') },
};

/** The master key that an entry of SOPS metadata describes. */
export function masterKeyOf(type: MasterKeyType, fields: KeyFields): MasterKey {
  const { display, make } = KEY_TYPES[type];
  return make === undefined ? unsupportedKey(type, display(fields)) : make(display(fields));
}

function text(fields: KeyFields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : '';
}

/** `arn[+role]`, then `|k:v,…` with a context, and `|profile` with a profile. */
function awsDisplay(fields: KeyFields): string {
  const role = text(fields, 'role');
  const profile = text(fields, 'aws_profile');
  const context = fields['context'];
  const pairs = typeof context === 'object' ? Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1)) : [];
  const key = role === '' ? text(fields, 'arn') : `${text(fields, 'arn')}+${role}`;
  if (pairs.length === 0 && profile === '') return key;
  const joined = `${key}|${pairs.map(([name, value]) => `${name}:${value}`).join(',')}`;
  return profile === '' ? joined : `${joined}|${profile}`;
}
