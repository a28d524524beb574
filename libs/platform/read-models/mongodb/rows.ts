import { type Collection } from '#platform/mongodb/door.js';
import { cellOf } from '../cells.js';
import { type Document, type FiledVersion, type KeyValue, type Version } from '../port.js';
import { type Layout } from './layout.js';

/** A version as it is stored. Body and state are texts: nothing of theirs is the server's to read. */
export interface VersionRow {
  readonly position: bigint;
  /** In milliseconds. */
  readonly occurred: number;
  readonly recorded: number;
  readonly body: string;
  /** A list that is empty holds null alone: empty is a value to be found like any other. */
  readonly keys: Readonly<Record<string, string | number | null | readonly (string | null)[]>>;
  readonly isNull: Readonly<Record<string, boolean>>;
  /** All words, so that one index finds them; first those that no erasing takes out. */
  readonly words: readonly string[];
  readonly plainWords: number;
  readonly owners: readonly string[];
}

export interface DocumentRow extends VersionRow {
  readonly _id: string;
  readonly state: string;
  /** Absent unless parked. What was parked before its first document has nothing else but a position of -1. */
  readonly parked?: string;
  /** With `parked`: the position of the last of its events that was passed over. */
  readonly passed?: bigint;
}

export interface FiledRow extends VersionRow {
  /** `<id>@<position>`: filed once, whoever files it. */
  readonly _id: string;
  readonly id: string;
  readonly occurredTo: number;
  readonly recordedTo: number;
  readonly occurredCell: number | null;
  readonly recordedCell: number | null;
}

/** The two collections of a build. */
export interface Stored {
  readonly documents: Collection<DocumentRow>;
  readonly filed: Collection<FiledRow>;
}

export const millisecondsOf = (instant: string): number => {
  const milliseconds = Date.parse(instant);
  if (Number.isNaN(milliseconds)) throw new Error(`'${instant}' is no instant`);
  return milliseconds;
};
const instantOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

const rowOfVersion = (layout: Layout, version: Version): VersionRow => {
  const keys: Record<string, string | number | null | readonly (string | null)[]> = {};
  for (const [key, type] of Object.entries(layout.declaration.keys)) {
    const value: KeyValue = version.keys[key] ?? null;
    keys[key] = type === 'list' && (value === null || (Array.isArray(value) && value.length === 0)) ? [null] : value;
  }
  return {
    position: version.position,
    occurred: millisecondsOf(version.occurred),
    recorded: millisecondsOf(version.recorded),
    body: version.body,
    keys,
    isNull: Object.fromEntries(layout.firsts.map((key) => [key, keys[key] === null])),
    words: [...version.words, ...version.openedWords],
    plainWords: version.words.length,
    owners: version.owners,
  };
};

export const rowOfDocument = (layout: Layout, document: Document): DocumentRow => ({
  _id: document.id,
  ...rowOfVersion(layout, document),
  state: document.state,
  ...(document.parked !== null && { parked: document.parked }),
});

export const rowOfFiled = (layout: Layout, version: FiledVersion): FiledRow => {
  const row = rowOfVersion(layout, version);
  const [occurredTo, recordedTo] = [millisecondsOf(version.occurredTo), millisecondsOf(version.recordedTo)];
  return {
    _id: `${version.id}@${version.position}`,
    id: version.id,
    ...row,
    occurredTo,
    recordedTo,
    occurredCell: cellOf(row.occurred, occurredTo),
    recordedCell: cellOf(row.recorded, recordedTo),
  };
};

const versionOf = (id: string, row: VersionRow): Version => ({
  id,
  position: row.position,
  occurred: instantOf(row.occurred),
  recorded: instantOf(row.recorded),
  body: row.body,
  keys: Object.fromEntries(
    Object.entries(row.keys).map(([key, value]) => [key, Array.isArray(value) ? value.filter((one) => one !== null) : value]),
  ) as Version['keys'],
  words: row.words.slice(0, row.plainWords),
  openedWords: row.words.slice(row.plainWords),
  owners: row.owners,
});

export const documentOf = (row: DocumentRow): Document => {
  const parked = row.parked ?? null;
  if (row.position < 0n) return emptyDocument(row._id, parked);
  return { ...versionOf(row._id, row), state: row.state, parked };
};

export const filedOf = (row: FiledRow): FiledVersion => ({
  ...versionOf(row.id, row),
  occurredTo: instantOf(row.occurredTo),
  recordedTo: instantOf(row.recordedTo),
});

/** What stands for a thing that was parked before its first document. */
const emptyDocument = (id: string, parked: string | null): Document => ({
  ...{ id, position: -1n, occurred: '', recorded: '', body: '', keys: {}, words: [], openedWords: [], owners: [], state: '' },
  parked,
});
