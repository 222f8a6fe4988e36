import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { schemaOf, strategicMerge } from './src/kube/schema/index.ts';
const schema = schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' })!;
let seed = Number(process.argv[2] ?? 1);
const rnd = () => { seed = (seed * 1103515245 + 12345) & 0x7fffffff; return seed / 0x7fffffff; };
const pick = <T,>(a: T[]): T => a[Math.floor(rnd() * a.length)]!;
const some = <T,>(a: T[], p = 0.5) => a.filter(() => rnd() < p);
const shuffle = <T,>(a: T[]) => a.map((x) => [rnd(), x] as const).sort((x, y) => x[0] - y[0]).map((x) => x[1]);
const names = ['a', 'b', 'c', 'd', 'e'];
const env = (dir: boolean): any[] => shuffle(some(names)).map((n) => dir && rnd() < 0.25 ? { name: n, $patch: 'delete' } : { name: n, value: pick(['1', '2', '3']) });
const cont = (n: string, dir: boolean): any => { const c: any = { name: n }; if (rnd() < 0.6) c.image = pick(['i', 'j', 'k']); if (rnd() < 0.7) c.env = env(dir); if (dir && rnd() < 0.2) c['$setElementOrder/env'] = shuffle(some(names)).map((name) => ({ name })); if (rnd() < 0.3) c.args = some(['x', 'y', 'z']); if (rnd() < 0.4) c.ports = shuffle(some([53, 80, 81])).map((p) => dir && rnd() < 0.2 ? { containerPort: p, $patch: 'delete' } : { containerPort: p, protocol: pick(['TCP', 'UDP']) }); return c; };
const vol = (n: string, dir: boolean): any => { const k = pick(['emptyDir', 'secret', 'configMap']); const v: any = { name: n, [k]: k === 'emptyDir' ? {} : k === 'secret' ? { secretName: pick(['s', 't']) } : { name: 'c' } }; if (dir && rnd() < 0.7) v.$retainKeys = ['name', k]; return v; };
const spec = (dir: boolean): any => {
  const s: any = { containers: shuffle(some(names, 0.6)).map((n) => dir && rnd() < 0.15 ? { name: n, $patch: 'delete' } : cont(n, dir)) };
  if (!dir && !s.containers.length) s.containers = [cont('a', false)];
  if (dir && rnd() < 0.4) s['$setElementOrder/containers'] = shuffle(some(names, 0.7)).map((name) => ({ name }));
  if (rnd() < 0.5) s.volumes = shuffle(some(names, 0.4)).map((n) => vol(n, dir));
  if (rnd() < 0.3) s.nodeSelector = { [pick(names)]: '1' };
  if (dir && rnd() < 0.1) s.tolerations = null; else if (rnd() < 0.3) s.tolerations = [{ key: pick(names) }];
  if (dir && rnd() < 0.05) s.$patch = 'replace';
  return s;
};
const meta = (dir: boolean): any => { const m: any = { finalizers: shuffle(some(['f/a', 'f/b', 'f/c', 'f/d'])), labels: Object.fromEntries(some(names).map((n) => [n, dir && rnd() < 0.3 ? null : pick(['1', '2'])])) }; if (dir && rnd() < 0.4) m['$deleteFromPrimitiveList/finalizers'] = some(['f/a', 'f/b']); if (dir && rnd() < 0.4) m['$setElementOrder/finalizers'] = shuffle(some(['f/a', 'f/b', 'f/c', 'f/d'], 0.7)); if (dir && rnd() < 0.2) delete m.finalizers; return m; };
const clean = (v: any): any => Array.isArray(v) ? v.filter((x) => !(x && x.$patch)).map(clean) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).filter(([k, x]) => x !== null && !(typeof x === 'object' && k !== 'emptyDir' && Object.keys(x as any).length === 0)).map(([k, x]) => [k, clean(x)])) : v;
const sort = (v: any): any => Array.isArray(v) ? v.map(sort) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sort(v[k])])) : v;
let diffs = 0, errs = 0;
for (let i = 0; i < 110; i++) {
  const base = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x', ...meta(false) }, spec: { template: { spec: spec(false) } } };
  const patch = { metadata: meta(true), spec: { template: { spec: spec(true) } } };
  writeFileSync('/tmp/sk/fz.json', JSON.stringify(base));
  let theirs: any, ours: any;
  try { theirs = JSON.parse(execFileSync('kubectl', ['patch', '--local', '-f', '/tmp/sk/fz.json', '--type=strategic', '-p', JSON.stringify(patch), '-o', 'json'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })); } catch (e: any) { theirs = 'ERR ' + String(e.stderr).slice(0, 200); }
  try { ours = strategicMerge(schema, base as any, patch); } catch (e: any) { ours = 'ERR ' + e.message; }
  const [a, b] = [typeof theirs === 'string' ? theirs : JSON.stringify(sort(clean(clean(theirs)))), typeof ours === 'string' ? ours : JSON.stringify(sort(clean(clean(ours))))];
  if (a === b) continue;
  if (a.startsWith('ERR') && b.startsWith('ERR')) { errs++; continue; }
  if (diffs++ < 3) console.log('DIFF\n B', JSON.stringify(base), '\n P', JSON.stringify(patch), '\n K', a, '\n O', b);
}
console.log({ diffs, errs });
