import { SottoError } from '../../base/errors/index.ts';
import { parseDuration } from '../../base/world/index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A schedule that names no date within this time has none. */
const HORIZON_DAYS = 5 * 366;

const MACROS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** When something happens again and again. Times are milliseconds since the epoch. */
export interface Schedule {
  /** The first time after `after`; undefined when there is none within five years. */
  next(after: number): number | undefined;
}

/**
 * A schedule of five fields, or one of the `@` words, in a time zone (default UTC).
 *
 * @throws SottoError CRON_INVALID
 */
export function parseSchedule(text: string, zone = 'UTC'): Schedule {
  const every = /^@every (\S+)$/.exec(text.trim())?.[1];
  if (every !== undefined) return { next: (after) => after + Math.max(1000, parseDuration(every)) };
  const parts = (MACROS[text.trim()] ?? text).trim().split(/\s+/);
  if (parts.length !== 5) throw invalid();
  const [minutes, hours, days, months, weekdays] = [
    field(parts[0], 0, 59),
    field(parts[1], 0, 23),
    field(parts[2], 1, 31),
    field(parts[3], 1, 12, MONTHS),
    field(parts[4], 0, 7, DAYS),
  ];
  if (weekdays.has(7)) weekdays.add(0);
  const isAnyDay = /^[*?]/.test(parts[2] ?? '');
  const isAnyWeekday = /^[*?]/.test(parts[4] ?? '');
  const offset = offsetIn(zone);
  const isDay = (wall: Date): boolean => {
    const [byDay, byWeekday] = [days.has(wall.getUTCDate()), weekdays.has(wall.getUTCDay())];
    return isAnyDay || isAnyWeekday ? byDay && byWeekday : byDay || byWeekday;
  };
  return {
    next: (after) => {
      let at = (Math.floor(after / MINUTE) + 1) * MINUTE;
      for (const end = after + HORIZON_DAYS * DAY; at < end;) {
        const shift = offset(at);
        const local = at + shift;
        const wall = new Date(local);
        if (!months.has(wall.getUTCMonth() + 1) || !isDay(wall)) at = (Math.floor(local / DAY) + 1) * DAY - shift;
        else if (!hours.has(wall.getUTCHours())) at = (Math.floor(local / HOUR) + 1) * HOUR - shift;
        else if (minutes.has(wall.getUTCMinutes())) return at;
        else at += MINUTE;
      }
      return undefined;
    },
  };
}

function invalid(): SottoError {
  return new SottoError('CRON_INVALID', 'the schedule is not one of cron', { hint: 'five fields: minute, hour, day, month, weekday' });
}

function field(text = '', low: number, high: number, names: readonly string[] = []): Set<number> {
  const number = (word: string): number => {
    const named = names.indexOf(word.toLowerCase());
    const value = named >= 0 && word !== '' ? named : Number(word);
    if (!Number.isInteger(value) || word === '' || value < low || value > high) throw invalid();
    return value;
  };
  const found = new Set<number>();
  for (const item of text.split(',')) {
    const [range = '', step] = item.split('/');
    const [from = '', to] = range.split('-');
    const isAny = range === '*' || range === '?';
    const first = isAny ? low : number(from);
    const last = isAny || (to === undefined && step !== undefined) ? high : number(to ?? from);
    const by = step === undefined ? 1 : Number(step);
    if (!Number.isInteger(by) || by < 1) throw invalid();
    for (let value = first; value <= last; value += by) found.add(value);
  }
  return found;
}

/** Milliseconds that a zone's wall clock is ahead of UTC. */
function offsetIn(zone: string): (at: number) => number {
  if (zone === 'UTC' || zone === '' || zone === 'Etc/UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
  } catch (cause) {
    throw new SottoError('CRON_INVALID', 'the time zone of the schedule is not known', { cause });
  }
  return (at) => {
    const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR + Number(minutes) * MINUTE);
  };
}
