import { ageKey } from './age.ts';
import { awsKmsKey } from './aws-kms.ts';
import { azureKeyVaultKey } from './azure-key-vault.ts';
import { gcpKmsKey } from './gcp-kms.ts';
import { huaweiKey } from './huawei.ts';
import { pgpKey } from './pgp.ts';
import type { KeyFields, MasterKey, MasterKeyType } from './types.ts';
import { vaultTransitKey } from './vault-transit.ts';

/** One line per key type: how to make it from the fields of its entry. */
const KEY_TYPES: Readonly<Record<MasterKeyType, (fields: KeyFields) => MasterKey>> = {
  age: (fields) => ageKey(text(fields, 'recipient')),
  pgp: (fields) => pgpKey(text(fields, 'fp')),
  kms: (fields) =>
    awsKmsKey({
      arn: text(fields, 'arn'),
      role: text(fields, 'role'),
      context: pairs(fields, 'context'),
      profile: text(fields, 'aws_profile'),
    }),
  gcp_kms: (fields) => gcpKmsKey(text(fields, 'resource_id')),
  azure_kv: (fields) =>
    azureKeyVaultKey({ vaultUrl: text(fields, 'vault_url'), name: text(fields, 'name'), version: text(fields, 'version') }),
  hc_vault: (fields) =>
    vaultTransitKey({ address: text(fields, 'vault_address'), enginePath: text(fields, 'engine_path'), keyName: text(fields, 'key_name') }),
  hckms: (fields) => huaweiKey(text(fields, 'key_id')),
};

/** The master key that an entry of SOPS metadata describes. */
export function masterKeyOf(type: MasterKeyType, fields: KeyFields): MasterKey {
  return KEY_TYPES[type](fields);
}

function text(fields: KeyFields, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'string' ? value : '';
}

function pairs(fields: KeyFields, name: string): Readonly<Record<string, string>> {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  return typeof value === 'object' ? value : {};
}
