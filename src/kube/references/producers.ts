/** How a kind says which Secret its controller writes. Patterns are those of `find`. */
export interface ProducerRow {
  /** The part of the object that stands for one Secret; default the whole object. */
  readonly at?: string;
  /** Where the name is, in order of precedence. */
  readonly names: readonly string[];
  /** Where another namespace than the object's own is. */
  readonly namespace?: string;
  /** Where the keys are; `{}` at the end means the keys of a map. */
  readonly keys?: readonly string[];
  /** Keys that the Secret always has. */
  readonly fixedKeys?: readonly string[];
}

const VAULT: readonly ProducerRow[] = [{ names: ['spec.destination.name'] }];
const TLS_KEYS = ['tls.crt', 'tls.key', 'ca.crt'];

/** By group and kind. */
export const PRODUCERS: ReadonlyMap<string, readonly ProducerRow[]> = new Map([
  [
    'external-secrets.io/ExternalSecret',
    [{ names: ['spec.target.name', 'metadata.name'], keys: ['spec.data[].secretKey', 'spec.target.template.data{}'] }],
  ],
  [
    'bitnami.com/SealedSecret',
    [{ names: ['spec.template.metadata.name', 'metadata.name'], keys: ['spec.encryptedData{}', 'spec.template.data{}'] }],
  ],
  ['onepassword.com/OnePasswordItem', [{ names: ['metadata.name'] }]],
  ['cert-manager.io/Certificate', [{ names: ['spec.secretName'], fixedKeys: TLS_KEYS }]],
  ['cert-manager.io/Issuer', [{ names: ['spec.acme.privateKeySecretRef.name'], fixedKeys: ['tls.key'] }]],
  ['secrets-store.csi.x-k8s.io/SecretProviderClass', [{ at: 'spec.secretObjects[]', names: ['secretName'], keys: ['data[].key'] }]],
  ['isindir.github.com/SopsSecret', [{ at: 'spec.secretTemplates[]', names: ['name'], keys: ['data{}', 'stringData{}'] }]],
  ['secrets.hashicorp.com/VaultStaticSecret', VAULT],
  ['secrets.hashicorp.com/VaultDynamicSecret', VAULT],
  ['secrets.hashicorp.com/VaultPKISecret', VAULT],
  ['secrets.infisical.com/InfisicalSecret', [{ at: 'spec.managedSecretReference', names: ['secretName'], namespace: 'secretNamespace' }]],
  ['secrets.doppler.com/DopplerSecret', [{ at: 'spec.managedSecret', names: ['name'], namespace: 'namespace' }]],
] satisfies [string, readonly ProducerRow[]][]);
