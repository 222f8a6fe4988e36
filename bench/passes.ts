/** Passes over a fleet at rest: how long until every Kustomization has run once more, and what they write. */
import { noLog } from '../src/base/log/index.ts';
import { diskTree } from '../src/base/files/index.ts';
import { systemEntropy, systemWorld, type World } from '../src/base/world/index.ts';
import { fluxControllers } from '../src/cli/flux.ts';
import { createCluster } from '../src/cluster/index.ts';
import { artifactFetch, artifactStorage } from '../src/fetch/artifact/index.ts';
import { memoryGitFetcher } from '../src/fetch/git/index.ts';
import { connect, type ApiRequest, type Cluster } from '../src/kube/client/index.ts';
import { sottoCrds, type KubeObject } from '../src/kube/objects/index.ts';
import { runControllers } from '../src/kube/runtime/index.ts';
import type { TestRepository } from '../test/fleets/repository.ts';

export const KUSTOMIZATION = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };

const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
