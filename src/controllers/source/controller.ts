import { ownChanges, type Controller } from '../../kube/runtime/index.ts';
import { githubApp } from './githubapp.ts';
import { API_VERSION, KIND } from './model.ts';
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
    watches: [{ apiVersion: API_VERSION, kind: KIND, map: ownChanges }],
    reconcile: (request, signal) => reconcile(controls, request, signal),
  };
}
