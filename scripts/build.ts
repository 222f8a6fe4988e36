/** Builds dist/: bundled JavaScript with code splitting, one entry per public room, and declarations. Run by npm's `prepare`. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

import { ENTRIES } from './entries.ts';
import { writeNotices } from './notices.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  dependencies: Record<string, string>;
};

/** Entry name in dist/ → source file. */
const entries = { cli: 'src/cli/index.ts', ...ENTRIES };

/** Bundled although they are dependencies: small, used at every start. Everything else stays a dependency. */
const BUNDLED = new Set(['commander', 'yaml', 're2js']);
const external = [
  ...builtinModules.flatMap((name) => [name, `node:${name}`]),
  ...Object.keys(manifest.dependencies).filter((name) => !BUNDLED.has(name)),
];

rmSync(join(root, 'dist'), { recursive: true, force: true });
const bundle = await rolldown({
  cwd: root,
  input: entries,
  platform: 'node',
  external: (id) => external.some((name) => id === name || id.startsWith(`${name}/`)),
  logLevel: 'warn',
});
await bundle.write({ dir: join(root, 'dist'), format: 'esm', chunkFileNames: 'chunks/[name]-[hash].js', minify: false, sourcemap: false });
await bundle.close();

execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit',
});

writeNotices(root, join(root, 'dist'));
