import type { Benchmark, Measured } from './benchmark.ts';

export interface Result {
  readonly name: string;
  readonly unit: Benchmark['unit'];
  readonly value?: number;
  readonly target?: Benchmark['target'];
  /** Absent without a target. */
  readonly verdict?: 'ok' | 'over';
  readonly reference?: Measured['reference'];
  /** Value divided by that of the reference. */
  readonly ratio?: number;
  /** Why there is no value. */
  readonly error?: string;
}

export function resultOf({ name, unit, target }: Benchmark, measured: Measured | Error): Result {
  const base = { name, unit, ...(target === undefined ? {} : { target }) };
  if (measured instanceof Error) return { ...base, error: measured.message };
  const { value, reference } = measured;
  const ratio = reference === undefined ? undefined : value / reference.value;
  return {
    ...base,
    value,
    ...(target === undefined ? {} : { verdict: isReached(target, value, ratio) ? ('ok' as const) : ('over' as const) }),
    ...(reference === undefined || ratio === undefined ? {} : { reference, ratio }),
  };
}

function isReached(target: NonNullable<Benchmark['target']>, value: number, ratio = Number.NaN): boolean {
  if ('below' in target) return value < target.below;
  return 'atMost' in target ? value <= target.atMost : ratio >= target.ratio;
}

const TITLES = ['NAME', 'MEASURED', 'TARGET', 'VERDICT', 'RATIO'];

/** One aligned table; the reasons of crashes below it. */
export function renderResults(results: readonly Result[]): string {
  const rows = [TITLES, ...results.map(cellsOf)];
  const widths = TITLES.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const crashes = results.flatMap(({ name, error }) => (error === undefined ? [] : [`\n${name} crashed: ${error}`]));
  return `${[...lines, ...crashes].join('\n')}\n`;
}

function cellsOf({ name, unit, value, target, verdict, reference, ratio }: Result): string[] {
  const measured = value === undefined ? 'crashed' : `${digits(value)} ${unit}`;
  const compared =
    reference === undefined || ratio === undefined ? '-' : `${digits(ratio)} × ${reference.name} (${digits(reference.value)} ${unit})`;
  return [name, measured, targetText(target, unit), verdict ?? '-', compared];
}

function targetText(target: Benchmark['target'], unit: string): string {
  if (target === undefined) return '-';
  if ('below' in target) return `< ${target.below} ${unit}`;
  return 'atMost' in target ? `≤ ${target.atMost} ${unit}` : `≥ ${target.ratio} ×`;
}

/** Three significant digits, never an exponent. */
function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
