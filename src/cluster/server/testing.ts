import type { Entropy, VirtualWorld } from '../../base/world/index.ts';
import { systemEntropy, virtualWorld } from '../../base/world/index.ts';
import type { ApiRequest, ApiResponse, UserInfo } from '../../kube/client/index.ts';
import type { KubeObject, Status } from '../../kube/objects/index.ts';
import { createCluster, type ClusterOptions, type EmbeddedCluster } from './cluster.ts';

/*
 * A cluster for tests, on a virtual clock: nothing waits for real time, and every run takes the same steps.
 */

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The JSON body, or the text of any other. */
  readonly body: KubeObject & Status & { items: KubeObject[]; rows: { cells: unknown[] }[] };
}

interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly user?: UserInfo;
  readonly signal?: AbortSignal;
}

interface WatchFrame {
  readonly type: string;
  readonly object: KubeObject & Status;
}

export interface TestCluster {
  readonly world: VirtualWorld;
  readonly cluster: EmbeddedCluster;
  get(path: string, options?: CallOptions): Promise<Answer>;
  post(path: string, body: unknown, options?: CallOptions): Promise<Answer>;
  put(path: string, body: unknown, options?: CallOptions): Promise<Answer>;
  patch(path: string, type: 'json' | 'merge' | 'strategic' | 'apply', body: unknown, options?: CallOptions): Promise<Answer>;
  del(path: string, body?: unknown, options?: CallOptions): Promise<Answer>;
  /** Frames of a watch as they come. */
  watch(path: string, options?: CallOptions): Promise<TestWatch>;
  /** Sends a request as it is and answers what the handle answers. */
  raw(request: Partial<ApiRequest> & { readonly url: string }, options?: { remote?: boolean }): Promise<ApiResponse>;
  /** Lets everything that is ready happen; `ms` of virtual time pass. */
  settle(ms?: number): Promise<void>;
  close(): Promise<void>;
}

interface TestWatch {
  /** All frames that came since the last call. */
  take(): Promise<WatchFrame[]>;
  readonly ended: () => boolean;
  /** What the stream broke off with. */
  readonly error: () => unknown;
  stop(): void;
}

const PATCHES = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** Starts a cluster in virtual time. */
export async function testCluster(options: Partial<ClusterOptions> & { seed?: number; entropy?: Entropy } = {}): Promise<TestCluster> {
  const { seed = 1, ...rest } = options;
  const world = virtualWorld({ seed });
  const driven = <T>(work: Promise<T>): Promise<T> => drive(world, work);
  const cluster = await driven(createCluster({ world, entropy: systemEntropy, ...rest }));
  await world.run(0);

  const raw: TestCluster['raw'] = ({ url, ...request }, { remote = false } = {}) => {
    const [path = '', query = ''] = url.split('?');
    const handle = remote ? cluster.handleRemote : cluster.handle;
    return driven(
      handle({
        method: 'GET',
        path,
        query: new URLSearchParams(query),
        headers: {},
        signal: new AbortController().signal,
        ...request,
      }),
    );
  };
  const call = async (method: ApiRequest['method'], url: string, body: unknown, call: CallOptions = {}): Promise<Answer> => {
    const response = await raw({ method, url, ...call, ...(body === undefined ? {} : { body: { kind: 'json', value: body } }) });
    return { status: response.status, headers: response.headers, body: bodyOf(response) as Answer['body'] };
  };
  return {
    world,
    cluster,
    raw,
    get: (url, options) => call('GET', url, undefined, options),
    post: (url, body, options) => call('POST', url, body, options),
    put: (url, body, options) => call('PUT', url, body, options),
    patch: (url, type, body, options) =>
      call('PATCH', url, body, { ...options, headers: { 'content-type': PATCHES[type], ...options?.headers } }),
    del: (url, body, options) => call('DELETE', url, body, options),
    watch: async (url, options = {}) => {
      const aborter = new AbortController();
      const response = await raw({
        url: url.includes('watch=') ? url : `${url}${url.includes('?') ? '&' : '?'}watch=true`,
        signal: aborter.signal,
        ...options,
      });
      return follow(world, response, () => aborter.abort());
    },
    settle: async (ms = 0) => void (await world.run(ms)),
    close: () => driven(cluster.close()),
  };
}

/** Runs the virtual world until the work is done. */
async function drive<T>(world: VirtualWorld, work: Promise<T>): Promise<T> {
  let isDone = false;
  const finish = (): void => {
    isDone = true;
  };
  work.then(finish, finish);
  while (!isDone) await world.run(0, () => isDone);
  return work;
}

function bodyOf({ body }: ApiResponse): unknown {
  if (body.kind === 'json') return body.value;
  return body.kind === 'bytes' ? new TextDecoder().decode(body.bytes) : undefined;
}

function follow(world: VirtualWorld, response: ApiResponse, stop: () => void): TestWatch {
  let frames: WatchFrame[] = [];
  let isEnded = false;
  let failure: unknown;
  const read = async (): Promise<void> => {
    if (response.body.kind !== 'stream') {
      failure = bodyOf(response);
      isEnded = true;
      return;
    }
    try {
      for await (const frame of response.body.frames) frames.push(frame as WatchFrame);
    } catch (error) {
      failure = error;
    }
    isEnded = true;
  };
  void read();
  return {
    take: async () => {
      await world.run(0);
      const taken = frames;
      frames = [];
      return taken;
    },
    ended: () => isEnded,
    error: () => failure,
    stop,
  };
}
