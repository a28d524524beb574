import { describe, expect, it } from '@jest/globals';
import { timeReader } from './times.js';

const read = (text: string, formats: readonly string[], zone = 'UTC'): string | undefined => {
  const at = timeReader(formats, zone)(text);
  return at === undefined ? undefined : new Date(at).toISOString();
};

describe('times as sources write them', () => {
  it.each([
    ['29/2/2016 01:16', 'd/M/yyyy HH:mm', '2016-02-29T01:16:00.000Z'],
    ['02/29/2016 1:16 PM', 'MM/dd/yyyy h:mm a', '2016-02-29T13:16:00.000Z'],
    ['12:05 am 1.3.2016', 'h:mm a d.M.yyyy', '2016-03-01T00:05:00.000Z'],
    ['1 Mar 2016 07:08:09', 'd MMM yyyy HH:mm:ss', '2016-03-01T07:08:09.000Z'],
    ['2016-03-01T07:08:09.25', "yyyy-MM-dd'T'HH:mm:ss.S", '2016-03-01T07:08:09.250Z'],
    ['2016-03-01 07:08 +05:30', 'yyyy-MM-dd HH:mm Z', '2016-03-01T01:38:00.000Z'],
    ['2016-03-01', 'iso', '2016-03-01T00:00:00.000Z'],
    ['2016-03-01T07:08:09-0200', 'iso', '2016-03-01T09:08:09.000Z'],
    ['1456815600', 'unix', '2016-03-01T07:00:00.000Z'],
    ['1456815600123', 'unix-ms', '2016-03-01T07:00:00.123Z'],
  ])('%s by %s', (text, format, expected) => expect(read(text, [format])).toBe(expected));

  it.each([
    ['31/2/2016 10:00', 'd/M/yyyy HH:mm'],
    ['29/2/2015 10:00', 'd/M/yyyy HH:mm'],
    ['1/13/2016 10:00', 'd/M/yyyy HH:mm'],
    ['1/1/2016 24:00', 'd/M/yyyy HH:mm'],
    ['0/1/2016 10:00', 'd/M/yyyy HH:mm'],
    ['1/1/2016 13:00 PM', 'd/M/yyyy h:mm a'],
    ['2016-01-01 10:00', 'd/M/yyyy HH:mm'],
    ['yesterday', 'iso'],
    ['', 'iso'],
  ])('%s is no time by %s', (text, format) => expect(read(text, [format])).toBeUndefined());

  it('tries formats in their order', () => {
    const formats = ['yyyy-MM-dd HH:mm:ss', 'dd.MM.yyyy HH:mm'];
    expect(read('2025-03-28 08:05:11', formats)).toBe('2025-03-28T08:05:11.000Z');
    expect(read('28.03.2025 09:12', formats)).toBe('2025-03-28T09:12:00.000Z');
  });

  it('reads times of a zone, of an hour told twice the first, of one that was skipped none', () => {
    const paris = (text: string): string | undefined => read(text, ['yyyy-MM-dd HH:mm'], 'Europe/Paris');
    expect(paris('2025-03-28 08:05')).toBe('2025-03-28T07:05:00.000Z');
    expect(paris('2025-07-01 08:05')).toBe('2025-07-01T06:05:00.000Z');
    expect(paris('2025-10-26 02:30')).toBe('2025-10-26T00:30:00.000Z');
    expect(paris('2025-10-26 03:30')).toBe('2025-10-26T02:30:00.000Z');
    expect(paris('2025-03-30 02:30')).toBeUndefined();
    expect(paris('2025-03-30 03:00')).toBe('2025-03-30T01:00:00.000Z');
  });

  it('says what a format or a zone is not', () => {
    expect(() => timeReader(['iso'], 'Europe/Lutetia')).toThrow("'Europe/Lutetia' is no zone");
    expect(() => timeReader(['dd/QQ/yyyy'], 'UTC')).toThrow("'QQ' is no part of a time");
    expect(() => timeReader(['HH:mm'], 'UTC')).toThrow('names no whole date');
  });
});
