import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

import { FACES, FLOORS, FORBIDDEN } from './rooms.ts';

const source = join(dirname(fileURLToPath(import.meta.url)), '../../src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.split('\\').join('/'));
/** Helpers that only tests use: not built, and open to the tests of other rooms. */
const isFixture = (file: string): boolean => file.endsWith('.fixture.ts') || file.endsWith('/testing.ts');
const shipped = files.filter((file) => !file.endsWith('.test.ts') && !isFixture(file));

function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(([, path]) =>
    posix.normalize(posix.join(posix.dirname(file), path ?? '')),
  );
}

/** `kube/client`, `cli`: the room of a file, or the floor for an index of a whole floor. */
function roomOf(file: string): { floor: string; room: string } {
  const [floor = '', second = ''] = file.split('/');
  if (FACES.includes(floor)) return { floor, room: floor };
  return { floor, room: second.endsWith('.ts') ? '*' : second };
}

const rank = new Map([...FLOORS.map((floor) => floor.folder), ...FACES].map((folder, index) => [folder, Math.min(index, FLOORS.length)]));

/** Why an import is not allowed, or undefined. */
function objection(from: string, to: string): string | undefined {
  const [a, b] = [roomOf(from), roomOf(to)];
  if (to.startsWith('../package.json')) return undefined;
  if (a.floor === b.floor && a.room === b.room) return undefined;
  const [up, down] = [rank.get(a.floor), rank.get(b.floor)];
  if (up === undefined || down === undefined) return 'is in no room of the design';
  if (!to.endsWith('/index.ts') && !to.includes('/generated/')) return 'reaches into a room past its index.ts';
  if (down > up) return 'points upwards';
  if (FORBIDDEN.some(([x, y]) => x === a.floor && y === b.floor)) return 'is forbidden by the design';
  if (down < up) return undefined;
  if (FACES.includes(a.floor)) return 'joins two faces';
  const allowed = FLOORS.find((floor) => floor.folder === a.floor)?.rooms[a.room];
  if (a.room === '*') return undefined;
  return allowed !== undefined && (allowed.includes(b.room) || allowed.includes('*')) ? undefined : 'is no arrow of the design';
}

describe('architecture', () => {
  it('every file of src/ is in a room of the design', () => {
    const known = new Set(FLOORS.flatMap((floor) => Object.keys(floor.rooms).map((room) => `${floor.folder}/${room}`)));
    const strangers = shipped.filter((file) => {
      const { floor, room } = roomOf(file);
      return !FACES.includes(floor) && room !== '*' && !known.has(`${floor}/${room}`);
    });
    expect(strangers).toEqual([]);
  });

  it('every room has an index.ts', () => {
    const rooms = new Set(
      shipped
        .map((file) =>
          file
            .split('/')
            .slice(0, FACES.includes(roomOf(file).floor) ? 1 : 2)
            .join('/'),
        )
        .filter((room) => !room.endsWith('.ts')),
    );
    expect([...rooms].filter((room) => !shipped.includes(`${room}/index.ts`))).toEqual([]);
  });

  it('imports follow the arrows of the design', () => {
    const wrong = shipped.flatMap((file) =>
      importsOf(file).flatMap((target) => {
        const reason = objection(file, target);
        return reason === undefined ? [] : [`${file} → ${target}: ${reason}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('there is no import cycle', () => {
    const graph = new Map(shipped.map((file) => [file, importsOf(file).filter((target) => shipped.includes(target))]));
    expect(findCycle(graph)).toBeUndefined();
  });

  it('a test reaches only the public face of other rooms', () => {
    const tests = files.filter((file) => file.endsWith('.test.ts'));
    const wrong = tests.flatMap((file) =>
      importsOf(file)
        .filter(
          (target) =>
            !target.startsWith('..') &&
            (roomOf(target).floor !== roomOf(file).floor || roomOf(target).room !== roomOf(file).room) &&
            !target.endsWith('/index.ts') &&
            !isFixture(target),
        )
        .map((target) => `${file} → ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  it('below the faces nothing reads the clock, and nothing at all is switched off', () => {
    const rules: readonly [RegExp, string][] = [
      [/new Date\(\)/, 'new Date() reads the clock: use world.clock'],
      [/@ts-(ignore|expect-error|nocheck)/, 'switches the type checker off'],
      [/(oxlint|eslint|biome)-disable/, 'switches the linter off'],
    ];
    const wrong = shipped.flatMap((file) => {
      const text = readFileSync(join(source, file), 'utf8');
      return rules.filter(([pattern]) => pattern.test(text)).map(([, why]) => `${file}: ${why}`);
    });
    expect(wrong).toEqual([]);
  });
});

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    const start = path.indexOf(file);
    if (start >= 0) return [...path.slice(start), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
