import { describe, expect, it } from 'vitest';

import { renderTable } from './table.ts';

const COLUMNS = [{ title: 'NAME' }, { title: 'STATE' }, { title: 'FILE', priority: 2 }, { title: 'WHY', priority: 0 }];
const ROWS = [
  ['apps', 'Failed', 'clusters/home/apps.yaml', 'no identity opens apps/db.enc.yaml'],
  ['infra', 'Ready', 'clusters/home/infra.yaml', ''],
];

describe('tables', () => {
  it('TRM-05: piped, all columns, no wrapping, two spaces between', () => {
    expect(renderTable(COLUMNS, ROWS)).toBe(
      [
        'NAME   STATE   FILE                      WHY',
        'apps   Failed  clusters/home/apps.yaml   no identity opens apps/db.enc.yaml',
        'infra  Ready   clusters/home/infra.yaml',
        '',
      ].join('\n'),
    );
  });

  it('TRM-05: on a narrow terminal the least important column goes, the last wraps under itself', () => {
    expect(renderTable(COLUMNS, ROWS, { width: 40 })).toBe(
      [
        'NAME   STATE   WHY',
        'apps   Failed  no identity opens',
        '               apps/db.enc.yaml',
        'infra  Ready',
        '+1 column: -o wide',
        '',
      ].join('\n'),
    );
  });

  it('colour codes take no room', () => {
    const painted = renderTable([{ title: 'A' }, { title: 'B' }], [['\u001b[31mx\u001b[0m', 'y']]);
    expect(painted).toBe('A  B\n\u001b[31mx\u001b[0m  y\n');
  });
});
