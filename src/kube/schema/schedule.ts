/** Cron schedules as CronJob takes them: five fields or a descriptor, optionally after `TZ=…`. */

const NAMES: Readonly<Record<string, readonly string[]>> = {
  month: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  day: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'],
};

interface Field {
  readonly min: number;
  readonly max: number;
  /** Names that stand for numbers from `min` on. */
  readonly names: readonly string[];
}

const FIELDS: readonly Field[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: NAMES['month'] ?? [] },
  { min: 0, max: 6, names: NAMES['day'] ?? [] },
];

const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const EVERY = /^@every (?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/;

export function isSchedule(text: string): boolean {
  if (text.startsWith('@')) return DESCRIPTORS.has(text) || EVERY.test(text);
  const fields = text.trim().split(/\s+/);
  return fields.length === FIELDS.length && FIELDS.every((field, i) => (fields[i] ?? '').split(',').every((part) => isRange(part, field)));
}

/** `*`, `5`, `1-5`, each with an optional `/step`. */
function isRange(part: string, field: Field): boolean {
  const [range = '', step, ...more] = part.split('/');
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return false;
  if (range === '*' || range === '?') return true;
  const ends = range.split('-').map((end) => numberOf(end, field));
  const [low, high = low] = ends;
  return ends.length <= 2 && low !== undefined && high !== undefined && low >= field.min && high <= field.max && low <= high;
}

function numberOf(text: string, field: Field): number | undefined {
  const named = field.names.indexOf(text.toLowerCase());
  if (named >= 0) return named + field.min;
  return /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
}
