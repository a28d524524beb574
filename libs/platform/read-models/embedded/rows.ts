import { type Cell, type Cells } from '#platform/sqlite/door.js';
import { type Document, type FiledVersion, type KeyValue, type Version } from '../port.js';
import { codesIn, type Dictionary } from './dictionary.js';
import { type Layout } from './layout.js';

/** Words as a text in which a whole word is ` word ` and the beginning of one ` wor`. */
export const wordText = (words: readonly string[]): string => (words.length === 0 ? '' : ` ${words.join(' ')} `);
export const wordsIn = (text: string): string[] => (text === '' ? [] : text.slice(1, -1).split(' '));

export const millisecondsOf = (instant: string): number => {
  const milliseconds = Date.parse(instant);
  if (Number.isNaN(milliseconds)) throw new Error(`'${instant}' is no instant`);
  return milliseconds;
};
const instantOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** The cells of the columns for keys, in the layout's order. */
export const keyCells = (layout: Layout, codes: Dictionary, keys: Version['keys']): Cell[] =>
  layout.columns.map(({ key, form }) => {
    const value = keys[key] ?? null;
    if (form === 'code') return codes.make(value as string | number | null);
    if (form === 'codes') return codes.makeAll(value);
    return form === 'json' ? JSON.stringify(value ?? []) : (value as string | number | null);
  });

const keysOf = (layout: Layout, codes: Dictionary, cells: Cells, from: number): Record<string, KeyValue> => {
  const keys: Record<string, KeyValue> = {};
  layout.columns.forEach(({ key, form }, i) => {
    const cell = cells[from + i] ?? null;
    if (form === 'code') keys[key] ??= codes.value(cell as number);
    else if (form === 'codes') keys[key] = codesIn(cell as string).map((code) => codes.value(code) as string);
    else keys[key] = form === 'json' ? (JSON.parse(cell as string) as string[]) : cell;
  });
  return keys;
};

const versionColumns = (layout: Layout): string =>
  ['id', 'CAST(position AS TEXT)', 'occ', 'rec', 'body', 'words', 'opened', 'owners', ...layout.columns.map((c) => c.name)].join(', ');
const versionWidth = (layout: Layout): number => 8 + layout.columns.length;

const versionOf = (layout: Layout, codes: Dictionary, cells: Cells): Version => ({
  id: cells[0] as string,
  position: BigInt(cells[1] as string),
  occurred: instantOf(cells[2] as number),
  recorded: instantOf(cells[3] as number),
  body: cells[4] as string,
  words: wordsIn(cells[5] as string),
  openedWords: wordsIn(cells[6] as string),
  owners: JSON.parse(cells[7] as string) as string[],
  keys: keysOf(layout, codes, cells, 8),
});

export const documentColumns = (layout: Layout): string => `${versionColumns(layout)}, state, parked`;
export const documentOf = (layout: Layout, codes: Dictionary, cells: Cells): Document => {
  const next = versionWidth(layout);
  return { state: cells[next] as string, parked: cells[next + 1] as string | null, ...versionOf(layout, codes, cells) };
};

export const filedColumns = (layout: Layout): string => `${versionColumns(layout)}, occ_to, rec_to`;
export const filedOf = (layout: Layout, codes: Dictionary, cells: Cells): FiledVersion => {
  const next = versionWidth(layout);
  return {
    ...versionOf(layout, codes, cells),
    occurredTo: instantOf(cells[next] as number),
    recordedTo: instantOf(cells[next + 1] as number),
  };
};

/** What stands for a thing that was parked before its first document. */
export const emptyDocument = (id: string, why: string): Document => ({
  id,
  position: -1n,
  occurred: '',
  recorded: '',
  body: '',
  keys: {},
  words: [],
  openedWords: [],
  owners: [],
  state: '',
  parked: why,
});
