import { cloneJson, type KubeObject } from '../../kube/objects/index.ts';
import { fields, isGoing, specOf, statusOf, text, type Simulation } from './simulation.ts';

export const CLAIMS = 'persistentvolumeclaims';
export const VOLUMES = 'persistentvolumes';

/** A claim gets the volume that it names, or a new one, and both are bound. */
export async function reconcileClaim(sim: Simulation, claim: KubeObject): Promise<void> {
  if (isGoing(claim)) return;
  const spec = specOf(claim);
  const named = typeof spec['volumeName'] === 'string' ? spec['volumeName'] : '';
  const name = named === '' ? `pvc-${claim.metadata.uid ?? ''}` : named;
  const volume = sim.get(VOLUMES, '', name);
  const claimRef = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: claim.metadata.namespace,
    name: claim.metadata.name,
    uid: claim.metadata.uid,
  };
  if (volume === undefined && named === '') await provision(sim, claim, name, claimRef);
  // A volume that the claim names has to come from somebody.
  else if (volume === undefined) return sim.writeStatus(CLAIMS, claim, { phase: 'Pending' });
  else if (specOf(volume)['claimRef'] === undefined) {
    await sim.update(VOLUMES, volume, (copy) => void (copy['spec'] = { ...specOf(copy), claimRef }));
  }
  await sim.update(CLAIMS, claim, (copy) => void (copy['spec'] = { ...specOf(copy), volumeName: name }));
  const capacity = fields(fields(spec['resources'])['requests']);
  await sim.writeStatus(CLAIMS, claim, {
    phase: 'Bound',
    accessModes: spec['accessModes'] ?? [],
    ...(capacity['storage'] === undefined ? {} : { capacity: { storage: capacity['storage'] } }),
  });
}

async function provision(sim: Simulation, claim: KubeObject, name: string, claimRef: unknown): Promise<void> {
  const { accessModes, storageClassName, volumeMode, resources } = cloneJson(specOf(claim));
  await sim.create(VOLUMES, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, annotations: { 'pv.kubernetes.io/provisioned-by': 'sotto.dev/simulation' } },
    spec: {
      capacity: { storage: fields(fields(resources)['requests'])['storage'] ?? '1Gi' },
      accessModes,
      ...(storageClassName === undefined ? {} : { storageClassName }),
      ...(volumeMode === undefined ? {} : { volumeMode }),
      persistentVolumeReclaimPolicy: 'Delete',
      hostPath: { path: `/var/lib/volumes/${name}` },
      claimRef,
    },
  });
}

/** Bound while its claim is there; then deleted or released, as its policy says. */
export async function reconcileVolume(sim: Simulation, volume: KubeObject): Promise<void> {
  if (isGoing(volume)) return;
  const claim = fields(specOf(volume)['claimRef']);
  if (claim['name'] === undefined) return sim.writeStatus(VOLUMES, volume, { ...statusOf(volume), phase: 'Available' });
  const found = sim.get(CLAIMS, text(claim['namespace']), text(claim['name']));
  const isThere = found !== undefined && (claim['uid'] === undefined || found.metadata.uid === claim['uid']);
  if (!isThere && claim['uid'] !== undefined && specOf(volume)['persistentVolumeReclaimPolicy'] === 'Delete') {
    return sim.remove(VOLUMES, volume);
  }
  const phase = isThere ? 'Bound' : claim['uid'] === undefined ? 'Available' : 'Released';
  await sim.writeStatus(VOLUMES, volume, { ...statusOf(volume), phase });
}
