import type { World } from '../../src/base/world/index.ts';
import type { EmbeddedCluster } from '../../src/cluster/server/index.ts';
import type { KubeObject } from '../../src/kube/objects/index.ts';
import { difference, objectKey, wantedKeys, type Expectation } from './oracle.ts';

/** A broken promise: which, and what shows it. */
export interface Violation {
  readonly invariant: 'converges' | 'no-orphan' | 'no-wrong-prune' | 'no-needless-write';
  readonly what: string;
  /** Virtual seconds since the start. */
  readonly second: number;
}

export interface Invariants {
  readonly violations: readonly Violation[];
  /** A commit was pushed. */
  committed(expectation: Expectation): void;
  /** Now the cluster must be what the last commit says. */
  checkConverged(expectation: Expectation): void;
  /** A write was asked for while nothing changed. */
  quietWrite(what: string): void;
}

const OWNER = 'kustomize.toolkit.fluxcd.io/name';
/** Kinds that controllers write in passing. */
const NOISE = new Set(['Event', 'Lease']);

/** Follows every write of the store and checks the promises that a GitOps user relies on. */
export function watchInvariants(api: EmbeddedCluster, world: World): Invariants {
  const violations: Violation[] = [];
  const start = world.clock.now();
  const report = (invariant: Violation['invariant'], what: string): void => {
    violations.push({ invariant, what, second: Math.round((world.clock.now() - start) / 1000) });
  };
  /** Keys that every commit since the object's creation has wanted: nothing may prune these. */
  const wantedByAll = new Map<string, true>();
  let latest: { expectation: Expectation; keys: Set<string> } | undefined;

  api.store.subscribe(undefined, (event) => {
    if (NOISE.has(event.object.kind)) return;
    const key = objectKey(event.object);
    const owned = event.object.metadata.labels?.[OWNER] !== undefined;
    if (event.type === 'ADDED' && owned && latest?.keys.has(key) === true) wantedByAll.set(key, true);
    if (event.type === 'DELETED' && owned && wantedByAll.has(key)) report('no-wrong-prune', key);
  });

  return {
    violations,
    committed: (expectation) => {
      const keys = wantedKeys(expectation, latest?.expectation);
      for (const key of wantedByAll.keys()) if (!keys.has(key)) wantedByAll.delete(key);
      latest = { expectation: keep(expectation, latest?.expectation), keys };
    },
    checkConverged: (expectation) => {
      for (const problem of differences(api, expectation)) report(problem.invariant, problem.what);
    },
    quietWrite: (what) => report('no-needless-write', what),
  };
}

/** A broken build keeps what its Kustomization had. */
function keep(next: Expectation, before: Expectation | undefined): Expectation {
  return { apps: new Map([...next.apps].map(([name, objects]) => [name, objects ?? before?.apps.get(name)])) };
}

function differences(api: EmbeddedCluster, expectation: Expectation): Pick<Violation, 'invariant' | 'what'>[] {
  const live = new Map<string, KubeObject>();
  for (const resource of api.store.resources()) for (const object of api.store.list(resource)) live.set(objectKey(object), object);
  const problems: Pick<Violation, 'invariant' | 'what'>[] = [];
  const wanted = new Set<string>();
  for (const objects of expectation.apps.values()) {
    for (const [key, built] of objects ?? []) {
      wanted.add(key);
      const found = live.get(key);
      const why = found === undefined ? 'missing' : difference(built, found);
      if (why !== undefined) problems.push({ invariant: 'converges', what: `${key}: ${why}` });
    }
  }
  for (const [key, object] of live) {
    if (object.metadata.labels?.[OWNER] !== undefined && !wanted.has(key)) problems.push({ invariant: 'no-orphan', what: key });
  }
  return problems;
}
