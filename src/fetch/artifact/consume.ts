import { aborted, isAbort, messageOf, SottoError } from '../../base/errors/index.ts';
import type { Tree } from '../../base/files/index.ts';
import type { Fetch, World } from '../../base/world/index.ts';
import { ARCHIVE_LIMITS, unpackTree, type ArchiveLimits } from './archive.ts';
import { hasDigest } from './digest.ts';
import type { Artifact } from './types.ts';

/** Flag --http-retry. */
const RETRIES = 9;
const MIN_WAIT_MS = 5000;
const MAX_WAIT_MS = 30_000;
const MAX_DOWNLOAD_BYTES = 512 * 1024 * 1024;

export interface FetchArtifactOptions {
  readonly world: World;
  /** Replaces the host of the URL (environment SOURCE_CONTROLLER_LOCALHOST). */
  readonly hostOverride?: string;
  /** How often to try again after a network error or a 5xx answer. Default 9. */
  readonly retries?: number;
  readonly signal?: AbortSignal;
  /** Used instead of `world.fetch`; see artifactFetch. */
  readonly fetch?: Fetch;
  readonly limits?: ArchiveLimits;
}

/**
 * Downloads an artifact, checks its digest and unpacks it in memory.
 *
 * @throws SottoError ARTIFACT_NOT_FOUND (404: the source is not ready), ARTIFACT_DOWNLOAD, ARTIFACT_DIGEST, ARTIFACT_EXTRACT, ABORTED
 */
export async function fetchArtifact(artifact: Artifact, options: FetchArtifactOptions): Promise<Tree> {
  const bytes = await download(addressOf(artifact, options.hostOverride), options);
  if (!verified(bytes, artifact.digest)) {
    throw new SottoError('ARTIFACT_DIGEST', `failed to verify archive: computed digest doesn't match provided '${artifact.digest}'`, {
      retry: true,
    });
  }
  try {
    return unpackTree(bytes, options.limits ?? ARCHIVE_LIMITS);
  } catch (cause) {
    throw new SottoError('ARTIFACT_EXTRACT', `failed to extract archive, error: ${messageOf(cause)}`, { cause });
  }
}

function verified(bytes: Uint8Array, digest: string): boolean {
  try {
    return hasDigest(bytes, digest);
  } catch (cause) {
    throw new SottoError('ARTIFACT_DIGEST', `failed to verify archive: ${messageOf(cause)}`, { cause });
  }
}

function addressOf(artifact: Artifact, hostOverride: string | undefined): URL {
  const url = URL.parse(artifact.url);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new SottoError('ARTIFACT_DOWNLOAD', `failed to download archive: '${artifact.path}' has no valid URL`);
  }
  if (hostOverride !== undefined && hostOverride !== '') url.host = hostOverride;
  return url;
}

async function download(url: URL, options: FetchArtifactOptions): Promise<Uint8Array> {
  const { world } = options;
  const get = options.fetch ?? world.fetch;
  const retries = options.retries ?? RETRIES;
  for (let attempt = 0; ; attempt++) {
    const outcome = await attemptDownload(get, url, options.signal);
    if (outcome instanceof Uint8Array) return outcome;
    if (!outcome.retry || attempt >= retries) throw outcome;
    await world.clock.sleep(Math.min(MAX_WAIT_MS, MIN_WAIT_MS * 2 ** attempt), options.signal);
  }
}

/** The bytes, or the error to throw or to try again after. */
async function attemptDownload(get: Fetch, url: URL, signal: AbortSignal | undefined): Promise<Uint8Array | SottoError> {
  const where = `${url.origin}${url.pathname}`;
  try {
    const response = await get(url, signal === undefined ? {} : { signal });
    if (response.status === 404) return new SottoError('ARTIFACT_NOT_FOUND', 'artifact not found');
    if (response.status !== 200) {
      await response.body?.cancel();
      return new SottoError('ARTIFACT_DOWNLOAD', `failed to download archive from ${where}, status: ${response.status}`, {
        retry: response.status >= 500 || response.status === 429,
      });
    }
    return await limitedBody(response, where);
  } catch (cause) {
    if (signal?.aborted === true || isAbort(cause)) throw aborted();
    if (cause instanceof SottoError && cause.code === 'ARTIFACT_DOWNLOAD') return cause;
    return new SottoError('ARTIFACT_DOWNLOAD', `failed to download archive from ${where}: ${reasonOf(cause)}`, { retry: true, cause });
  }
}

/** `fetch` says only "fetch failed"; its cause says why. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? messageOf(error.cause) : messageOf(error);
}

async function limitedBody(response: Response, where: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_DOWNLOAD_BYTES) {
      throw new SottoError('ARTIFACT_DOWNLOAD', `failed to download archive from ${where}: it has more than ${MAX_DOWNLOAD_BYTES} bytes`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}
