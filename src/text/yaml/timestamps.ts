/**
 * Timestamps as Go's YAML libraries know them: four-digit year, other fields of one or two digits, a date that
 * exists, with a zone after `T`, without one after a space.
 */

const TIMESTAMP = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt ])(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d{2}:\d{2})?)?$/;

interface Timestamp {
  readonly date: readonly [year: string, month: number, day: number];
  readonly time: readonly [hour: number, minute: number, second: number];
  /** Digits after the decimal point, as written. */
  readonly fraction: string;
  readonly zone: string;
}

function parse(text: string): Timestamp | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, year = '', month, day, separator, hour = '0', minute = '0', second = '0', fraction = '', zone] = match;
  // After a space there is never a zone, after a T always one.
  if (separator !== undefined && (separator === ' ') === (zone !== undefined)) return undefined;
  const found: Timestamp = {
    date: [year, Number(month), Number(day)],
    time: [Number(hour), Number(minute), Number(second)],
    fraction,
    zone: zone ?? 'Z',
  };
  return exists(found) ? found : undefined;
}

function exists({ date: [year, month, day], time: [hour, minute, second], zone }: Timestamp): boolean {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(Number(year), month)) return false;
  if (hour > 23 || minute > 59 || second > 59) return false;
  return zone === 'Z' || (Number(zone.slice(1, 3)) <= 23 && Number(zone.slice(4)) < 60);
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** True when Go's YAML libraries read this plain text as a time. */
export function isTimestamp(text: string): boolean {
  return parse(text) !== undefined;
}

/** True when the text has a time of day, not only a date. */
export function hasTimeOfDay(text: string): boolean {
  return text.includes(':');
}

/**
 * RFC 3339 with nanoseconds, trailing zeros cut and the text's own offset: how Go prints the time that it read.
 * Undefined when the text is no timestamp.
 */
export function formatTimestamp(text: string): string | undefined {
  const found = parse(text);
  if (found === undefined) return undefined;
  const [year, month, day] = found.date;
  const fraction = found.fraction.slice(0, 9).replace(/0+$/, '');
  const zone = /^[-+]00:00$/.test(found.zone) ? 'Z' : found.zone;
  return `${year}-${two(month)}-${two(day)}T${found.time.map(two).join(':')}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
