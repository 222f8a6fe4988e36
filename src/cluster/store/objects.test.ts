import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { objectIndex } from './objects.ts';

const step = fc.record({ set: fc.boolean(), key: fc.stringMatching(/^[a-z]$/), reads: fc.nat(20) });

describe('the index of objects', () => {
  it('LIST-01: keys come in order of code unit after any writes and deletions', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const index = objectIndex();
        const model = new Set<string>();
        for (const { set, key, reads } of steps) {
          if (set) index.set(`n/${key}`, { apiVersion: 'v1', kind: 'X', metadata: { name: key } });
          else index.delete(`n/${key}`);
          if (set) model.add(key);
          else model.delete(key);
          if (reads > 0) continue;
          expect(index.values('n').map(({ metadata }) => metadata.name)).toEqual([...model].toSorted());
        }
        expect(index.values().map(({ metadata }) => metadata.name)).toEqual([...model].toSorted());
        expect(index.size).toBe(model.size);
      }),
    );
  });
});
