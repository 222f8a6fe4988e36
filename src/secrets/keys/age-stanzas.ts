import { SottoError } from '../../base/errors/index.ts';
import { decodeUnpadded, unpadded } from './age-ssh.ts';

const COLUMNS = 64;
const MAX_LINE_LENGTH = 1 << 16;
const MAX_BODY_LENGTH = 1 << 20;

/** One command of the plugin protocol, in the shape of a stanza of an age header. */
export interface PluginStanza {
  readonly args: readonly string[];
  readonly body: Uint8Array;
}

/** `-> ` and the arguments, then the body in lines of 64 columns; the last one is shorter, and may be empty. */
export function encodeStanza(args: readonly string[], body: Uint8Array = new Uint8Array()): string {
  const text = unpadded(body);
  const lines = Array.from({ length: Math.floor(text.length / COLUMNS) + 1 }, (_, index) =>
    text.slice(index * COLUMNS, (index + 1) * COLUMNS),
  );
  return `-> ${args.join(' ')}\n${lines.join('\n')}\n`;
}

/**
 * Reads stanzas from a stream until it ends.
 *
 * @throws SottoError AGE_PLUGIN_FAILED for anything that is no stanza; never quotes it
 */
export async function* readStanzas(stream: AsyncIterable<Uint8Array>): AsyncGenerator<PluginStanza> {
  let args: string[] | undefined;
  let body: Uint8Array[] = [];
  let size = 0;
  for await (const line of linesOf(stream)) {
    if (args === undefined) {
      args = parseArguments(line);
      continue;
    }
    const part = line.length <= COLUMNS ? decodeUnpadded(line) : undefined;
    size += part?.length ?? 0;
    if (part === undefined || size > MAX_BODY_LENGTH) throw malformed();
    body.push(part);
    if (line.length === COLUMNS) continue;
    yield { args, body: Buffer.concat(body) };
    [args, body, size] = [undefined, [], 0];
  }
  if (args !== undefined) throw malformed();
}

function parseArguments(line: string): string[] {
  const [arrow, ...args] = line.split(' ');
  if (arrow !== '->' || args.length === 0 || !args.every((arg) => /^[\x21-\x7e]+$/.test(arg))) throw malformed();
  return args;
}

async function* linesOf(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending = '';
  for await (const chunk of stream) {
    pending += Buffer.from(chunk).toString('latin1');
    for (let end = pending.indexOf('\n'); end >= 0; end = pending.indexOf('\n')) {
      yield pending.slice(0, end);
      pending = pending.slice(end + 1);
    }
    if (pending.length > MAX_LINE_LENGTH) throw malformed();
  }
  if (pending !== '') throw malformed();
}

function malformed(): SottoError {
  return new SottoError('AGE_PLUGIN_FAILED', 'the age plugin does not speak the plugin protocol');
}
