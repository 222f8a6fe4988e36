import { formatDuration } from '../../base/world/index.ts';
import { usuallyProvidedBy } from '../../kube/references/index.ts';
import { exit, type Command, type Face } from '../command.ts';
import { renderError } from '../errors.ts';
import { usageError, type Arguments } from '../flags.ts';
import { startProgress, type Item, type Progress } from '../progress.ts';
import { notReadyError } from './causes.ts';
import { wipeDataDirectory } from './datadir.ts';
import { isDone, isStill } from './follow.ts';
import { UP_FLAGS, dataDirOf, upOptions, type UpOptions } from './options.ts';
import { startSession, type Session } from './session.ts';
import { settle } from './settle.ts';
import type { MissingKind } from './simulated.ts';
import { shortRevision, type Standing } from './state.ts';
import { printSummary } from './summary.ts';
import { unattendedKinds } from './unattended.ts';

/** `sotto up`. */
export const up: Command = {
  name: 'up',
  summary: 'Brings a Git repository up on the embedded Kubernetes API, and follows it.',
  usage: ['sotto up [--source DIR|URL] [--path PATH] [--age-key-file F] [flags]'],
  description:
    'Starts the embedded API, installs the custom resources of Flux, makes the first GitRepository and Kustomization (both called flux-system) and runs the controllers in this process. kubectl works against the kubeconfig in the data folder. New commits are applied at once.',
  examples: [
    { command: 'sotto up --once --age-key-file age.key', does: 'Bring this checkout up, print a summary, exit' },
    { command: 'sotto up --source ~/fleet --path ./clusters/prod', does: 'Another checkout and path; follow it until Ctrl-C' },
    { command: 'sotto up --working-tree --data-dir :memory:', does: 'Try uncommitted changes, keep nothing' },
  ],
  flags: UP_FLAGS,
  exitCodes: { 1: 'not everything is Ready' },
  seeAlso: ['sotto cluster --help', 'sotto get --help', 'docs/up.md'],
  run,
};

async function run(args: Arguments, face: Face): Promise<number> {
  if (args.has('delete')) return wipe(args, face);
  const options = upOptions(args, face.world);
  const progress = startProgress(face.world, face.style, face.quiet, options.progress);
  const began = face.world.clock.monotonic();
  let session: Session | undefined;
  try {
    session = await startSession(options, face);
    progress.line(`cluster  ready at ${session.embedded.url}  ${seconds(face, began)}`);
    progress.line(`kubeconfig  ${session.embedded.kubeconfigPath}`);
    return await (options.once ? once(session, options, face, progress) : stay(session, options, face, progress));
  } finally {
    progress.end();
    await session?.close();
  }
}

async function wipe(args: Arguments, face: Face): Promise<number> {
  const path = dataDirOf(args, face.world);
  if (path === undefined) throw usageError('--delete needs a data folder, not :memory:');
  const existed = await wipeDataDirectory(path);
  face.world.stderr.write(existed ? `removed ${path}\n` : `nothing to remove at ${path}\n`);
  return exit.ok;
}

/** Follows the fleet while `work` runs: shows progress and measures how long each object took. */
function observer(
  session: Session,
  face: Face,
  progress: Progress,
): { onChange: () => void; times: Map<string, number>; simulated: MissingKind[] } {
  const since = new Map<string, number>();
  const times = new Map<string, number>();
  const revisions = new Map<string, string>();
  const onChange = (): void => {
    const now = face.world.clock.monotonic();
    const standings = session.fleet.standings();
    for (const { key, state, kind, name, revision } of standings) {
      if (!since.has(key)) since.set(key, now);
      if (state === 'ready' && !times.has(key)) times.set(key, now - (since.get(key) ?? now));
      if (kind === 'GitRepository' && revision !== '' && revisions.get(key) !== revision) {
        revisions.set(key, revision);
        progress.line(`source   ${name}  ${shortRevision(revision)}`);
      }
    }
    progress.show(standings.map(itemOf));
  };
  return { onChange, times, simulated: [] };
}

function itemOf(standing: Standing): Item {
  const text = standing.state === 'ready' ? 'ready' : `${standing.word.toLowerCase()}: ${standing.why.split('\n')[0] ?? ''}`;
  const name = `${standing.kind === 'Kustomization' ? '' : 'source '}${standing.namespace}/${standing.name}`;
  return { name, state: standing.state, text };
}

async function once(session: Session, options: UpOptions, face: Face, progress: Progress): Promise<number> {
  const watch = observer(session, face, progress);
  const deadline = new AbortController();
  const timer = face.world.clock.after(options.timeoutMs, () => deadline.abort());
  const signal = AbortSignal.any([face.signal, deadline.signal]);
  const outcome = await settle({
    ...session,
    world: face.world,
    signal,
    simulate: options.simulate,
    onChange: watch.onChange,
    onSimulated: note(watch.simulated, progress),
  });
  timer.cancel();
  progress.end();
  if (face.signal.aborted) return INTERRUPTED;
  await summarise(session, watch, options, face);
  if (outcome === 'ready') return exit.ok;
  face.world.stderr.write(renderError(notReadyError(session.fleet.standings(), deadline.signal.aborted), face.style));
  return exit.findings;
}

/** Exit status of a command that Ctrl-C ended before it was done. */
const INTERRUPTED = 130;

/** Follows until Ctrl-C; prints the summary each time the fleet comes to rest. */
async function stay(session: Session, options: UpOptions, face: Face, progress: Progress): Promise<number> {
  const watch = observer(session, face, progress);
  let reported = '';
  while (!face.signal.aborted) {
    await settle({
      ...session,
      world: face.world,
      signal: face.signal,
      simulate: options.simulate,
      onChange: watch.onChange,
      onSimulated: note(watch.simulated, progress),
    });
    if (face.signal.aborted) break;
    const standings = session.fleet.standings();
    const picture = JSON.stringify(standings);
    if (isStill(standings) && picture !== reported) {
      reported = picture;
      progress.end();
      await summarise(session, watch, options, face);
      if (!isDone(standings)) face.world.stderr.write(renderError(notReadyError(standings, false), face.style));
    }
    await session.fleet.changed(face.signal);
  }
  return exit.ok;
}

function note(simulated: MissingKind[], progress: Progress): (kinds: readonly MissingKind[]) => void {
  return (kinds) => {
    simulated.push(...kinds);
    progress.line(`simulated  ${kinds.map(({ kind, group }) => `${kind}.${group}`).join(', ')}: nothing provides a CRD`);
  };
}

async function summarise(
  session: Session,
  watch: { times: ReadonlyMap<string, number>; simulated: readonly { readonly group: string; readonly kind: string }[] },
  options: UpOptions,
  face: Face,
): Promise<void> {
  printSummary(
    {
      standings: session.fleet.standings(),
      times: watch.times,
      secrets: await session.builds.ways(session.cluster),
      simulated: [...watch.simulated, ...(options.simulate ? await unattendedKinds(session.cluster) : [])].map(({ group, kind }) => ({
        kind: `${kind}.${group}`,
        controller: usuallyProvidedBy({ group, kind }) ?? 'unknown controller',
      })),
    },
    face,
    options.output,
  );
  for (const warning of session.builds.warnings()) face.world.stderr.write(`warning: ${warning}\n`);
}

function seconds(face: Face, began: number): string {
  return formatDuration(Math.round((face.world.clock.monotonic() - began) / 100) * 100);
}
