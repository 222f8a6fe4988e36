import type { Controller, Request, WatchMapping } from '../../kube/runtime/index.ts';
import { githubApp } from './githubapp.ts';
import { API_VERSION, KIND, requestedAt } from './model.ts';
import { DEFAULT_FLAGS, type GitRepositoryControllerOptions } from './options.ts';
import type { Controls } from './pass.ts';
import { reconcile } from './reconcile.ts';

/**
 * The controller of GitRepository objects: fetches them, keeps their archives in `storage`, and writes status and
 * events as Flux's source-controller does.
 */
export function gitRepositoryController(options: GitRepositoryControllerOptions): Controller {
  const controls: Controls = { ...options, flags: { ...DEFAULT_FLAGS, ...options.flags }, githubApp: githubApp(options.world) };
  return {
    name: 'gitrepository',
    concurrency: controls.flags.concurrent,
    watches: [{ apiVersion: API_VERSION, kind: KIND, map: (event) => (isRelevant(event) ? [requestOf(event)] : []) }],
    reconcile: (request, signal) => reconcile(controls, request, signal),
  };
}

function requestOf({ object }: WatchMapping): Request {
  return { namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' };
}

/** A new spec, a deletion or a request; not what this controller itself writes into the status. */
function isRelevant({ type, object, old }: WatchMapping): boolean {
  if (type !== 'MODIFIED' || old === undefined) return type !== 'BOOKMARK';
  return (
    object.metadata.generation !== old.metadata.generation ||
    object.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    requestedAt(object) !== requestedAt(old)
  );
}
