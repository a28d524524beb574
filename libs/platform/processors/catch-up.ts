import { setImmediate as soon } from 'node:timers/promises';
import { type Contract, EventUnreadable, type Folded } from '#platform/decider/contract.js';
import { type EventStore, none, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, foldedOf, type Opener, stateText, versionOf } from '#platform/read-models/collection.js';
import { type Build, type Document, type FiledVersion, type Parked, Unstorable, type Version } from '#platform/read-models/port.js';

type Lot = readonly StoredEvent[];
type Fed = Pick<Build, 'load' | 'write'>;

/** Folds a lot of events into the documents of one build: what is to be filed, written and parked. Writes nothing. */
export const project = async (collection: Collection, build: Pick<Build, 'load'>, events: Lot, checkpoint: bigint, open: Opener) => {
  const { contract } = collection.aggregate;
  const byId = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const id = contract.idOf(event.stream);
    if (id === undefined) continue;
    const of = byId.get(id);
    if (of) of.push(event);
    else byId.set(id, [event]);
  }
  const before = byId.size > 0 ? await build.load([...byId.keys()]) : new Map<string, Document>();
  const filed: FiledVersion[] = [];
  const documents: Document[] = [];
  const parked: Parked[] = [];
  for (const [id, of] of byId) {
    const was = before.get(id);
    const one = await projectOne(collection, id, was, of, open);
    filed.push(...one.filed);
    if (one.document) documents.push(one.document);
    if (one.parked === undefined) continue;
    const passed = of.reduce((last, { position }) => (position > last ? position : last), none);
    parked.push({ id, why: one.parked, passed, again: typeof was?.parked === 'string' });
  }
  return { filed, documents, parked, checkpoint };
};

const projectOne = async (collection: Collection, id: string, was: Document | undefined, events: Lot, open: Opener) => {
  const { client, aggregate, declaration } = collection;
  const { contract } = aggregate;
  const { history } = declaration;
  const filed: FiledVersion[] = [];
  if (typeof was?.parked === 'string') return { filed, parked: was.parked };
  let folded: Folded<object> = was ? foldedOf(was) : contract.start(id);
  // Made only of what is filed or comes last: of a command's several events the others were in force at no instant
  let version: Version | undefined = was;
  let lastShown = was?.keys[client?.lastShown ?? ''] ?? null;
  let parked: string | undefined;
  for (const event of events) {
    // Each document takes no event at or below the position it has reached: the exactly-once effect
    if (event.position <= folded.position) continue;
    const next = foldOrPark(contract, folded, event);
    if (typeof next === 'string') {
      parked = next;
      break;
    }
    if (history && folded.state !== null && (folded.occurred < next.occurred || folded.recorded < next.recorded)) {
      version ??= await versionOf(collection, id, folded, open, lastShown);
      filed.push({ occurredTo: next.occurred, recordedTo: next.recorded, ...version });
    }
    version = undefined;
    folded = next;
    if (client?.shows(event.type, event.data)) lastShown = next.occurred;
  }
  if (folded.position <= (was?.position ?? -1n)) return { filed, parked };
  version ??= await versionOf(collection, id, folded, open, lastShown);
  const document: Document = { ...version, state: stateText(folded), parked: null };
  return { filed, document, parked };
};

const foldOrPark = (contract: Contract<object>, folded: Folded<object>, event: StoredEvent): Folded<object> | string => {
  // What was missed would be missing for ever: the document waits rather than skip it
  if (event.revision !== folded.revision + 1n) return `${event.stream}@${event.revision} does not follow revision ${folded.revision}`;
  try {
    return contract.fold(folded, event);
  } catch (e) {
    // What cannot be decoded would be skipped for every document: that stops the read model instead
    if (e instanceof EventUnreadable) throw e;
    return whyOf(event, e);
  }
};

const whyOf = ({ stream, revision }: StoredEvent, e: unknown): string =>
  `${stream}@${revision}: ${e instanceof Error ? e.message : String(e)}`;

/**
 * Folds a lot of events into a build. Where it refuses something, the event is looked for by halves, and its document parked.
 * @returns what was parked that was not before
 * @throws EventUnreadable, and what the store, the keys and the build throw for reasons of their own
 */
export const feed = async (of: Collection, build: Fed, events: Lot, checkpoint: bigint, open: Opener): Promise<readonly Parked[]> => {
  try {
    const writes = await project(of, build, events, checkpoint, open);
    await build.write(writes);
    return writes.parked.filter(({ again }) => !again);
  } catch (e) {
    const [event] = events;
    if (!(e instanceof Unstorable) || !event) throw e;
    const half = events.length >> 1;
    if (half > 0) {
      const first = await feed(of, build, events.slice(0, half), none, open);
      return [...first, ...(await feed(of, build, events.slice(half), checkpoint, open))];
    }
    const id = of.aggregate.contract.idOf(event.stream) as string;
    const parked = [{ id, why: whyOf(event, e), passed: event.position, again: false }];
    await build.write({ filed: [], documents: [], parked, checkpoint });
    return parked;
  }
};

export interface CatchUpOptions {
  /** How many events are folded in memory before they are written. */
  readonly lot?: number;
  /** The last position to fold; the head of now when left out. */
  readonly upTo?: bigint;
  readonly signal?: AbortSignal;
  /** Told of each lot written the number of its events, and what it parked. */
  readonly progress?: (events: number, parked: readonly Parked[]) => void;
}

/**
 * Catching up, the one function of starting, rebuilding and checking: reads the log after the build's own checkpoint.
 * Another may feed the same build meanwhile: each document takes an event once.
 * @throws EventUnreadable, and what the store and the build throw; what was written until then stays
 */
export const catchUp = async (
  store: EventStore,
  collection: Collection,
  build: Build,
  open: Opener,
  { lot = 20_000, upTo, signal, progress }: CatchUpOptions = {},
): Promise<void> => {
  let events: StoredEvent[] = [];
  const flush = async (): Promise<void> => {
    const last = events.at(-1);
    if (!last) return;
    const parked = await feed(collection, build, events, last.position, open);
    progress?.(events.length, parked);
    events = [];
    // All of it is done without a turn of the event loop: the message that says to stop would come only at the end
    await soon();
  };
  const after = await build.checkpoint();
  const { contract } = collection.aggregate;
  // A build begins with what is there before any event
  for (const id of (after === none && contract.beforehand?.ids) || []) {
    const version = await versionOf(collection, id, contract.start(id), open);
    const documents = [{ ...version, state: stateText(contract.start(id)), parked: null }];
    await build.write({ filed: [], documents, parked: [], checkpoint: none });
  }
  for await (const event of store.readAll({ after })) {
    if (signal?.aborted || (upTo !== undefined && event.position > upTo)) break;
    events.push(event);
    if (events.length >= lot) await flush();
  }
  // Whoever is told to stop waits for no lot more: it is read again
  if (!signal?.aborted) await flush();
};
