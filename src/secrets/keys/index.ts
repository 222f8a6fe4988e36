/**
 * Master keys: what wraps and unwraps a data key, one file each. Credentials are always handed in; nothing here reads
 * the environment or a home folder. The clouds' SDKs are loaded when first used.
 *
 * @module
 */
export { ageKey } from './age.ts';
export { ageRecipientOf, generateAgeIdentity, parseAgeIdentities, type AgeIdentity } from './age-identities.ts';
export { identityKind, parseAgeIdentityFile, type IdentityKind } from './age-others.ts';
export { passphraseCacheName } from './age-scrypt.ts';
export { recipientKind, type RecipientKind } from './age-text.ts';
export { awsKmsKey, legacyAwsContexts, type AwsKeyFields } from './aws-kms.ts';
export { azureKeyVaultKey, parseAzureKeyUrl, type AzureKeyFields } from './azure-key-vault.ts';
export { preferCredentials } from './credentials-order.ts';
export type {
  AgePlugins,
  AskPassphrase,
  AwsAccessKeys,
  AwsCredentials,
  AzureCredentials,
  AzureIdentity,
  GcpCredentials,
  GpgSettings,
  PgpCredentials,
  VaultCredentials,
  VaultTls,
} from './credentials.ts';
export { gcpKmsKey } from './gcp-kms.ts';
export { huaweiKey } from './huawei.ts';
export { needsRotation, wrappedKeyAge } from './key-age.ts';
export { keySecretCredentials } from './key-secret.ts';
export { masterKeyOf } from './metadata.ts';
export { pgpKey } from './pgp.ts';
export { openGpgHome, type GpgHome } from './pgp-home.ts';
export { unsupportedKey } from './unsupported.ts';
export { kubernetesVaultLogin, type KubernetesLoginOptions, type VaultInstance } from './vault-login.ts';
export { parseVaultUri, vaultTransitKey, type VaultKeyFields } from './vault-transit.ts';
export type { Credentials, KeyContext, KeyFields, MasterKey, MasterKeyType, Unwrapped } from './types.ts';
