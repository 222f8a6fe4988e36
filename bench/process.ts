/** Whole processes of dist/, as a user starts them. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');
export const sotto = join(root, 'bin/sotto.js');

/** Builds dist/ when a source is newer. */
export function buildIfStale(): void {
  const built = join(root, 'dist/cli.js');
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts'),
  );
  const newest = Math.max(...sources.map((name) => statSync(join(root, 'src', name)).mtimeMs));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return;
  execFileSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: 'inherit' });
}

/** True when a program can be found on PATH. */
export function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // absent, or not for us
  }
}

export interface CommandRuns {
  readonly runs: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Runs before each, outside the measured time. */
  readonly before?: () => void;
}

/** Median wall-clock milliseconds of a command over `runs` runs, after one that warms caches. */
export function timeCommand(command: string, args: readonly string[], { runs, env = {}, before = () => {} }: CommandRuns): number {
  const once = (): number => {
    before();
    const start = performance.now();
    const result = spawnSync(command, args, { cwd: root, stdio: 'ignore', env: { ...process.env, ...env } });
    if (result.status !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${result.status}`);
    return performance.now() - start;
  };
  once();
  return median(Array.from({ length: runs }, once));
}

/** Median of the milliseconds that a script prints as measured inside a fresh process, after one that warms caches. */
export function timeInside(script: string, runs: number): number {
  const once = (): number => Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' }));
  once();
  return median(Array.from({ length: runs }, once));
}

/** The middle of the values. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** Starts a long-running command and resolves when a line of its output matches. */
export function startUntil(
  args: readonly string[],
  pattern: RegExp,
  cwd: string,
): Promise<{ child: ChildProcess; match: RegExpExecArray; ms: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  return new Promise((resolve, reject) => {
    let output = '';
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const match = pattern.exec(output);
      if (match !== null) resolve({ child, match, ms: performance.now() - start });
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) => reject(new Error(`ended with status ${code} before it was ready:\n${output}`)));
  });
}

/** Ends a process and waits until it is gone. */
export async function stop(child: ChildProcess): Promise<void> {
  child.removeAllListeners('exit');
  if (child.exitCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

/** Resident memory of a process in bytes (Linux). */
export function residentBytes(pid: number): number {
  const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(pages ?? Number.NaN) * 1024;
}
