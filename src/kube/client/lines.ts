import { SottoError } from '../../base/errors/index.ts';
import { parseJson, type Json } from '../objects/index.ts';

/** Far above the 1.5 MiB that etcd stores of one object. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const NEWLINE = 0x0a;

/**
 * The JSON values of a stream that has one a line, however it is cut into chunks.
 *
 * @throws SottoError KUBE_STREAM_BROKEN when the stream ends within a line or a line is too long
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Json> {
  let rest: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = joined([...rest, chunk.subarray(start, end)]);
      [rest, size, start] = [[], 0, end + 1];
      if (line.trim() !== '') yield parseJson(line);
    }
    if (start === chunk.length) continue;
    rest.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > MAX_LINE_BYTES) throw broken('sent an event that is too long');
  }
  if (joined(rest).trim() !== '') throw broken('stopped within an event');
}

function joined(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('utf8');
}

function broken(what: string): SottoError {
  return new SottoError('KUBE_STREAM_BROKEN', `the API server ${what}`, { retry: true });
}
