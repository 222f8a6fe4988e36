import { describe, expect, it } from 'vitest';

import { deepFreeze, type KubeObject } from '../objects/index.ts';
import { normaliseObject } from './normalise.ts';

const object = (apiVersion: string, kind: string, rest: object): KubeObject =>
  deepFreeze({ apiVersion, kind, metadata: { name: 'a' }, ...rest });

describe('normalisation', () => {
  it('flux/SSA-06: stringData goes into data, and wins', () => {
    const stringData = JSON.parse('{ "a": "new", "__proto__": "x" }') as object;
    const { data, ...rest } = normaliseObject(object('v1', 'Secret', { data: { a: 'b2xk', b: 'a2VwdA==' }, stringData }));
    expect(rest).not.toHaveProperty('stringData');
    expect(Object.entries(data as object)).toEqual([
      ['a', 'bmV3'],
      ['b', 'a2VwdA=='],
      ['__proto__', 'eA=='],
    ]);
  });

  it('flux/SSA-06: ports of containers and services are TCP when they say nothing, those of init containers stay', () => {
    const pod = {
      containers: [{ name: 'c', ports: [{ containerPort: 1 }, { containerPort: 2, protocol: 'UDP' }] }],
      initContainers: [{ name: 'i', ports: [{ containerPort: 3 }] }],
    };
    const deployment = normaliseObject(object('apps/v1', 'Deployment', { spec: { template: { spec: pod } } }));
    expect(deployment['spec']).toEqual({
      template: {
        spec: {
          containers: [
            {
              name: 'c',
              ports: [
                { containerPort: 1, protocol: 'TCP' },
                { containerPort: 2, protocol: 'UDP' },
              ],
            },
          ],
          initContainers: [{ name: 'i', ports: [{ containerPort: 3 }] }],
        },
      },
    });
    expect(normaliseObject(object('v1', 'Service', { spec: { ports: [{ port: 80 }] } }))['spec']).toEqual({
      ports: [{ port: 80, protocol: 'TCP' }],
    });
    expect(normaliseObject(object('serving.dev/v1', 'Service', { spec: { ports: [{ port: 80 }] } }))['spec']).toEqual({
      ports: [{ port: 80 }],
    });
  });

  it('flux/SSA-06: status and a null creation time go, but a definition keeps its status', () => {
    const plain = normaliseObject({
      ...object('apps/v1', 'Deployment', { status: { replicas: 1 } }),
      metadata: { name: 'a', creationTimestamp: null },
    });
    expect(plain).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } });
    expect(normaliseObject(object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: { x: 1 } }))).toHaveProperty('status');
  });

  it('flux/SSA-06: a conversion bundle that is no certificate goes', () => {
    const withBundle = (caBundle: string): KubeObject =>
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        spec: { conversion: { webhook: { clientConfig: { caBundle, service: {} } } } },
      });
    const bundleOf = (o: KubeObject): unknown =>
      (normaliseObject(o)['spec'] as { conversion: { webhook: { clientConfig: object } } }).conversion.webhook.clientConfig;
    expect(bundleOf(withBundle('Cg=='))).toEqual({ service: {} });
    const real = Buffer.from('-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n').toString('base64');
    expect(bundleOf(withBundle(real))).toEqual({ caBundle: real, service: {} });
  });

  it('flux/SSA-06: roles are passed through', () => {
    const role = object('rbac.authorization.k8s.io/v1', 'Role', { rules: [], status: {} });
    expect(normaliseObject(role)).toEqual(role);
  });
});
