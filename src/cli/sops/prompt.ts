import { SottoError } from '../../base/errors/index.ts';
import { Sensitive } from '../../base/sensitive/index.ts';
import type { World } from '../../base/world/index.ts';

const LF = 0x0a;

/** Input that was read but not used yet, by stream. */
interface Rest {
  readonly iterator: AsyncIterator<Uint8Array>;
  bytes: Uint8Array;
}
const rests = new WeakMap<World['stdin'], Rest>();

/**
 * The next line of the input, without its end; undefined at the end. No more than that line is taken from a terminal, so
 * that an editor started later gets the keys typed then.
 */
export async function readLine(world: World): Promise<string | undefined> {
  const line = world.stdin === process.stdin && world.stdin.isTTY ? await readTerminal(world) : await readStream(world);
  return line?.replace(/\r$/, '');
}

/** A terminal gives one line at a time; a read that waits in another thread would keep a stopped process from ending. */
function readTerminal(world: World): Promise<string | undefined> {
  const { stdin } = process;
  return world.outside(
    () =>
      new Promise((resolve) => {
        const finish = (line: string | undefined): void => {
          stdin.off('data', onLine);
          stdin.off('end', onEnd);
          stdin.pause();
          resolve(line);
        };
        const onLine = (bytes: Buffer): void => finish(bytes.toString('utf8').replace(/\n$/, ''));
        const onEnd = (): void => finish(undefined);
        stdin.on('data', onLine);
        stdin.on('end', onEnd);
        stdin.resume();
      }),
  );
}

async function readStream(world: World): Promise<string | undefined> {
  const rest = rests.get(world.stdin) ?? { iterator: world.stdin[Symbol.asyncIterator](), bytes: new Uint8Array() };
  rests.set(world.stdin, rest);
  for (;;) {
    const end = rest.bytes.indexOf(LF);
    if (end !== -1) {
      const line = Buffer.from(rest.bytes.subarray(0, end)).toString('utf8');
      rest.bytes = rest.bytes.subarray(end + 1);
      return line;
    }
    const next = await rest.iterator.next();
    if (next.done === true) {
      const last = Buffer.from(rest.bytes).toString('utf8');
      rest.bytes = new Uint8Array();
      return last === '' ? undefined : last;
    }
    rest.bytes = new Uint8Array(Buffer.concat([rest.bytes, next.value]));
  }
}

/** Lets a process end although it has asked something: a pipe that stays open would keep it alive. */
export function releaseInput(world: World): void {
  if (world.stdin === process.stdin) process.stdin.unref?.();
}

/**
 * Asks until the answer is y or n.
 *
 * @throws SottoError SOPS_NO_ANSWER at the end of the input, or for an empty line, as upstream has it
 */
export async function confirm(question: string, world: World): Promise<boolean> {
  for (;;) {
    world.stdout.write(question);
    const answer = (await readLine(world))?.trim();
    if (answer === 'y' || answer === 'n') return answer === 'y';
    if (answer === undefined) throw new SottoError('SOPS_NO_ANSWER', 'EOF');
    if (answer === '') throw new SottoError('SOPS_NO_ANSWER', 'unexpected newline');
  }
}

/**
 * Asks on the terminal; a secret is not shown while it is typed. Undefined when there is no terminal to ask on.
 */
export async function ask(question: string, world: World, isSecret: boolean): Promise<Sensitive<string> | undefined> {
  if (world.stdin !== process.stdin || !process.stdin.isTTY) return undefined;
  world.stderr.write(question);
  const line = isSecret ? await readHidden(world) : await readLine(world);
  if (isSecret) world.stderr.write('\n');
  return line === undefined ? undefined : new Sensitive(line);
}

const END_OF_TEXT = '\u0003';
const END_OF_INPUT = '\u0004';
const BACKSPACE = new Set(['\u0008', '\u007f']);

/** Reads keys one by one, without echo, until Enter. */
function readHidden(world: World): Promise<string | undefined> {
  const { stdin } = process;
  return world.outside(
    () =>
      new Promise((resolve) => {
        const typed: string[] = [];
        const finish = (result: string | undefined): void => {
          stdin.off('data', onKeys);
          stdin.setRawMode(false);
          stdin.pause();
          resolve(result);
        };
        const onKeys = (bytes: Buffer): void => {
          for (const key of bytes.toString('utf8')) {
            if (key === '\r' || key === '\n') return finish(typed.join(''));
            if (key === END_OF_TEXT || key === END_OF_INPUT) return finish(undefined);
            if (BACKSPACE.has(key)) typed.pop();
            else typed.push(key);
          }
        };
        stdin.setRawMode(true);
        stdin.on('data', onKeys);
        stdin.resume();
      }),
  );
}
