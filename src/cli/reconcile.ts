import { SottoError } from '../base/errors/index.ts';
import { formatDuration, parseDuration } from '../base/world/index.ts';
import type { Cluster } from '../kube/client/index.ts';
import { findCondition, type KubeObject, type ObjectRef } from '../kube/objects/index.ts';
import { connectCluster, KUBECONFIG_FLAGS } from './connect.ts';
import { exit, type Command, type Face } from './command.ts';
import { usageError, type Arguments } from './flags.ts';
import { LISTINGS } from './resources.ts';
import { REQUESTED_AT } from './up/state.ts';

/** `sotto reconcile`. */
export const reconcile: Command = {
  name: 'reconcile',
  summary: 'Asks a source or Kustomization to run now, and waits for the result.',
  usage: ['sotto reconcile kustomization|source NAME [flags]'],
  examples: [
    { command: 'sotto reconcile ks shop', does: 'Run a Kustomization now' },
    { command: 'sotto reconcile ks shop --with-source', does: 'Fetch its source first' },
    { command: 'sotto reconcile source flux-system', does: 'Fetch only' },
  ],
  flags: [
    { name: 'namespace', short: 'n', value: 'NS', default: 'flux-system', help: 'namespace of the object' },
    { name: 'with-source', help: 'reconcile the source of the Kustomization first' },
    { name: 'timeout', value: 'DURATION', default: '5m', help: 'how long to wait' },
    ...KUBECONFIG_FLAGS,
  ],
  exitCodes: { 1: 'the object is not Ready afterwards' },
  seeAlso: ['sotto get --help'],
  run,
};

async function run(args: Arguments, face: Face): Promise<number> {
  const [what, name] = args.positional;
  const listing = LISTINGS.find((candidate) => candidate.kind !== 'Secret' && candidate.names.includes(what ?? ''));
  if (listing === undefined || name === undefined) throw usageError('expected a kind and a name', 'such as `sotto reconcile ks shop`');
  const cluster = await connectCluster(args, face.world);
  const ref: ObjectRef = { apiVersion: listing.apiVersion, kind: listing.kind, namespace: args.text('namespace') ?? 'flux-system', name };
  const timeoutMs = parseDuration(args.text('timeout') ?? '5m');
  if (args.has('with-source') && listing.kind === 'Kustomization') {
    const source = sourceOf(await cluster.get(ref));
    const done = await request(cluster, source, timeoutMs, face);
    if (findCondition(done, 'Ready')?.status !== 'True') return report(done, face);
  }
  return report(await request(cluster, ref, timeoutMs, face), face);
}

function sourceOf(kustomization: KubeObject): ObjectRef {
  const { sourceRef } = kustomization['spec'] as { sourceRef: { kind: string; name: string; namespace?: string } };
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: sourceRef.kind,
    namespace: sourceRef.namespace ?? kustomization.metadata.namespace ?? '',
    name: sourceRef.name,
  };
}

/** Sets the annotation and waits until the controller has handled this very request. */
async function request(cluster: Cluster, ref: ObjectRef, timeoutMs: number, face: Face): Promise<KubeObject> {
  const { clock } = face.world;
  const asked = new Date(clock.now()).toISOString();
  const before = await cluster.get(ref);
  if ((before['spec'] as { suspend?: boolean } | undefined)?.suspend === true) {
    throw new SottoError('RECONCILE_SUSPENDED', `${ref.kind} ${ref.namespace ?? ''}/${ref.name} is suspended`, {
      hint: 'set spec.suspend to false first',
    });
  }
  const patched = await cluster.patch(
    ref,
    'merge',
    { metadata: { annotations: { [REQUESTED_AT]: asked } } },
    { fieldManager: 'sotto-cli' },
  );
  if (!face.quiet) face.world.stderr.write(`${ref.kind} ${ref.namespace ?? ''}/${ref.name}: asked, waiting\n`);
  const deadline = new AbortController();
  const timer = clock.after(timeoutMs, () => deadline.abort());
  try {
    const stop = AbortSignal.any([deadline.signal, face.signal]);
    for await (const event of cluster.watch(ref, watchOptions(ref, patched, stop))) {
      if (isHandled(event.object, asked)) return event.object;
    }
  } catch (error) {
    if (!deadline.signal.aborted && !face.signal.aborted) throw error;
  } finally {
    timer.cancel();
  }
  throw new SottoError(
    'RECONCILE_TIMEOUT',
    `${ref.kind} ${ref.namespace ?? ''}/${ref.name} was not reconciled within ${formatDuration(timeoutMs)}`,
    {
      hint: 'is its controller running?',
      retry: true,
    },
  );
}

function watchOptions(ref: ObjectRef, from: KubeObject, signal: AbortSignal): Parameters<Cluster['watch']>[1] {
  return {
    namespace: ref.namespace ?? '',
    fieldSelector: `metadata.name=${ref.name}`,
    resourceVersion: from.metadata.resourceVersion ?? '0',
    signal,
  };
}

function isHandled(object: KubeObject, asked: string): boolean {
  const status = object['status'] as { lastHandledReconcileAt?: string } | undefined;
  const ready = findCondition(object, 'Ready');
  return status?.lastHandledReconcileAt === asked && ready !== undefined && ready.status !== 'Unknown';
}

function report(object: KubeObject, face: Face): number {
  const ready = findCondition(object, 'Ready');
  const ok = ready?.status === 'True';
  const state = ok ? 'ready' : 'failed';
  face.world.stdout.write(
    `${face.style.paint(state, `${face.style.glyph(state)} ${object.kind}/${object.metadata.name ?? ''}`.trim())}: ${ready?.message ?? ''}\n`,
  );
  return ok ? exit.ok : exit.findings;
}
