import { stringifyYaml, type YamlValue } from '../text/yaml/index.ts';
import type { Cluster } from '../kube/client/index.ts';
import { cloneJson, stringifyJson, type KubeObject } from '../kube/objects/index.ts';
import { MASK } from '../base/sensitive/index.ts';
import { connectCluster, KUBECONFIG_FLAGS } from './connect.ts';
import { exit, type Command, type Face } from './command.ts';
import { usageError, type Arguments } from './flags.ts';
import { nearest } from './nearest.ts';
import { consumersOfSecrets, LISTINGS, type Listing } from './resources.ts';
import { renderTable } from './table.ts';

/** `sotto get`. */
export const get: Command = {
  name: 'get',
  summary: 'Lists Kustomizations, sources or Secrets of a cluster; values of Secrets are never shown.',
  usage: ['sotto get kustomizations|sources|secrets [NAME] [flags]'],
  examples: [
    { command: 'sotto get ks -A', does: 'Every Kustomization' },
    { command: 'sotto get secrets -n shop', does: 'Secrets with their producer and how many objects use them' },
    { command: 'sotto get ks -w -o jsonl', does: 'Follow changes, one JSON object a line' },
  ],
  flags: [
    { name: 'namespace', short: 'n', value: 'NS', default: 'flux-system', help: 'namespace to look at' },
    { name: 'all-namespaces', short: 'A', help: 'look at all namespaces' },
    { name: 'selector', short: 'l', value: 'SELECTOR', help: 'label selector' },
    { name: 'watch', short: 'w', help: 'go on with changes (table or jsonl)' },
    { name: 'no-headers', help: 'no header line' },
    {
      name: 'output',
      short: 'o',
      value: 'FORMAT',
      default: 'table',
      choices: ['table', 'wide', 'json', 'yaml', 'name', 'jsonl'],
      help: 'table, wide, json, yaml, name or jsonl',
    },
    ...KUBECONFIG_FLAGS,
  ],
  exitCodes: { 1: 'nothing found' },
  seeAlso: ['sotto up --help', 'sotto reconcile --help'],
  run,
};

async function run(args: Arguments, face: Face): Promise<number> {
  const [what, name, ...rest] = args.positional;
  if (what === undefined) throw usageError('what should be listed?', 'one of kustomizations, sources, secrets');
  if (rest.length > 0) throw usageError(`unexpected argument "${rest[0] ?? ''}"`);
  const listing = LISTINGS.find((candidate) => candidate.names.includes(what));
  if (listing === undefined) {
    const near = nearest(
      what,
      LISTINGS.flatMap((candidate) => candidate.names),
    );
    throw usageError(`cannot list "${what}"`, near === undefined ? 'one of kustomizations, sources, secrets' : `did you mean ${near}?`);
  }
  const cluster = await connectCluster(args, face.world);
  const options = {
    ...(args.has('all-namespaces') ? {} : { namespace: args.text('namespace') ?? 'flux-system' }),
    ...(args.text('selector') === undefined ? {} : { labelSelector: args.text('selector') ?? '' }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
    signal: face.signal,
  };
  const list = await cluster.list(listing, options);
  const found = list.items.length > 0;
  if (!found && !args.has('watch'))
    face.world.stderr.write(
      `no ${listing.names[0] ?? ''} found${args.has('all-namespaces') ? '' : ` in namespace ${args.text('namespace') ?? ''}`}\n`,
    );
  if (found) await print(listing, list.items, cluster, args, face);
  if (args.has('watch')) return follow(listing, cluster, { ...options, resourceVersion: list.resourceVersion }, args, face);
  return found ? exit.ok : exit.findings;
}

async function print(listing: Listing, objects: readonly KubeObject[], cluster: Cluster, args: Arguments, face: Face): Promise<void> {
  const write = (text: string): void => face.world.stdout.write(text);
  const masked = objects.map(redact);
  switch (args.text('output')) {
    case 'json':
      return write(`${stringifyJson({ schemaVersion: 1, kind: 'List', items: masked }, 2)}\n`);
    case 'yaml':
      return write(masked.map((object) => stringifyYaml(object as unknown as YamlValue, { profile: 'goYaml2' })).join('---\n'));
    case 'jsonl':
      return write(masked.map((object) => `${stringifyJson(object)}\n`).join(''));
    case 'name':
      return write(masked.map((object) => `${listing.kind.toLowerCase()}/${object.metadata.name ?? ''}\n`).join(''));
    default:
      return write(await table(listing, objects, cluster, args, face));
  }
}

async function table(listing: Listing, objects: readonly KubeObject[], cluster: Cluster, args: Arguments, face: Face): Promise<string> {
  const wide = args.text('output') === 'wide';
  const all = args.has('all-namespaces');
  const consumers = listing.kind === 'Secret' ? await consumersOfSecrets(cluster) : new Map<string, string[]>();
  const { stdout } = face.world;
  const columns = [...(all ? [{ title: 'NAMESPACE' }] : []), { title: 'NAME' }, ...listing.columns];
  const rows = objects.map((object) => [
    ...(all ? [object.metadata.namespace ?? ''] : []),
    object.metadata.name ?? '',
    ...listing.row(object, { style: face.style, wide, consumers }),
  ]);
  return renderTable(columns, rows, {
    header: !args.has('no-headers'),
    heading: (text) => face.style.heading(text),
    ...(stdout.isTTY && !wide ? { width: stdout.columns } : {}),
  });
}

async function follow(
  listing: Listing,
  cluster: Cluster,
  options: Parameters<Cluster['watch']>[1],
  args: Arguments,
  face: Face,
): Promise<number> {
  const asJson = args.text('output') === 'jsonl';
  try {
    for await (const event of cluster.watch(listing, options)) {
      if (event.type === 'BOOKMARK') continue;
      if (asJson) face.world.stdout.write(`${stringifyJson({ type: event.type, object: redact(event.object) })}\n`);
      else
        face.world.stdout.write(
          await table(listing, [event.object], cluster, args, face).then((text) =>
            text
              .split('\n')
              .slice(args.has('no-headers') ? 0 : 1)
              .join('\n'),
          ),
        );
    }
  } catch (error) {
    if (!face.signal.aborted) throw error;
  }
  return exit.ok;
}

/** Secret values become `***`, and managed fields go: nobody reads them in a listing. */
function redact(object: KubeObject): KubeObject {
  const copy = cloneJson(object);
  delete copy.metadata.managedFields;
  delete copy.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'];
  if (copy.kind !== 'Secret') return copy;
  for (const field of ['data', 'stringData']) {
    const values = copy[field] as Record<string, string> | undefined;
    if (values !== undefined) copy[field] = Object.fromEntries(Object.keys(values).map((key) => [key, MASK]));
  }
  return copy;
}
