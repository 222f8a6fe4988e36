import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemWorld, virtualWorld } from '../../base/world/index.ts';
import type { KubeObject } from '../../kube/objects/index.ts';
import { createStore, fileJournal, memoryJournal, type Journal, type Store, type StoreEvent } from './index.ts';

const { clock } = systemWorld();
const object = (name: string, value = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n' },
  data: { value },
});
const key = (name: string): { resource: string; namespace: string; name: string } => ({ resource: 'configmaps', namespace: 'n', name });

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'store-'));
  path = join(folder, 'cluster.db');
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (journal: Journal = fileJournal(path)): Store => createStore({ clock, journal });

describe('the store', () => {
  it('writes are conditional on what was read', async () => {
    const store = open(memoryJournal());
    const first = store.put(key('a'), object('a'), undefined);
    expect(first?.metadata.resourceVersion).toBe('1');
    expect(store.put(key('a'), object('a'), undefined)).toBeUndefined();
    const second = store.put(key('a'), object('a', '2'), first);
    expect(second?.metadata.resourceVersion).toBe('2');
    expect(store.remove(key('a'), first as KubeObject)).toBeUndefined();
    expect(store.remove(key('a'), second as KubeObject)?.metadata.resourceVersion).toBe('3');
    expect(store.list('configmaps')).toEqual([]);
    await store.close();
  });

  it('stored objects are frozen to the ground', () => {
    const stored = open(memoryJournal()).put(key('a'), object('a'), undefined);
    expect(Object.isFrozen(stored?.['data'])).toBe(true);
  });

  it('events are told when they are committed, in order, with what was there before', async () => {
    const store = open(memoryJournal());
    const events: StoreEvent[] = [];
    store.subscribe('configmaps', (event) => events.push(event));
    const stored = store.put(key('a'), object('a'), undefined) as KubeObject;
    store.put(key('a'), object('a', '2'), stored);
    expect(events).toEqual([]);
    await store.committed();
    expect(events.map(({ type, revision, previous }) => [type, revision, previous?.metadata.resourceVersion])).toEqual([
      ['ADDED', 1, undefined],
      ['MODIFIED', 2, '1'],
    ]);
    expect(store.since('configmaps', 1)?.map(({ revision }) => revision)).toEqual([2]);
  });

  it('all writes of one turn are one transaction', async () => {
    const appended: number[] = [];
    const store = open({ ...memoryJournal(), append: (rows) => void appended.push(rows.length) });
    for (let i = 0; i < 10; i++) store.put(key(`a${i}`), object(`a${i}`), undefined);
    await store.committed();
    store.put(key('b'), object('b'), undefined);
    await store.committed();
    expect(appended).toEqual([10, 1]);
  });

  it('a write that cannot be stored is undone and its writer told', async () => {
    let isFull = false;
    const store = open({
      ...memoryJournal(),
      append: () => {
        if (isFull) throw new Error('disk full');
      },
    });
    const stored = store.put(key('a'), object('a'), undefined) as KubeObject;
    await store.committed();
    isFull = true;
    store.put(key('a'), object('a', '2'), stored);
    store.put(key('b'), object('b'), undefined);
    await expect(store.committed()).rejects.toMatchObject({ code: 'CLUSTER_WRITE_FAILED', retry: true });
    expect(store.list('configmaps')).toEqual([stored]);
  });

  it('history is bounded: old states are 410 when five minutes and a thousand events have passed', async () => {
    const world = virtualWorld({ seed: 1 });
    const store = createStore({ clock: world.clock, journal: memoryJournal() });
    let stored = store.put(key('a'), object('a'), undefined);
    await world.run(0);
    for (let i = 0; i < 1500; i++) stored = store.put(key('a'), object('a', String(i)), stored);
    await world.run(0);
    expect(store.listAt('configmaps', 1)[0]?.['data']).toEqual({ value: '1' });
    await world.run(6 * 60_000);
    store.put(key('b'), object('b'), undefined);
    await world.run(0);
    expect(() => store.listAt('configmaps', 1)).toThrow('too old');
    expect(store.since('configmaps', 1)).toBeUndefined();
    expect(store.since('configmaps', store.revision - 1)).toHaveLength(1);
    expect(store.oldest('configmaps')).toBeGreaterThan(400);
  });
});

describe('the file', () => {
  it('STORE-01: state, resourceVersions and history survive a restart', async () => {
    const store = open();
    const first = store.put(key('a'), object('a'), undefined) as KubeObject;
    store.put(key('b'), object('b'), undefined);
    const second = store.put(key('a'), object('a', '2'), first) as KubeObject;
    store.put({ ...key('s'), resource: 'secrets' }, object('s'), undefined);
    await store.committed();
    await store.close();
    const again = open();
    expect(again.revision).toBe(4);
    expect(again.get(key('a'))).toEqual(second);
    expect(again.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(again.since('configmaps', 1)?.map(({ type, name }) => `${type} ${name}`)).toEqual(['ADDED b', 'MODIFIED a']);
    expect(again.listAt('configmaps', 1)).toEqual([first]);
    expect(Object.isFrozen(again.get(key('a')))).toBe(true);
    expect(again.put(key('c'), object('c'), undefined)?.metadata.resourceVersion).toBe('5');
    await again.close();
  });

  it('closing commits what is pending, also when no turn ends any more', async () => {
    const world = virtualWorld({ seed: 1 });
    const store = createStore({ clock: world.clock, journal: fileJournal(path) });
    store.put(key('a'), object('a'), undefined);
    await store.close();
    const again = open();
    expect(again.list('configmaps')).toHaveLength(1);
    await again.close();
  });

  it('STORE-01: only its owner can read it', async () => {
    const store = open();
    store.put(key('a'), object('a'), undefined);
    await store.committed();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await store.close();
  });

  it('integers beyond 2^53 and keys of prototypes survive', async () => {
    const store = open();
    const data = JSON.parse('{"__proto__": 1}') as Record<string, unknown>;
    store.put(key('a'), { ...object('a'), big: 9_007_199_254_740_993n, data }, undefined);
    await store.committed();
    await store.close();
    const again = open();
    expect(again.get(key('a'))?.['big']).toBe(9_007_199_254_740_993n);
    expect(Object.keys(again.get(key('a'))?.['data'] as object)).toEqual(['__proto__']);
    await again.close();
  });

  it('superseded rows are compacted at start, current ones are not', async () => {
    const store = open();
    let stored = store.put(key('a'), object('a'), undefined);
    store.put(key('kept'), object('kept'), undefined);
    const gone = store.put(key('gone'), object('gone'), undefined) as KubeObject;
    store.remove(key('gone'), gone);
    for (let i = 0; i < 25_000; i++) stored = store.put(key('a'), object('a', String(i)), stored);
    await store.committed();
    await store.close();
    const again = open();
    expect(again.list('configmaps').map(({ metadata }) => metadata.name)).toEqual(['a', 'kept']);
    expect(again.get(key('a'))?.['data']).toEqual({ value: '24999' });
    await again.close();
    const database = new DatabaseSync(path);
    expect(Number(database.prepare('SELECT count(*) AS n FROM revisions').get()?.['n'])).toBeLessThan(10_100);
    database.close();
  });

  it('a second store on the same file is refused, naming the folder', async () => {
    const store = open();
    expect(() => open()).toThrow(
      expect.objectContaining({ code: 'CLUSTER_DATA_LOCKED', message: expect.stringContaining(folder) as unknown }) as Error,
    );
    await store.close();
    await open().close();
  });

  it.each([
    ['random bytes', Buffer.alloc(8192, 'x')],
    ['a text file', Buffer.from('hello')],
  ])('a database of %s is refused and left as it is', (_what, bytes) => {
    writeFileSync(path, bytes);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'CLUSTER_DATABASE_CORRUPT' }) as Error);
    expect(readFileSync(path)).toEqual(bytes);
  });

  it('damage in the middle is refused, and the file left as it is', async () => {
    const store = open();
    for (let i = 0; i < 2000; i++) store.put(key(`a${i}`), object(`a${i}`, 'v'.repeat(100)), undefined);
    await store.committed();
    await store.close();
    const bytes = readFileSync(path);
    bytes.fill(0xff, 8192, 65_536);
    writeFileSync(path, bytes);
    const before = createHash('sha256').update(bytes).digest('hex');
    expect(() => open()).toThrow(expect.objectContaining({ code: 'CLUSTER_DATABASE_CORRUPT' }) as Error);
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(before);
  });

  it('a file of a newer version is refused', async () => {
    await open().close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version=99');
    database.close();
    expect(() => open()).toThrow(expect.objectContaining({ code: 'CLUSTER_DATABASE_NEWER' }) as Error);
  });

  it.skipIf(process.getuid?.() === 0)('a folder that cannot be written is named', () => {
    chmodSync(folder, 0o500);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'CLUSTER_DATABASE_UNUSABLE' }) as Error);
    chmodSync(folder, 0o700);
  });

  it('STORE-01: kill -9 at any time loses no acknowledged write', async () => {
    const program = `
      import { systemWorld } from ${JSON.stringify(new URL('../../base/world/index.ts', import.meta.url).href)};
      import { createStore, fileJournal } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
      const store = createStore({ clock: systemWorld().clock, journal: fileJournal(${JSON.stringify(path)}) });
      for (let i = store.revision; ; i++) {
        const name = 'o' + i;
        store.put({ resource: 'configmaps', namespace: 'n', name }, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'n' } }, undefined);
        await store.committed();
        process.stdout.write(name + '\\n');
      }`;
    const acknowledged = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.length > 400 * (round + 1)) child.kill('SIGKILL');
      });
      await new Promise((resolve) => child.on('close', resolve));
      // The last line may be cut.
      for (const name of text.split('\n').slice(0, -1)) acknowledged.add(name);
    }
    const store = open();
    const stored = new Set(store.list('configmaps').map(({ metadata }) => metadata.name));
    expect(acknowledged.size).toBeGreaterThan(100);
    expect([...acknowledged].filter((name) => !stored.has(name))).toEqual([]);
    await store.close();
  });
});
