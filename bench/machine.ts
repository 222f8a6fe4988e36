import { cpus, loadavg, totalmem } from 'node:os';

/** One line that says on what a number was measured. */
export function machineLine(): string {
  const [first] = cpus();
  const parts = [`${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}`, `${Math.round(totalmem() / 2 ** 30)} GiB`];
  return [...parts, `Node ${process.versions.node}`, process.platform, `load ${loadavg()[0]?.toFixed(1) ?? '?'} before the start`].join(
    ', ',
  );
}
