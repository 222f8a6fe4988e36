import { describe, expect, it } from 'vitest';

import { memoryTree } from '../../base/files/index.ts';
import { buildFleet } from './fleet.ts';
import { checkBuild, type Finding } from './check.ts';

async function check(files: Readonly<Record<string, string>>): Promise<Finding[]> {
  const tree = memoryTree(new Map(Object.entries(files)));
  return checkBuild(await buildFleet({ tree, spec: {}, owner: { namespace: 'flux-system', name: 'app' } }));
}

const pod = (spec: string, namespace = ''): string =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: p${namespace === '' ? '' : `, namespace: ${namespace}`}}\nspec: {${spec}}\n`;
const KEY = (kind: string, name: string, key: string, more = ''): string =>
  `containers: [{name: c, env: [{name: E, valueFrom: {${kind}: {name: ${name}, key: ${key}${more}}}}]}]`;
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: hunter2}\n';
const EXTERNAL = `apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata: {name: e}
spec: {target: {name: s}, secretStoreRef: {name: x}, dataFrom: [{extract: {key: all}}]}
`;

describe('KZ-B12: checkBuild', () => {
  it.each<[string, string]>([
    ['a Secret of the build', `${pod(KEY('secretKeyRef', 's', 'k'))}---\n${SECRET}`],
    ['a Secret that an ExternalSecret makes', `${pod(KEY('secretKeyRef', 's', 'any'))}---\n${EXTERNAL}`],
    ['an optional reference', pod(KEY('secretKeyRef', 'none', 'k', ', optional: true'))],
    ['a ConfigMap that every namespace has', pod('volumes: [{name: v, configMap: {name: kube-root-ca.crt}}]')],
  ])('finds nothing in %s', async (_, text) => {
    expect(await check({ 'kustomization.yaml': 'resources: [a.yaml]\n', 'a.yaml': text })).toEqual([]);
  });

  it('finds what nothing makes, by file and field', async () => {
    const found = await check({
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': `${pod('volumes: [{name: v, secret: {secretName: s}}]', 'other')}---\n${SECRET}`,
    });
    expect(found).toMatchObject([{ check: 'dangling-reference', file: 'a.yaml', line: 1 }]);
    expect(found[0]?.message).toMatch(/^Pod 'p' names the Secret 's' at spec.volumes.*, which nothing here makes$/);
  });

  it('finds a key that is not there, and shows no value', async () => {
    const found = await check({
      'kustomization.yaml': 'resources: [a.yaml]\n',
      'a.yaml': `${pod(KEY('secretKeyRef', 's', 'gone'))}---\n${SECRET}`,
    });
    expect(found).toMatchObject([{ check: 'missing-key', message: expect.stringContaining("the key 'gone' of the Secret 's'") as string }]);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });

  it('finds references that no hash reached', async () => {
    const release = `apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: r}
spec: {valuesFrom: [{kind: Secret, name: s}]}
`;
    const found = await check({
      'kustomization.yaml': 'resources: [a.yaml]\nsecretGenerator: [{name: s, literals: [values.yaml=x]}]\n',
      'a.yaml': release,
    });
    expect(found.map(({ message }) => message)).toEqual([expect.stringMatching(/the generated one is called 's-[a-z0-9]{10}'/)]);
  });

  it('KZ-B2: finds patches and replacements that select nothing', async () => {
    const found = await check({
      'kustomization.yaml': `resources: [a.yaml]
patches: [{target: {kind: None}, patch: "- {op: remove, path: /x}"}]
replacements: [{sourceValue: x, targets: [{select: {kind: None}}]}]
`,
      'a.yaml': SECRET,
    });
    expect(found.map((finding) => finding.check)).toEqual(['unmatched-patch', 'unmatched-patch']);
  });
});
