import { createServer } from 'node:http';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { builtinResources, schemaOf, openApiDocument, decodeProtobuf, defaultObject } from './src/kube/schema/index.ts';
const all = builtinResources();
const gvs = [...new Set(all.map((r) => (r.group ? `${r.group}/${r.version}` : r.version)))];
const captured: any[] = []; const log: string[] = [];
const server = createServer((req, res) => {
  const chunks: Buffer[] = [];
  req.on('data', (c) => chunks.push(c));
  req.on('end', () => {
    const body = Buffer.concat(chunks); const url = new URL(req.url!, 'http://x');
    log.push(`${req.method} ${req.url} ${req.headers['content-type'] ?? ''}`);
    const json = (v: any, status = 200) => { res.writeHead(status, { 'content-type': 'application/json' }); res.end(JSON.stringify(v)); };
    const p = url.pathname;
    if (req.method === 'POST' || req.method==='PATCH') {
      captured.push({ path: p, type: req.headers['content-type'], body: body.toString('base64') });
      if (req.headers['content-type']?.includes('protobuf')) { try { return json(decodeProtobuf(body), 201); } catch (e: any) { return json({kind:'Status',apiVersion:'v1',status:'Failure',message:e.message,code:415},415); } }
      return json(JSON.parse(body.toString()), 201);
    }
    if (p === '/version') return json({ major: '1', minor: '34', gitVersion: 'v1.34.0' });
    if (p === '/api') return json({ kind: 'APIVersions', versions: ['v1'] });
    if (p === '/apis') return json({ kind: 'APIGroupList', apiVersion: 'v1', groups: [...new Set(all.filter((r) => r.group).map((r) => r.group))].map((g) => { const vs = [...new Set(all.filter((r) => r.group === g).map((r) => r.version))].map((v) => ({ groupVersion: `${g}/${v}`, version: v })); return { name: g, versions: vs, preferredVersion: vs[0] }; }) });
    if (p === '/openapi/v3') return json({ paths: Object.fromEntries(gvs.map((gv) => { const path = (gv.includes('/') ? 'apis/' : 'api/') + gv; return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=x` }]; })) });
    if (p.startsWith('/openapi/v3/')) { const gv = p.replace(/^\/openapi\/v3\/apis?\//, ''); const rs = all.filter((r) => (r.group ? `${r.group}/${r.version}` : r.version) === gv); return json(openApiDocument(gv, rs, new Map(rs.map((r) => [r.kind, schemaOf(r)!])))); }
    const m = /^\/apis?\/(.+)$/.exec(p); const gv = m?.[1];
    const rs = all.filter((r) => (r.group ? `${r.group}/${r.version}` : r.version) === gv);
    if (rs.length) return json({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: gv, resources: rs.map((r) => ({ name: r.plural, singularName: r.singular, namespaced: r.namespaced, kind: r.kind, verbs: r.verbs, shortNames: r.shortNames, categories: r.categories })) });
    return json({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404, message: 'not found' }, 404);
  });
});
await new Promise<void>((r) => server.listen(0, '127.0.0.1', r));
const port = (server.address() as any).port;
writeFileSync('/tmp/sk/kc', JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'u', namespace: 'n' } }], users: [{ name: 'u', user: {} }], 'current-context': 'c' }));
const kubectl = (...args: string[]) => new Promise<{ out: string; err: string }>((r) => execFile('kubectl', args, { env: { ...process.env, KUBECONFIG: '/tmp/sk/kc', HOME: '/tmp/sk/home' } }, (_e, out, err) => r({ out, err })));
const commands: string[][] = [
  ['create','secret','generic','s','--from-literal=a=1','--from-literal=empty='],
  ['create','secret','tls','s','--cert=/tmp/sk/c.crt','--key=/tmp/sk/c.key'],
  ['create','configmap','c','--from-literal=a=b','--from-literal=e='],
  ['create','namespace','ns'],
  ['create','serviceaccount','sa'],
  ['create','role','r','--verb=get,list','--resource=pods,deployments.apps','--resource-name=x'],
  ['create','clusterrole','r','--verb=get','--non-resource-url=/x'],
  ['create','clusterrole','r','--aggregation-rule=a=b'],
  ['create','rolebinding','r','--role=r','--user=u','--serviceaccount=n:sa'],
  ['create','clusterrolebinding','r','--clusterrole=r','--group=g'],
  ['create','deployment','d','--image=nginx:1','--port=80','--replicas=2'],
  ['create','job','j','--image=busybox','--','sh','-c','true'],
  ['create','cronjob','j','--image=busybox','--schedule=*/5 * * * *'],
  ['create','service','clusterip','s','--tcp=80:8080'],
  ['create','service','nodeport','s','--tcp=80:http','--node-port=30001'],
  ['create','service','externalname','s','--external-name=a.b'],
  ['create','ingress','i','--rule=foo.com/bar*=svc:8080,tls=sec','--class=c','--annotation=a=b'],
  ['create','quota','q','--hard=cpu=1,memory=1G','--scopes=BestEffort'],
  ['create','pdb','p','--selector=a=b','--min-available=50%'],
  ['create','pdb','p','--selector=a=b','--max-unavailable=1'],
  ['create','priorityclass','p','--value=-10','--description=x','--global-default'],
  ['create','token','sa','--duration=600s','--audience=a','--bound-object-kind=Pod','--bound-object-name=p','--bound-object-uid=u'],
  ['auth','can-i','get','pods/log','x'],
  ['auth','can-i','get','/healthz'],
  ['auth','whoami'],
  ['auth','can-i','--list'],
];
writeFileSync('/tmp/sk/c.crt', process.env['CRT'] ?? ''); 
const cases: any[] = [];
for (const c of commands) {
  const before = captured.length;
  const r = await kubectl(...c);
  const sent = captured.slice(before).filter((x) => x.type?.includes('protobuf'));
  const isCreate = c[0] === 'create' && c[1] !== 'token';
  const dash = c.indexOf('--');
  const dry = ['--dry-run=client','-o','json'];
  const expected = isCreate ? JSON.parse((await kubectl(...(dash<0?[...c,...dry]:[...c.slice(0,dash),...dry,...c.slice(dash)]))).out || 'null') : null;
  for (const s of sent) cases.push({ command: 'kubectl ' + c.join(' '), protobuf: s.body, expected });
  if (!sent.length) console.log('none', c.join(' '), r.err.slice(0, 300));
}
const clean = (v: any): any => Array.isArray(v) ? v.map(clean) : v && typeof v === 'object' ? Object.fromEntries(Object.entries(v).filter(([k, x]) => x !== null && !(typeof x==='object' && Object.keys(x as any).length===0)).map(([k, x]) => [k, clean(x)])) : v;
const sort = (v: any): any => Array.isArray(v) ? v.map(sort) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sort(v[k])])) : v;
for (const c of cases) {
  let ours: any; try { ours = decodeProtobuf(Buffer.from(c.protobuf, 'base64')); } catch (e: any) { ours = e.message; }
  if (!c.expected) { console.log(c.command, JSON.stringify(ours)); continue; }
  const [a, b] = [JSON.stringify(sort(clean(c.expected))), JSON.stringify(sort(clean(ours)))];
  if (a !== b) console.log('DIFF', c.command, '\n K', a, '\n O', b, '\n raw', JSON.stringify(ours));
}
writeFileSync('/tmp/sk/proto.json', JSON.stringify(cases));
console.log(cases.length);
for (const ex of [['explain','deployment.spec.strategy'],['explain','secret'],['explain','ingress.spec.rules.http.paths'],['explain','cm.metadata.ownerReferences'],['api-resources','-o','name']]) { const r = await kubectl(...ex); console.log(ex.join(' '), '\n', r.out.slice(0, 700), r.err.slice(0, 400)); }
writeFileSync('/tmp/sk/cm.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n');
for (const ex of [['apply','-f','/tmp/sk/cm.yaml'],['apply','--server-side','-f','/tmp/sk/cm.yaml'],['create','-f','/tmp/sk/cm.yaml']]) { log.length = 0; const r = await kubectl(...ex); console.log(ex.join(' '), r.out, r.err, log.filter((l) => !l.startsWith('GET /apis/') && !l.startsWith('GET /api')).join('\n   ')); }
server.close();
