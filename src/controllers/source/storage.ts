import { messageOf } from '../../base/errors/index.ts';
import { announce, ownerOf, type Pass, trace } from './pass.ts';
import { markProgress } from './conditions.ts';

/** Longest time that clearing old archives may take. */
const GARBAGE_LIMIT_MS = 5000;

/**
 * Clears old archives, then makes sure that the advertised one is still there and unchanged; else it goes from the
 * status and is built again (flux/SRC-06, SRC-07). Rewrites its URL when the advertised address changed.
 */
export async function checkStorage(pass: Pass): Promise<void> {
  const { draft, controls } = pass;
  await collectGarbage(pass);
  const { artifact } = draft.current;
  const state = artifact === undefined ? 'none' : isOwn(pass, artifact.path) ? await controls.storage.verify(artifact) : 'missing';
  if (artifact !== undefined && state === 'mismatch') {
    const message = `failed to verify integrity of artifact: computed digest doesn't match '${artifact.digest}'`;
    await announce(pass, 'error', 'ArtifactVerificationFailed', message);
    await controls.storage.remove(artifact);
  }
  if (artifact !== undefined && state === 'intact') {
    draft.set({ artifact: { ...artifact, url: controls.storage.urlOf(artifact.path) } });
    return;
  }
  draft.set({ artifact: undefined });
  draft.unmark('ArtifactInStorage');
  markProgress(draft, state === 'none' ? 'building artifact' : 'building artifact: disappeared from storage', true);
  await draft.write();
}

/** A status that was edited by hand must not make us touch another object's archives. */
function isOwn(pass: Pass, path: string): boolean {
  const { kind, namespace, name } = ownerOf(pass);
  const [file = '', ...more] = path.slice(`${kind.toLowerCase()}/${namespace}/${name}/`.length).split('/');
  return path === `${kind.toLowerCase()}/${namespace}/${name}/${file}` && file !== '' && file !== '..' && more.length === 0;
}

async function collectGarbage(pass: Pass): Promise<void> {
  const { storage, world } = pass.controls;
  try {
    const limit = new Promise<never>((_, reject) => world.clock.after(GARBAGE_LIMIT_MS, () => reject(new Error('it takes too long'))));
    const removed = await Promise.race([storage.collectGarbage(ownerOf(pass), pass.draft.current.artifact), limit]);
    if (removed.length > 0) trace(pass, 'GarbageCollectionSucceeded', `garbage collected ${removed.length} artifacts`);
  } catch (error) {
    // Old archives only take space; the next run tries again.
    pass.log.info('failed to garbage collect artifacts', { error: messageOf(error) });
  }
}
