const SECOND = 1;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Seconds as kubectl shows ages (apimachinery:pkg/util/duration HumanDuration). */
export function humanDuration(seconds: number): string {
  const whole = Math.trunc(seconds);
  if (whole < -1) return '<invalid>';
  if (whole < 0) return '0s';
  if (whole < 2 * MINUTE) return `${whole}s`;
  if (whole < 10 * MINUTE) return two(whole, MINUTE, 'm', SECOND, 's');
  if (whole < 3 * HOUR) return `${Math.trunc(whole / MINUTE)}m`;
  if (whole < 8 * HOUR) return two(whole, HOUR, 'h', MINUTE, 'm');
  if (whole < 2 * DAY) return `${Math.trunc(whole / HOUR)}h`;
  if (whole < 8 * DAY) return two(whole, DAY, 'd', HOUR, 'h');
  if (whole < 2 * YEAR) return `${Math.trunc(whole / DAY)}d`;
  if (whole < 8 * YEAR) return two(whole, YEAR, 'y', DAY, 'd');
  return `${Math.trunc(whole / YEAR)}y`;
}

function two(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.trunc((value % large) / small);
  return `${Math.trunc(value / large)}${largeName}${rest === 0 ? '' : `${rest}${smallName}`}`;
}

/** How long ago a timestamp was; `now` in milliseconds. */
export function age(timestamp: unknown, now: number): string {
  if (timestamp === undefined || timestamp === null || timestamp === '') return '<unknown>';
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN;
  return Number.isNaN(at) ? '<invalid>' : humanDuration((now - at) / 1000);
}
