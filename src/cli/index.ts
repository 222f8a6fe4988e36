/**
 * The command line. {@link main} is the whole program as a function; `bin/sotto.js` calls {@link start}.
 *
 * @module
 */
import { systemEntropy, systemWorld } from '../base/world/index.ts';
import { main } from './main.ts';

export { main };

/** A second Ctrl-C within this time ends the process at once. */
const IMPATIENT_MS = 5000;
/** Progress hides the cursor. */
const SHOW_CURSOR = '\u001b[?25h';

/** Runs the program on the real world and sets the exit status. */
export async function start(argv: readonly string[], program: string): Promise<void> {
  const world = systemWorld();
  const stop = new AbortController();
  let asked = -Infinity;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (world.clock.monotonic() - asked < IMPATIENT_MS) {
        if (world.stderr.isTTY) world.stderr.write(SHOW_CURSOR);
        process.exit(130);
      }
      asked = world.clock.monotonic();
      stop.abort();
    });
  }
  // A reader that closes the pipe early (`| head`) is not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70));
  process.exitCode = await main(argv, world, systemEntropy, stop.signal, program);
}
