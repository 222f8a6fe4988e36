/** A column of a table; the higher the number, the earlier it disappears on a narrow terminal. */
export interface Column {
  readonly title: string;
  readonly priority?: number;
}

export interface TableOptions {
  /** Cells of the terminal; absent when piped: all columns, no wrapping. */
  readonly width?: number;
  readonly header?: boolean;
  readonly heading?: (text: string) => string;
}

const GAP = '  ';

/**
 * A table that fits its width (TRM-05): names and states are never cut, the least important columns disappear and a
 * last line names how many, the last column wraps under itself. Cells may hold colour codes.
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const kept = fitColumns(columns, rows, options.width);
  const titles = kept.map((index) => columns[index]?.title ?? '');
  const cells = rows.map((row) => kept.map((index) => row[index] ?? ''));
  const widths = titles.map((title, i) => Math.max(cellWidth(title), ...cells.map((row) => cellWidth(row[i] ?? ''))));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + GAP.length, 0);
  const lastWidth = options.width === undefined ? Infinity : Math.max(MIN_LAST, options.width - before);
  const line = (row: readonly string[], paint = (text: string): string => text): string => {
    const last = wrap(row.at(-1) ?? '', lastWidth);
    const head = row
      .slice(0, -1)
      .map((cell, i) => paint(cell) + ' '.repeat((widths[i] ?? 0) - cellWidth(cell)) + GAP)
      .join('');
    return last.map((part, i) => ((i === 0 ? head : ' '.repeat(before)) + paint(part)).trimEnd()).join('\n');
  };
  const lines = [...(options.header === false ? [] : [line(titles, options.heading)]), ...cells.map((row) => line(row))];
  const hidden = columns.length - kept.length;
  if (hidden > 0) lines.push(`+${hidden} ${hidden === 1 ? 'column' : 'columns'}: -o wide`);
  return `${lines.join('\n')}\n`;
}

/** The narrowest last column before columns start to disappear. */
const MIN_LAST = 20;

function fitColumns(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | undefined): number[] {
  const all = columns.map((_, index) => index);
  if (width === undefined) return all;
  const widthOf = (index: number): number =>
    Math.max(cellWidth(columns[index]?.title ?? ''), ...rows.map((row) => cellWidth(row[index] ?? '')));
  const kept = new Set(all);
  const byPriority = all.toSorted((a, b) => (columns[b]?.priority ?? 0) - (columns[a]?.priority ?? 0));
  for (const candidate of byPriority) {
    const indices = all.filter((index) => kept.has(index));
    const total = indices.reduce(
      (sum, index, i) => sum + (i === indices.length - 1 ? Math.min(widthOf(index), MIN_LAST) : widthOf(index) + GAP.length),
      0,
    );
    if (total <= width || (columns[candidate]?.priority ?? 0) === 0) break;
    kept.delete(candidate);
  }
  return all.filter((index) => kept.has(index));
}

// oxlint cannot see that the escape is the point here: colour codes take no room.
const SGR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');

function cellWidth(text: string): number {
  return Array.from(text.replaceAll(SGR, '')).length;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && cellWidth(line) + 1 + cellWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
