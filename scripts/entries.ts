/** The public entries of the package, `sotto/NAME` → source. The `exports` of package.json have the same names. */
export const ENTRIES: Readonly<Record<string, string>> = {
  cluster: 'src/cluster/index.ts',
  envsubst: 'src/text/envsubst/index.ts',
  fleet: 'src/build/fleet/index.ts',
  keys: 'src/secrets/keys/index.ts',
  kustomize: 'src/build/kustomize/index.ts',
  sops: 'src/secrets/sops/index.ts',
  world: 'src/base/world/index.ts',
  yaml: 'src/text/yaml/index.ts',
};
