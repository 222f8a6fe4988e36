import { resolve } from 'node:path';

import { parseDuration, type World } from '../../base/world/index.ts';
import type { ProgressMode } from '../progress.ts';
import { usageError, type Arguments, type Flag } from '../flags.ts';

/** Where the embedded cluster keeps its state unless told otherwise. */
export const DEFAULT_DATA_DIR = '.sotto/state';
/** `--data-dir` that keeps nothing. */
const IN_MEMORY = ':memory:';

export const DATA_FLAGS: readonly Flag[] = [
  { name: 'data-dir', value: 'D', default: DEFAULT_DATA_DIR, help: 'state of the cluster; `:memory:` keeps nothing', group: 'Cluster' },
  { name: 'port', value: 'P', default: '0', help: 'port of the API on 127.0.0.1; 0 takes a free one', group: 'Cluster' },
];

export const WORKLOADS_FLAG: Flag = {
  name: 'no-simulate-workloads',
  help: 'leave Deployments, Jobs, claims and the like as they are',
  group: 'Cluster',
};

export const UP_FLAGS: readonly Flag[] = [
  { name: 'source', value: 'DIR|URL', default: '.', help: 'a Git checkout, or the URL of a repository', group: 'Source' },
  { name: 'path', value: 'PATH', default: './clusters/home', help: 'directory of the first Kustomization', group: 'Source' },
  { name: 'branch', value: 'B', help: 'branch to follow (default: the one checked out, or main)', group: 'Source' },
  { name: 'working-tree', help: 'take uncommitted changes too', group: 'Source' },
  { name: 'age-key-file', value: 'F', help: 'age identities for decryption, as age-keygen writes them', group: 'Source' },
  ...DATA_FLAGS,
  { name: 'delete', help: 'wipe the data folder and exit', group: 'Cluster' },
  WORKLOADS_FLAG,
  { name: 'no-simulate', help: 'do not install permissive CRDs for kinds that nothing provides', group: 'Cluster' },
  { name: 'once', help: 'exit when everything is Ready, or nothing can move', group: 'Run' },
  { name: 'timeout', value: 'DURATION', default: '5m', help: 'how long --once waits', group: 'Run' },
  {
    name: 'progress',
    value: 'MODE',
    default: 'auto',
    choices: ['auto', 'jsonl'],
    help: 'progress on stderr: auto, or jsonl for programs',
    group: 'Run',
  },
  {
    name: 'output',
    short: 'o',
    value: 'FORMAT',
    default: 'table',
    choices: ['table', 'wide', 'json'],
    help: 'summary as table, wide or json',
    group: 'Run',
  },
];

/** What `sotto up` was asked to do, checked. Paths are absolute. */
export interface UpOptions {
  readonly source: { readonly kind: 'checkout'; readonly directory: string } | { readonly kind: 'url'; readonly url: string };
  readonly path: string;
  readonly branch: string | undefined;
  readonly workingTree: boolean;
  readonly ageKeyFile: string | undefined;
  /** Undefined: keep nothing. */
  readonly dataDir: string | undefined;
  readonly port: number;
  readonly simulate: boolean;
  /** Default true. */
  readonly simulateWorkloads?: boolean;
  readonly once: boolean;
  readonly timeoutMs: number;
  readonly progress: ProgressMode;
  readonly output: 'table' | 'wide' | 'json';
}

const REMOTE = /^(https?|ssh):\/\//;

/** @throws SottoError USAGE, DURATION_INVALID */
export function upOptions(args: Arguments, world: World): UpOptions {
  if (args.positional.length > 0)
    throw usageError(`unexpected argument "${args.positional[0] ?? ''}"`, 'the checkout is given with --source');
  const source = args.text('source') ?? '.';
  const keyFile = args.text('age-key-file');
  const isUrl = REMOTE.test(source);
  if (isUrl && args.has('working-tree')) throw usageError('--working-tree needs a checkout as --source, not a URL');
  return {
    source: isUrl ? { kind: 'url', url: source } : { kind: 'checkout', directory: resolve(world.cwd, source) },
    path: args.text('path') ?? './',
    branch: args.text('branch'),
    workingTree: args.has('working-tree'),
    ageKeyFile: keyFile === undefined ? undefined : resolve(world.cwd, keyFile),
    dataDir: dataDirOf(args, world),
    port: portOf(args),
    simulate: !args.has('no-simulate'),
    simulateWorkloads: !args.has('no-simulate-workloads'),
    once: args.has('once'),
    timeoutMs: parseDuration(args.text('timeout') ?? '5m'),
    progress: args.text('progress') as ProgressMode,
    output: (args.text('output') ?? 'table') as UpOptions['output'],
  };
}

/** The absolute data folder; undefined for `:memory:`. */
export function dataDirOf(args: Arguments, world: World): string | undefined {
  const given = args.text('data-dir') ?? DEFAULT_DATA_DIR;
  return given === IN_MEMORY ? undefined : resolve(world.cwd, given);
}

/** @throws SottoError USAGE */
export function portOf(args: Arguments): number {
  const text = args.text('port') ?? '0';
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw usageError(`invalid port "${text}"`, 'a number from 0 to 65535');
  return port;
}
