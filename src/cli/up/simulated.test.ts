import { describe, expect, it } from 'vitest';

import { missingKinds, pluralOf, simulatedCrd } from './simulated.ts';
import type { Standing } from './state.ts';

const failed = (message: string): Standing => ({
  key: 'k',
  kind: 'Kustomization',
  namespace: 'n',
  name: 'a',
  state: 'failed',
  word: 'Failed',
  revision: '',
  why: message,
  reason: '',
  message,
  objects: 0,
  dependsOn: [],
});

describe('kinds that nothing provides', () => {
  it('are read from messages, each once', () => {
    const message = 'A/b/c dry-run failed: no matches for kind "Certificate" in version "cert-manager.io/v1"';
    expect(missingKinds([failed(message), failed(message), failed('something else')])).toEqual([
      { group: 'cert-manager.io', version: 'v1', kind: 'Certificate' },
    ]);
  });

  it('a core kind is never simulated', () => {
    expect(missingKinds([failed('no matches for kind "Sekret" in version "v1"')])).toEqual([]);
  });

  it.each([
    ['HelmRelease', 'helmreleases'],
    ['GitRepository', 'gitrepositories'],
    ['Ingress', 'ingresses'],
    ['Gateway', 'gateways'],
    ['IPAddressPool', 'ipaddresspools'],
  ])('the plural of %s is %s', (kind, plural) => {
    expect(pluralOf(kind)).toBe(plural);
  });

  it.each([
    ['ClusterIssuer', 'Cluster'],
    ['GatewayClass', 'Cluster'],
    ['HelmRelease', 'Namespaced'],
  ])('%s is taken as %s', (kind, scope) => {
    const crd = simulatedCrd({ group: 'example.com', version: 'v1', kind });
    expect(crd['spec']).toMatchObject({ scope, names: { kind } });
    expect(crd.metadata.labels).toEqual({ 'sotto.dev/simulated': 'true' });
  });
});
