import { describe, expect, it } from '@jest/globals';
import { Records } from './records.js';

type Told = readonly [line: number, ...cells: string[]];

const read = (text: string | Buffer, piece = 1 << 20, delimiter = ','): { readonly records: Told[]; readonly broken: Told[] } => {
  const bytes = Buffer.from(text as string);
  const records: Told[] = [];
  const broken: Told[] = [];
  const reader = new Records(
    { delimiter, encoding: 'utf8' },
    { record: (cells, line) => records.push([line, ...cells]), broken: (line, row, why) => broken.push([line, row, why]) },
  );
  for (let i = 0; i < bytes.length; i += piece) reader.write(bytes.subarray(i, i + piece));
  reader.end();
  return { records, broken };
};

describe('records of a CSV', () => {
  it('are told with the line on which they begin', () => {
    const { records, broken } = read('\ufeffa,b\r\n1,"x ""y"""\r\n\r\n2,"line\r\nbreak"\r\n3,é\r\n4,last');
    expect(records).toEqual([
      [1, 'a', 'b'],
      [2, '1', 'x "y"'],
      [4, '2', 'line\r\nbreak'],
      [6, '3', 'é'],
      [7, '4', 'last'],
    ]);
    expect(broken).toEqual([]);
  });

  it('may have other delimiters', () =>
    expect(read('a;b\n1;"x;y"\n', 1 << 20, ';').records).toEqual([
      [1, 'a', 'b'],
      [2, '1', 'x;y'],
    ]));

  const wild = ['a,b', '1,one', '2,"never closed', '3,three', '4', '5,five,more', '6,x"y', '7,"a" b', '8,"two', 'lines"', '9,nine'].join(
    '\n',
  );
  it.each([1 << 20, 7, 1])('cost a line only where one is broken, in pieces of %i bytes', (piece) => {
    const { records, broken } = read(wild, piece);
    expect(records).toEqual([
      [1, 'a', 'b'],
      [2, '1', 'one'],
      [4, '3', 'three'],
      [9, '8', 'two\nlines'],
      [11, '9', 'nine'],
    ]);
    expect(broken.map(([line, row]) => [line, row])).toEqual([
      [3, '2,"never closed'],
      [5, '4'],
      [6, '5,five,more'],
      [7, '6,x"y'],
      [8, '7,"a" b'],
    ]);
  });

  it('are never held beyond a size', () => {
    const { records, broken } = read(`a,b\n1,"${'x'.repeat(300_000)}\n2,two\n3,"${'y'.repeat(200_000)}"\n4,four\n`, 65_536);
    expect(records).toEqual([
      [1, 'a', 'b'],
      [3, '2', 'two'],
      [5, '4', 'four'],
    ]);
    expect(broken.map(([line]) => line)).toEqual([2, 4]);
  });

  it('of an empty file are none', () => expect(read('')).toEqual({ records: [], broken: [] }));
});
