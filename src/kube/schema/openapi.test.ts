import { describe, expect, it } from 'vitest';

import type { Json, JsonObject } from '../objects/index.ts';
import { builtinResources, compileCrdSchema, openApiDocument, schemaOf, type Schema } from './index.ts';

function documentOf(groupVersion: string): JsonObject {
  const resources = builtinResources().filter(({ group, version }) => (group === '' ? version : `${group}/${version}`) === groupVersion);
  return openApiDocument(
    groupVersion,
    resources,
    new Map(resources.flatMap((resource): [string, Schema][] => [[resource.kind, schemaOf(resource) ?? {}]])),
  );
}

function at(value: Json | undefined, ...path: string[]): Json | undefined {
  let found = value;
  for (const key of path) found = (found as JsonObject | undefined)?.[key];
  return found;
}

const GROUP_VERSIONS = [...new Set(builtinResources().map(({ group, version }) => (group === '' ? version : `${group}/${version}`)))];

describe('openApiDocument', () => {
  it.each(GROUP_VERSIONS)('OAPI-02: every reference of %s leads somewhere', (groupVersion) => {
    const document = documentOf(groupVersion);
    const names = new Set(Object.keys(at(document, 'components', 'schemas') as JsonObject));
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((name) => !names.has(name))).toEqual([]);
  });

  it('OAPI-02, OAPI-03: a patch operation has kind, fieldValidation and the media types', () => {
    const patch = at(documentOf('apps/v1'), 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'patch');
    expect(at(patch, 'x-kubernetes-group-version-kind')).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' });
    expect((at(patch, 'parameters') as JsonObject[]).map(({ name }) => name)).toContain('fieldValidation');
    expect(Object.keys(at(patch, 'requestBody', 'content') as JsonObject).toSorted()).toEqual([
      'application/apply-patch+yaml',
      'application/json-patch+json',
      'application/merge-patch+json',
      'application/strategic-merge-patch+json',
    ]);
  });

  it('OAPI-02: cluster-scoped kinds and the core group have their paths', () => {
    expect(Object.keys(at(documentOf('v1'), 'paths') as JsonObject)).toEqual(
      expect.arrayContaining(['/api/v1/namespaces', '/api/v1/namespaces/{name}', '/api/v1/namespaces/{namespace}/secrets/{name}']),
    );
  });

  it('OAPI-05: schemas carry the extensions of built-in kinds', () => {
    const schemas = at(documentOf('apps/v1'), 'components', 'schemas');
    expect(at(schemas, 'io.k8s.api.apps.v1.Deployment', 'x-kubernetes-group-version-kind')).toEqual([
      { group: 'apps', version: 'v1', kind: 'Deployment' },
    ]);
    expect(at(schemas, 'io.k8s.api.core.v1.PodSpec', 'properties', 'containers')).toMatchObject({
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    });
    expect(at(schemas, 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector', 'x-kubernetes-map-type')).toBe('atomic');
    expect(at(schemas, 'io.k8s.api.core.v1.Container', 'required')).toEqual(['name']);
  });

  it('OAPI-03, OAPI-05: custom kinds offer no strategic patch and carry their own extensions', () => {
    const { schema } = compileCrdSchema({
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          description: 'what is wanted',
          properties: {
            any: { 'x-kubernetes-preserve-unknown-fields': true },
            port: { 'x-kubernetes-int-or-string': true },
            items: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
          },
          'x-kubernetes-validations': [{ rule: 'true' }],
        },
      },
    });
    const resource = {
      group: 'example.org',
      version: 'v1',
      kind: 'Thing',
      plural: 'things',
      namespaced: true,
      verbs: ['get', 'patch'],
      subresources: ['status'],
    };
    const document = openApiDocument('example.org/v1', [resource], new Map([['Thing', schema]]));
    const content = at(document, 'paths', '/apis/example.org/v1/namespaces/{namespace}/things/{name}', 'patch', 'requestBody', 'content');
    expect(Object.keys(content as JsonObject)).not.toContain('application/strategic-merge-patch+json');
    expect(Object.keys(at(document, 'paths') as JsonObject)).toContain('/apis/example.org/v1/namespaces/{namespace}/things/{name}/status');
    expect(at(document, 'components', 'schemas', 'org.example.v1.Thing', 'properties', 'spec')).toEqual({
      type: 'object',
      description: 'what is wanted',
      properties: {
        any: { 'x-kubernetes-preserve-unknown-fields': true },
        port: { 'x-kubernetes-int-or-string': true },
        items: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
      },
      'x-kubernetes-validations': [{ rule: 'true' }],
    });
    expect(at(document, 'components', 'schemas', 'org.example.v1.Thing', 'properties', 'metadata')).toEqual({
      $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
    });
  });

  it('two documents of the same group version are equal', () => {
    expect(documentOf('v1')).toEqual(documentOf('v1'));
  });
});
