import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { readDefinitions, renderModule, TARGET } from '../scripts/generate-crds.ts';
import { sottoCrds, type GitRepository, type JsonObject, type Kustomization } from '../src/kube/objects/index.ts';
import { compileRegExp } from '../src/text/regexp/index.ts';

/** The parts of a CustomResourceDefinition that these tests read. */
interface Crd {
  metadata: { name: string; annotations: Record<string, string> };
  spec: {
    group: string;
    scope: string;
    names: { kind: string; listKind: string; plural: string; singular: string; categories: string[]; shortNames?: string[] };
    versions: {
      name: string;
      served: boolean;
      storage: boolean;
      subresources?: object;
      additionalPrinterColumns: { name: string; type: string; jsonPath: string }[];
      schema: { openAPIV3Schema: Node };
    }[];
  };
}

interface Node {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: string[];
  pattern?: string;
  required?: string[];
  properties?: Record<string, Node>;
  items?: Node;
  additionalProperties?: Node;
  'x-kubernetes-validations'?: { rule: string; message: string }[];
}

const crds = sottoCrds() as unknown as Crd[];
const crdOf = (kind: string): Crd => crds.find((crd) => crd.spec.names.kind === kind) ?? expect.fail(`no CRD of ${kind}`);
const versionOf = (kind: string) => crdOf(kind).spec.versions[0] ?? expect.fail('no version');
const specOf = (kind: string): Node => versionOf(kind).schema.openAPIV3Schema.properties?.['spec'] ?? {};

/** The node at a path like `verify.provider` or `include[].repository`. */
function at(kind: string, path: string): Node {
  const steps = path.replaceAll('[]', '.[]').split('.');
  return steps.reduce<Node>(
    (node, step) => (step === '[]' ? node.items : node.properties?.[step]) ?? expect.fail(`no ${path}`),
    specOf(kind),
  );
}

function* nodesOf(node: Node, path: string): Generator<[path: string, node: Node]> {
  yield [path, node];
  for (const [name, child] of Object.entries(node.properties ?? {})) yield* nodesOf(child, `${path}.${name}`);
  if (node.items !== undefined) yield* nodesOf(node.items, `${path}[]`);
  if (node.additionalProperties !== undefined) yield* nodesOf(node.additionalProperties, `${path}{}`);
}

describe('the generated module', () => {
  it('SRC-01: is what deploy/crds says (else run npm run generate)', () => {
    expect(readFileSync(TARGET, 'utf8')).toBe(renderModule(readDefinitions()));
  });

  it('SRC-01: embeds the definitions unchanged, frozen, parsed once', () => {
    expect(sottoCrds()).toEqual(readDefinitions());
    expect(sottoCrds()).toBe(sottoCrds());
    expect(Object.isFrozen(crds[0]?.spec.names)).toBe(true);
  });

  it('gives types that objects can be written with', () => {
    const repository: GitRepository = {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'GitRepository',
      metadata: { name: 'fleet', namespace: 'flux-system' },
      spec: { url: 'https://example.com/fleet.git', interval: '1m', ref: { branch: 'main' } },
    };
    const prune = (kustomization: Kustomization): boolean => kustomization.spec.prune;
    // @ts-expect-error `sops` is the only provider
    const provider: NonNullable<Kustomization['spec']['decryption']>['provider'] = 'age';
    expect([repository.spec.interval, prune.length, provider]).toEqual(['1m', 1, 'age']);
  });
});

describe('SRC-01: names', () => {
  const names: [kind: string, name: string, version: string, shortNames: string[] | undefined, category: string][] = [
    ['GitRepository', 'gitrepositories.source.toolkit.fluxcd.io', 'v1', ['gitrepo'], 'fluxcd-sources'],
    ['OCIRepository', 'ocirepositories.source.toolkit.fluxcd.io', 'v1', ['ocirepo'], 'fluxcd-sources'],
    ['Bucket', 'buckets.source.toolkit.fluxcd.io', 'v1', undefined, 'fluxcd-sources'],
    ['ExternalArtifact', 'externalartifacts.source.toolkit.fluxcd.io', 'v1', ['ea'], 'fluxcd-sources'],
    ['Kustomization', 'kustomizations.kustomize.toolkit.fluxcd.io', 'v1', ['ks'], 'fluxcd-appliers'],
    ['Receiver', 'receivers.notification.toolkit.fluxcd.io', 'v1', undefined, 'fluxcd-notifications'],
    ['Alert', 'alerts.notification.toolkit.fluxcd.io', 'v1beta3', undefined, 'fluxcd-notifications'],
    ['Provider', 'providers.notification.toolkit.fluxcd.io', 'v1beta3', undefined, 'fluxcd-notifications'],
  ];
  it.each(names)('SRC-01: %s is %s %s', (kind, name, version, shortNames, category) => {
    const { metadata, spec } = crdOf(kind);
    expect(metadata).toEqual({ name, annotations: { 'kustomize.toolkit.fluxcd.io/substitute': 'disabled' } });
    expect(spec.scope).toBe('Namespaced');
    expect(spec.names.shortNames).toEqual(shortNames);
    expect(spec.names.categories).toEqual(['all', 'fluxcd', category]);
    expect(spec.names).toMatchObject({ listKind: `${kind}List`, singular: kind.toLowerCase() });
    expect(spec.versions).toHaveLength(1);
    expect(spec.versions[0]).toMatchObject({ name: version, served: true, storage: true });
  });

  it('SRC-01: there are no other definitions', () => {
    expect(crds.map((crd) => crd.spec.names.kind).toSorted()).toEqual(names.map(([kind]) => kind).toSorted());
  });
});

describe('SRC-01: status and columns', () => {
  const table: [kind: string, columns: string[], status: unknown][] = [
    ['GitRepository', ['URL', 'Age', 'Ready', 'Status'], { observedGeneration: -1 }],
    ['OCIRepository', ['URL', 'Ready', 'Status', 'Age'], { observedGeneration: -1 }],
    ['Bucket', ['Endpoint', 'Age', 'Ready', 'Status'], { observedGeneration: -1 }],
    ['ExternalArtifact', ['Age', 'Ready', 'Status', 'Source'], undefined],
    ['Kustomization', ['Age', 'Ready', 'Status'], { observedGeneration: -1 }],
    ['Receiver', ['Age', 'Ready', 'Status'], { observedGeneration: -1 }],
  ];
  it.each(table)('SRC-01: %s', (kind, columns, status) => {
    const version = versionOf(kind);
    expect(version.additionalPrinterColumns.map(({ name }) => name)).toEqual(columns);
    expect(version.additionalPrinterColumns.find(({ name }) => name === 'Age')).toMatchObject({ type: 'date' });
    expect(version.subresources).toEqual({ status: {} });
    expect(version.schema.openAPIV3Schema.properties?.['status']?.default).toEqual(status);
  });

  it.each(['Alert', 'Provider'])('SRC-01: %s has no status at all', (kind) => {
    const version = versionOf(kind);
    expect(version.additionalPrinterColumns.map(({ name }) => name)).toEqual(['Age']);
    expect(version.subresources).toBeUndefined();
    expect(Object.keys(version.schema.openAPIV3Schema.properties ?? {})).toEqual(['apiVersion', 'kind', 'metadata', 'spec']);
  });
});

describe('SRC-01: fields', () => {
  const required: [kind: string, path: string, fields: string[]][] = [
    ['GitRepository', 'include[]', ['repository']],
    ['OCIRepository', 'verify', ['provider']],
    ['OCIRepository', 'verify.matchOIDCIdentity[]', ['issuer', 'subject']],
    ['Bucket', 'sts', ['endpoint', 'provider']],
    ['ExternalArtifact', 'sourceRef', ['kind', 'name']],
    ['Kustomization', 'sourceRef', ['kind', 'name']],
    ['Kustomization', 'healthCheckExprs[]', ['apiVersion', 'current']],
    ['Kustomization', 'postBuild.substituteFrom[]', ['kind', 'name']],
    ['Kustomization', 'patches[]', ['patch']],
    ['Kustomization', 'decryption', ['provider']],
    ['Receiver', 'oidcProviders[]', ['issuerURL', 'validations']],
    ['Alert', 'providerRef', ['name']],
  ];
  it.each(required)('SRC-01: %s %s requires %j', (kind, path, fields) => {
    expect(at(kind, path).required?.toSorted()).toEqual(fields);
  });

  const specs: [kind: string, fields: string[]][] = [
    ['GitRepository', ['interval', 'url']],
    ['OCIRepository', ['interval', 'url']],
    ['Bucket', ['bucketName', 'endpoint', 'interval']],
    ['Kustomization', ['interval', 'prune', 'sourceRef']],
    ['Receiver', ['resources', 'type']],
    ['Alert', ['eventSources', 'providerRef']],
    ['Provider', ['type']],
  ];
  it.each(specs)('SRC-01: the spec of %s requires %j, but is itself optional', (kind, fields) => {
    expect(specOf(kind).required?.toSorted()).toEqual(fields);
    expect(versionOf(kind).schema.openAPIV3Schema.required).toBeUndefined();
  });

  const defaults: [kind: string, path: string, value: unknown][] = [
    ['GitRepository', 'timeout', '60s'],
    ['GitRepository', 'verify.mode', 'HEAD'],
    ['GitRepository', 'provider', undefined],
    ['OCIRepository', 'provider', 'generic'],
    ['OCIRepository', 'verify.provider', 'cosign'],
    ['OCIRepository', 'layerSelector.operation', undefined],
    ['Bucket', 'provider', 'generic'],
    ['Kustomization', 'force', false],
    ['Kustomization', 'deletionPolicy', undefined],
    ['Kustomization', 'postBuild.substituteFrom[].optional', false],
    ['Receiver', 'interval', '10m'],
    ['Alert', 'eventSeverity', 'info'],
  ];
  it.each(defaults)('SRC-01: %s %s has the default %j', (kind, path, value) => {
    expect(at(kind, path).default).toEqual(value);
  });

  const patterns: [kind: string, path: string, good: string, bad: string][] = [
    ['GitRepository', 'interval', '1h30m', '1d'],
    ['GitRepository', 'timeout', '1m0.5s', '1h'],
    ['GitRepository', 'url', 'ssh://git@example.com/a', 'git@example.com:a'],
    ['OCIRepository', 'url', 'oci://ghcr.io/a', 'https://ghcr.io/a'],
    ['Bucket', 'sts.endpoint', 'https://sts', 'sts'],
    ['Kustomization', 'timeout', '1h', '-1h'],
    ['Provider', 'timeout', '15s', '1h'],
    ['Provider', 'proxy', 'http://proxy', 'socks5://proxy'],
    ['Receiver', 'oidcProviders[].issuerURL', 'https://issuer', 'issuer'],
  ];
  it.each(patterns)('SRC-01: %s %s takes %s, not %s', (kind, path, good, bad) => {
    const pattern = compileRegExp(at(kind, path).pattern ?? '');
    expect([pattern.test(good), pattern.test(bad)]).toEqual([true, false]);
  });

  it('SRC-01: rules count as in upstream, each with a message', () => {
    const rules = (node: Node) => node['x-kubernetes-validations'] ?? [];
    const counts = crds.map(({ spec }) => [spec.names.kind, rules(specOf(spec.names.kind)).length]);
    expect(Object.fromEntries(counts)).toEqual({
      GitRepository: 1,
      OCIRepository: 0,
      Bucket: 7,
      ExternalArtifact: 0,
      Kustomization: 0,
      Receiver: 4,
      Alert: 0,
      Provider: 1,
    });
    expect(rules(at('Kustomization', 'kubeConfig'))).toHaveLength(2);
  });

  it('SRC-01: every node has a type, and every field a description', () => {
    for (const { spec } of crds) {
      for (const [path, node] of nodesOf(versionOf(spec.names.kind).schema.openAPIV3Schema, spec.names.kind)) {
        expect(node.type, path).toBeDefined();
        const isField = !path.endsWith('[]') && !path.endsWith('{}') && !path.endsWith('.metadata');
        if (isField) expect(node.description, path).toBeDefined();
        for (const name of node.required ?? []) expect(node.properties, path).toHaveProperty([name]);
      }
    }
  });

  it('SRC-01: no node keeps unknown fields', () => {
    expect(JSON.stringify(sottoCrds() as unknown as JsonObject[])).not.toContain('preserve-unknown-fields');
  });
});
