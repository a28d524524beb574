import { type Aggregate } from '#platform/decider/aggregate.js';
import { type Folded } from '#platform/decider/contract.js';
import { type Json, type JsonObject } from '#platform/event-store/port.js';
import { type Erased, type Sealed } from '#platform/vault/sealing.js';
import { type Declaration, type Document, type KeyValue, Unstorable, type Version } from './port.js';
import { wordsOf } from './words.js';

/** How HTTP asks by a key: one of its values, or (`From` inclusive, `To` exclusive) a range of them. */
export interface Filter {
  readonly key: string;
  readonly as: 'any' | 'from' | 'to';
  /** The words it may hold, where they are few: anything else is a bad request. */
  readonly words?: readonly string[];
  /** `none` asks for empty, `me` for the person who asks. */
  readonly person?: true;
}

/** A list: its rows, how they are found, and who sees what of them. */
export interface Listed {
  readonly declaration: Pick<Declaration, 'orders' | 'defaultOrder' | 'history'>;
  /** The fields of a row, in the order of its CSV. */
  readonly row: readonly string[];
  /** Query parameter → the key it asks by. */
  readonly filters: Readonly<Record<string, Filter>>;
  /** Fields whose words are found by `text`; those that hold a person's text are `opened` in the declaration. */
  readonly searched: readonly string[];
  /** Who reads all of it. */
  readonly readers: readonly [string, ...string[]];
  /** Clients read what the key says is theirs (`id`: the client itself), without the hidden fields, and of its history what `shows` lets through. */
  readonly client?: {
    readonly key: string;
    readonly hidden: readonly string[];
    readonly shows: (type: string, data: JsonObject) => boolean;
    /** A key that tells when the last event happened that it shows. */
    readonly lastShown?: string;
  };
}

/** An aggregate's documents as a read model; the fold's `revision` comes last in a row by itself. */
export interface Collection extends Listed {
  readonly aggregate: Aggregate;
  readonly declaration: Declaration;
  /** Fields by which `counts` may be asked. */
  readonly countedBy: readonly string[];
}

/** A collection whose fields are held to the aggregate's state by the compiler. */
export const collection = <S extends object>(
  of: Omit<Collection, 'aggregate' | 'row' | 'searched'> & {
    readonly aggregate: Aggregate<S>;
    readonly row: readonly (keyof S & string)[];
    readonly searched: readonly (keyof S & string)[];
  },
): Collection => of;

export type Opener = (sealed: Sealed) => Promise<string | Erased> | string | Erased;

export const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && 'box' in value && 'owner' in value;

/** A value as an answer shows it: every sealed text in it opened, an erased one as `{"erased": true}`. */
export const opened = async (value: unknown, open: Opener): Promise<Json> => {
  if (isSealed(value)) return (await open(value)) as Json;
  if (Array.isArray(value)) return Promise.all((value as readonly unknown[]).map((x) => opened(x, open)));
  if (typeof value !== 'object' || value === null) return value as Json;
  const shown: Record<string, Json> = {};
  for (const [key, inner] of Object.entries(value))
    shown[key] = typeof inner === 'object' && inner !== null ? await opened(inner, open) : (inner as Json);
  return shown;
};

interface Read {
  readonly text: string | Erased;
  readonly words: readonly string[];
}

/** What sealed texts say, for as long as the fold that holds them is in memory: most events leave them as they were. */
const readBefore = new WeakMap<Sealed, Read>();

const read = async (sealed: Sealed, open: Opener): Promise<Read> => {
  const text = await open(sealed);
  const of: Read = { text, words: typeof text === 'string' ? wordsOf(text) : [] };
  readBefore.set(sealed, of);
  return of;
};

/** What a list shows of a state: its row with the texts opened (an erased one empty), its keys, words and owners. */
export const versionOf = async (of: Collection, id: string, folded: Folded<object>, open: Opener, lastShown: KeyValue = null) => {
  const { declaration, client } = of;
  const state = folded.state as Readonly<Record<string, unknown>>;
  const row: Record<string, Json> = {};
  const words: string[] = [];
  const openedWords: string[] = [];
  const owners: string[] = [];
  for (const field of of.row) {
    const value = state[field];
    if (!isSealed(value)) {
      row[field] = value as Json;
      continue;
    }
    const { text } = readBefore.get(value) ?? (await read(value, open));
    row[field] = typeof text === 'string' ? text : null;
    if (typeof text === 'string') owners.push(value.owner);
  }
  for (const field of of.searched) {
    const value = state[field];
    if (isSealed(value)) {
      const { text, words: opened } = readBefore.get(value) ?? (await read(value, open));
      openedWords.push(...opened);
      if (typeof text === 'string') owners.push(value.owner);
    } else if (typeof value === 'string') words.push(...wordsOf(value));
  }
  row['revision'] = folded.revision.toString();
  const keys: Record<string, KeyValue> = {};
  for (const key of Object.keys(declaration.keys)) keys[key] = (state[key] ?? null) as KeyValue;
  if (client?.lastShown !== undefined) keys[client.lastShown] = lastShown;
  return {
    id,
    position: folded.position,
    occurred: folded.occurred,
    recorded: folded.recorded,
    body: textOf(row),
    keys,
    words: [...new Set(words)],
    openedWords: [...new Set(openedWords)],
    owners: [...new Set(owners)],
  } satisfies Version;
};

/** The fold that a document stands for, so that it can go on from it. */
export const foldedOf = <S extends object>(document: Document): Folded<S> => {
  const { state, revision } = JSON.parse(document.state) as { readonly state: S; readonly revision: string };
  const { position, occurred, recorded } = document;
  return { state, revision: BigInt(revision), position, occurred: occurred as never, recorded: recorded as never, hash: '' };
};

export const stateText = (folded: Folded<object>): string => textOf({ state: folded.state, revision: folded.revision.toString() });

const textOf = (value: object): string => {
  try {
    return JSON.stringify(value);
  } catch (e) {
    throw new Unstorable((e as Error).message, { cause: e });
  }
};
