/** What a key may hold, text without NUL; null where the document has none. A list matches by any of its elements. */
export type KeyValue = string | number | null | readonly string[];

/** How a read model may be asked: everything that an index or a column is made for is said here. */
export interface Declaration {
  /** One word, also the name of its collection over HTTP. */
  readonly name: string;
  /** Raised when what is kept changes; a build of another version is never served. */
  readonly version: number;
  /** The keys kept beside each body, and what they hold. Instants are ISO strings of one length, so they sort as text. */
  readonly keys: Readonly<Record<string, 'text' | 'integer' | 'list'>>;
  /** Keys that select few: each has an index together with the default order. The other keys only narrow. */
  readonly filters: readonly string[];
  /** Order → its keys; the id is always the last. Only the first may be null: null comes last in both directions. */
  readonly orders: Readonly<Record<string, readonly [string, ...string[]]>>;
  readonly defaultOrder: string;
  /** Keys by which one document is looked up (a number). */
  readonly lookups: readonly string[];
  /** Fields of the body that hold a person's text opened: `erase` sets them null. */
  readonly opened: readonly string[];
  /** Whether replaced versions are filed. */
  readonly history: boolean;
}

/** What a list shows of one thing, as stored. */
export interface Version {
  readonly id: string;
  /** The position of the last event folded into it; with the id, its identity. */
  readonly position: bigint;
  /** In force from: the latest instant of its stream so far, and the instant recorded. ISO, milliseconds, Z. */
  readonly occurred: string;
  readonly recorded: string;
  /** The body as JSON text, ready to be put into an answer. */
  readonly body: string;
  readonly keys: Readonly<Record<string, KeyValue>>;
  /** Words for search, lower case, without accents; those of opened texts apart, so that they can be erased. */
  readonly words: readonly string[];
  readonly openedWords: readonly string[];
  /** Persons whose opened texts are in it. */
  readonly owners: readonly string[];
}

/** The version in force, with what the fold needs to go on. */
export interface Document extends Version {
  /** The fold's state as JSON text, sealed texts still sealed. */
  readonly state: string;
  /** Null unless parked: why the event after `position` could not be folded. */
  readonly parked: string | null;
}

/** A version that was replaced: it held from its own instants until these. */
export interface FiledVersion extends Version {
  readonly occurredTo: string;
  readonly recordedTo: string;
}

/** A thing whose next event could not be folded. One with no document yet gets an empty one. */
export interface Parked {
  readonly id: string;
  readonly why: string;
  /** The last of its events that the checkpoint goes past: the mark keeps the highest. */
  readonly passed: bigint;
  /** It was parked before, and more of its events are passed over. */
  readonly again?: boolean;
}

export interface Writes {
  readonly filed: readonly FiledVersion[];
  /** Each is taken only if the stored one has a lower position and is not parked; one that comes second is no error. */
  readonly documents: readonly Document[];
  /** Marked parked, unless they have reached what is passed over: kept at their position, not written again until redriven. */
  readonly parked: readonly Parked[];
  /** Only moves forwards; written after everything else. */
  readonly checkpoint: bigint;
}

export interface Instants {
  /** As of: what had occurred by then, inclusive. */
  readonly occurred?: string | undefined;
  /** As known at: what had been recorded by then, inclusive. */
  readonly recorded?: string | undefined;
}

export interface Selection {
  /** Key → the values of which it must hold one (null: it must be empty). All keys must match. */
  readonly any: Readonly<Record<string, readonly (string | number | null)[]>>;
  /** Key → half-open range of instants or numbers. */
  readonly range: Readonly<Record<string, { readonly from?: string | undefined; readonly to?: string | undefined }>>;
  /** Words that must all occur, normalised; the last as a prefix. */
  readonly words: readonly string[];
  /** The past, when either is given; needs a declaration with history. */
  readonly at?: Instants | undefined;
  /** With `at`: what the version in force must hold beside. */
  readonly now?: { readonly key: string; readonly value: string } | undefined;
}

export interface PageQuery extends Selection {
  readonly order: string;
  readonly descending: boolean;
  readonly limit: number;
  /** The keys of the last document of the page before: the order's keys, then its id. */
  readonly after?: readonly (string | number | null)[] | undefined;
}

export interface Page {
  /** Their bodies with a comma between two: ready to be put into an answer. */
  readonly items: string;
  /** Where the next page begins; undefined when this is the last. */
  readonly next: readonly (string | number | null)[] | undefined;
  /** Ids among those shown that are parked, so that the answer can say so. */
  readonly parked: readonly string[];
}

/** The items of a page, read. */
export const itemsOf = <T>({ items }: Pick<Page, 'items'>): readonly T[] => JSON.parse(`[${items}]`) as readonly T[];

export interface Count {
  readonly key: string | number | null;
  readonly count: number;
}

/** What is to be stored cannot be: no fault of the store's. */
export class Unstorable extends Error {}

/** One build of a read model: its documents, filed versions and checkpoint. */
export interface Build {
  readonly name: string;
  /** The log that it follows. */
  readonly logId: string;
  readonly version: number;
  /** `-1n` before the first. */
  checkpoint(): Promise<bigint>;
  load(ids: readonly string[]): Promise<ReadonlyMap<string, Document>>;
  /**
   * In the order filed, documents, parked, checkpoint; an adapter without transactions may be cut off after any.
   * @param redriving parked documents are taken too, and in the same step the mark goes from what has reached all that was passed over
   * @throws Unstorable where something of a document cannot be stored
   */
  write(writes: Writes, redriving?: boolean): Promise<void>;
  parked(): Promise<readonly { readonly id: string; readonly why: string; readonly position: bigint }[]>;
  page(query: PageQuery): Promise<Page>;
  /** By count falling, then key, null last among equals; no zeros. */
  counts(selection: Selection, by: string): Promise<readonly Count[]>;
  /** By its id, or by the value of a lookup key. */
  find(idOrNumber: string): Promise<Document | undefined>;
  /** Documents (in force) and filed versions, by id, then position; for comparing. */
  documents(): AsyncIterable<Document>;
  versions(): AsyncIterable<FiledVersion>;
  /** Nulls the opened fields and drops the opened words of every document and filed version that lists the owner. */
  erase(owner: string): Promise<void>;
}

export interface ReadModel {
  readonly declaration: Declaration;
  /** The build that answers; read anew at each call, so another process may switch it. Undefined before the first. */
  serving(): Promise<Build | undefined>;
  builds(): Promise<readonly Build[]>;
  /** A new, empty build beside the others, not yet serving. */
  begin(logId: string): Promise<Build>;
  serve(build: Build): Promise<void>;
  drop(build: Build): Promise<void>;
  /** Takes or renews the lease of following this model; false while another holder's lasts. Spares double work, nothing more. */
  lease(holder: string, forMilliseconds: number): Promise<boolean>;
  release(holder: string): Promise<void>;
  /** Says to everybody why the model stands still; null when it follows again. */
  stall(why: string | null): Promise<void>;
  stalled(): Promise<string | null>;
}

export interface ReadModels {
  model(declaration: Declaration): Promise<ReadModel>;
  close(): Promise<void>;
}
