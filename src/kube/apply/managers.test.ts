import { describe, expect, it } from 'vitest';

import type { KubeObject, ManagedFieldsEntry, ObjectMeta } from '../objects/index.ts';
import { takeoverPatch } from './managers.ts';

const OWN = { fieldManager: 'kustomize-controller', group: 'kustomize.toolkit.fluxcd.io' };

function entry(manager: string, operation: 'Apply' | 'Update', fields: readonly string[], subresource?: string): ManagedFieldsEntry {
  const fieldsV1 = { 'f:data': Object.fromEntries(fields.map((field) => [`f:${field}`, {}])) };
  return { manager, operation, apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, ...(subresource === undefined ? {} : { subresource }) };
}

const live = (metadata: ObjectMeta): KubeObject => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', ...metadata } });
const desired = live({});

/** `manager operation field,field` for each entry of the patch. */
function folded(entries: ManagedFieldsEntry[], overridden: string[] = []): string[] | undefined {
  const patch = takeoverPatch(desired, live({ managedFields: entries }), OWN, overridden);
  const value = patch.find((operation) => operation.path === '/metadata/managedFields')?.value as ManagedFieldsEntry[] | undefined;
  return value?.map(
    (e) =>
      `${e.manager} ${e.operation} ${Object.keys(e.fieldsV1['f:data'] as object)
        .map((key) => key.slice(2))
        .join(',')}`,
  );
}

describe('taking over other managers', () => {
  it('flux/SSA-07: nothing is patched when nobody else wrote', () => {
    expect(
      folded([entry('kustomize-controller', 'Apply', ['a']), entry('other', 'Apply', ['b']), entry('helm', 'Update', ['c'])]),
    ).toBeUndefined();
  });

  it('flux/SSA-07: kubectl, before-first-apply and our own updates are merged into our apply entry', () => {
    expect(
      folded([
        entry('kubectl-client-side-apply', 'Update', ['b']),
        entry('kustomize-controller', 'Apply', ['a']),
        entry('kubectl', 'Apply', ['c']),
        entry('before-first-apply', 'Update', ['d']),
        entry('kustomize-controller', 'Update', ['e']),
        entry('other', 'Update', ['f']),
      ]),
    ).toEqual(['other Update f', 'kustomize-controller Apply a,b,c,d,e']);
  });

  it('flux/SSA-07: without an entry of ours the first match is renamed', () => {
    expect(folded([entry('kubectl-edit', 'Update', ['a']), entry('kubectl', 'Apply', ['b'])])).toEqual(['kustomize-controller Apply a,b']);
  });

  it('flux/SSA-07: subresource entries stay, overridden managers go by prefix', () => {
    expect(folded([entry('kubectl', 'Update', ['a'], 'status')])).toBeUndefined();
    expect(folded([entry('argocd-controller', 'Apply', ['a'])])).toBeUndefined();
    expect(folded([entry('argocd-controller', 'Apply', ['a'])], ['argocd'])).toEqual(['kustomize-controller Apply a']);
  });

  it('flux/SSA-07: legacy annotations and labels are removed, in one patch that insists on the version it was made from', () => {
    const object = live({
      resourceVersion: '7',
      annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}', 'kustomize.toolkit.fluxcd.io/checksum': 'x', keep: 'y' },
      labels: { 'fluxcd.io/sync-gc-mark': 'z' },
    });
    expect(takeoverPatch(desired, object, OWN)).toEqual([
      { op: 'test', path: '/metadata/resourceVersion', value: '7' },
      { op: 'remove', path: '/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration' },
      { op: 'remove', path: '/metadata/annotations/kustomize.toolkit.fluxcd.io~1checksum' },
      { op: 'remove', path: '/metadata/labels/fluxcd.io~1sync-gc-mark' },
    ]);
  });

  it('flux/SSA-08: objects that are merged keep their managers', () => {
    const object = live({ managedFields: [entry('kubectl', 'Apply', ['a'])] });
    const merged = live({ annotations: { 'kustomize.toolkit.fluxcd.io/ssa': 'merge' } });
    expect(takeoverPatch(merged, object, OWN)).toEqual([]);
  });
});
