#!/usr/bin/env node
// Starts dist/. Plain JavaScript that old Node versions can read, so that they get a sentence and not a stack trace.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const root = fileURLToPath(new URL('..', import.meta.url));

/** The npm package `node`, when it is installed beside us. */
function bundledNode() {
  return [join(root, 'node_modules'), join(root, '..')]
    .map((folder) => join(folder, 'node', 'bin', 'node'))
    .find((path) => existsSync(path));
}

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  const newer = bundledNode();
  if (newer === undefined) {
    process.stderr.write(
      `error[NODE_TOO_OLD]: sotto needs Node ${NEEDED} or newer, this is ${process.version}\nhint: install Node ${NEEDED}, or \`npm install node@${NEEDED}\` beside sotto\n`,
    );
    process.exit(70);
  }
  const child = spawnSync(newer, [process.argv[1], ...process.argv.slice(2)], { stdio: 'inherit' });
  process.exit(child.status ?? 1);
}

// The compile cache makes start-up fast; it holds code only, in a folder of the user's own.
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'sotto');
try {
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  module.enableCompileCache(join(cache, 'compile'));
} catch {
  // A read-only home only costs time.
}

const { start } = await import('../dist/cli.js');
await start(process.argv.slice(2), process.argv[1] ?? 'sotto');
