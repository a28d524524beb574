import { IANAZone } from 'luxon';

/** A time as a source writes it → milliseconds since 1970; undefined when it is no instant of the calendar. */
export type TimeReader = (text: string) => number | undefined;

const minute = 60_000;
const day = 24 * 60 * minute;
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** What may stand in a format: its pattern, and which part of the time it gives. */
const tokens: Readonly<Record<string, readonly [pattern: string, part: string]>> = {
  yyyy: ['(\\d{4})', 'year'],
  MMM: [`(${months.join('|')})[a-z]*`, 'monthName'],
  MM: ['(\\d{2})', 'month'],
  M: ['(\\d{1,2})', 'month'],
  dd: ['(\\d{2})', 'day'],
  d: ['(\\d{1,2})', 'day'],
  HH: ['(\\d{2})', 'hour'],
  H: ['(\\d{1,2})', 'hour'],
  hh: ['(\\d{2})', 'hour12'],
  h: ['(\\d{1,2})', 'hour12'],
  a: ['([ap]\\.?m\\.?)', 'half'],
  mm: ['(\\d{2})', 'minute'],
  m: ['(\\d{1,2})', 'minute'],
  ss: ['(\\d{2})', 'second'],
  s: ['(\\d{1,2})', 'second'],
  S: ['(\\d{1,9})', 'fraction'],
  Z: ['(Z|[+-]\\d{2}:?\\d{2})', 'offset'],
};

interface Format {
  readonly pattern: RegExp;
  readonly parts: readonly string[];
}

/** `'T'` is a T, '' a quote; other letters must be tokens. @throws Error that names what is none */
const compiled = (format: string): Format => {
  if (format === 'iso')
    return {
      pattern: /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|[+-]\d{2}:?\d{2})?)?$/i,
      parts: ['year', 'month', 'day', 'hour', 'minute', 'second', 'fraction', 'offset'],
    };
  const parts: string[] = [];
  const pattern = format.replaceAll(/'([^']*)'|([A-Za-z])\2*|[^A-Za-z']/g, (piece, literal: string | undefined, letter?: string) => {
    if (literal !== undefined) return literal === '' ? "'" : escaped(literal);
    if (letter === undefined) return piece === ' ' ? '\\s+' : escaped(piece);
    const token = tokens[piece];
    if (!token)
      throw new Error(`'${format}': '${piece}' is no part of a time; there are iso, unix, unix-ms, ${Object.keys(tokens).join(', ')}`);
    parts.push(token[1]);
    return token[0];
  });
  if (!parts.includes('year') || !parts.includes('day') || !parts.some((part) => part.startsWith('month')))
    throw new Error(`'${format}' names no whole date: year, month and day are needed`);
  return { pattern: new RegExp(`^${pattern}$`, 'i'), parts };
};

const escaped = (literal: string): string => literal.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/**
 * @param formats tried in order: `iso`, `unix` (seconds), `unix-ms`, or tokens such as `d/M/yyyy HH:mm`
 * @param zone IANA: of the times that tell no offset. Of a time that a change of clocks tells twice the first; one that it skips is none.
 * @throws Error for a zone or a token that does not exist
 */
export const timeReader = (formats: readonly string[], zone: string): TimeReader => {
  if (!IANAZone.isValidZone(zone)) throw new Error(`'${zone}' is no zone: say one of the IANA names, such as Europe/Paris`);
  const toInstant = zone === 'UTC' ? (local: number) => local : inZone(IANAZone.create(zone));
  const readers = formats.map((format): TimeReader => {
    if (format === 'unix' || format === 'unix-ms') {
      const unit = format === 'unix' ? 1000 : 1;
      return (text) => (/^\d{1,14}(\.\d+)?$/.test(text) ? within(Math.trunc(Number(text) * unit)) : undefined);
    }
    const { pattern, parts } = compiled(format);
    return (text) => {
      const found = pattern.exec(text);
      return found ? instantOf(parts, found, toInstant) : undefined;
    };
  });
  const [only] = readers;
  if (readers.length === 1 && only) return (text) => only(text.trim());
  return (text) => {
    for (const read of readers) {
      const at = read(text.trim());
      if (at !== undefined) return at;
    }
    return undefined;
  };
};

const instantOf = (
  parts: readonly string[],
  found: RegExpExecArray,
  toInstant: (local: number) => number | undefined,
): number | undefined => {
  let [year, month, dayOf, hour, minutes, seconds, millis] = [0, 0, 0, 0, 0, 0, 0];
  let half: string | undefined;
  let offset: string | undefined;
  for (let i = 0; i < parts.length; i++) {
    const text = found[i + 1];
    if (text === undefined) continue;
    const part = parts[i];
    if (part === 'year') year = +text;
    else if (part === 'month') month = +text;
    else if (part === 'monthName') month = months.indexOf(text.toLowerCase()) + 1;
    else if (part === 'day') dayOf = +text;
    else if (part === 'hour' || part === 'hour12') hour = +text;
    else if (part === 'half') half = text.charAt(0).toLowerCase();
    else if (part === 'minute') minutes = +text;
    else if (part === 'second') seconds = +text;
    else if (part === 'fraction') millis = Math.trunc(Number(`0.${text}`) * 1000);
    else offset = text.toUpperCase();
  }
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return undefined;
    hour = (hour % 12) + (half === 'p' ? 12 : 0);
  }
  if (month < 1 || month > 12 || hour > 23 || minutes > 59 || seconds > 59) return undefined;
  const local = Date.UTC(year, month - 1, dayOf, hour, minutes, seconds, millis);
  // Date.UTC rolls 31/2 over into March in silence
  if (dayOf < 1 || new Date(local).getUTCDate() !== dayOf) return undefined;
  if (offset === undefined) return within(toInstant(local));
  if (offset === 'Z') return within(local);
  const [hours = 0, rest = 0] = [offset.slice(1, 3), offset.slice(-2)].map(Number);
  return within(local - (offset.startsWith('-') ? -1 : 1) * (hours * 60 + rest) * minute);
};

/** Years 1 to 9999: what an instant's text can hold. */
const within = (at: number | undefined): number | undefined =>
  at !== undefined && at >= -62_135_596_800_000 && at <= 253_402_300_799_999 ? at : undefined;

const inZone = (zone: IANAZone): ((local: number) => number | undefined) => {
  // Asking Intl is dear; offsets change on quarters of an hour
  const known = new Map<number, number>();
  const offset = (at: number): number => {
    const quarter = Math.floor(at / (15 * minute));
    let is = known.get(quarter);
    if (is === undefined) {
      if (known.size > 20_000) known.clear();
      known.set(quarter, (is = zone.offset(at) * minute));
    }
    return is;
  };
  return (local) => {
    const first = local - Math.max(offset(local - day), offset(local + day));
    if (first + offset(first) === local) return first;
    const second = local - Math.min(offset(local - day), offset(local + day));
    return second + offset(second) === local ? second : undefined;
  };
};
