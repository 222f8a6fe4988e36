/**
 * RFC 3339 times as SOPS uses them: kept as text, because JavaScript's Date drops nanoseconds and offsets.
 */
const RFC3339 = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}:\d{2})(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

interface Parts {
  readonly date: string;
  readonly time: string;
  readonly fraction: string;
  readonly zone: string;
}

function parse(text: string): Parts | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', fraction = '', zone = ''] = match;
  // Date rolls 30 February over to March instead of refusing it
  const parsed = new Date(`${date}T${time}Z`);
  if (Number.isNaN(parsed.getTime()) || !parsed.toISOString().startsWith(`${date}T${time}`)) return undefined;
  return { date, time, fraction: fraction.slice(0, 9).replace(/0+$/, ''), zone: /^(?:[Zz]|[+-]00:00)$/.test(zone) ? 'Z' : zone };
}

/** RFC 3339 with nanoseconds, trailing zeros cut, `+00:00` as `Z`; undefined when the text is no time. */
export function normalTime(text: string): string | undefined {
  const parts = parse(text);
  if (parts === undefined) return undefined;
  const { date, time, fraction, zone } = parts;
  return `${date}T${time}${fraction === '' ? '' : `.${fraction}`}${zone}`;
}

/** RFC 3339 in whole seconds, the offset kept: the AAD of the MAC. */
export function timeInSeconds(text: string): string | undefined {
  const parts = parse(text);
  return parts === undefined ? undefined : `${parts.date}T${parts.time}${parts.zone}`;
}

/** An instant in UTC, in whole seconds. */
export function formatUtc(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
