import manifest from '../../package.json' with { type: 'json' };

/** What `sotto version` says: our version, and the upstream versions that the parity tables describe. */
export const RELEASE = {
  name: 'sotto',
  version: manifest.version,
  follows: { kubernetes: '1.36', flux: '2.9', kustomize: '5.8.1', sops: '3.13', age: '1.3' },
} as const;
