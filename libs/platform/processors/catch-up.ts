import { type Contract, EventUnreadable, type Folded } from '#platform/decider/contract.js';
import { type EventStore, none, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, foldedOf, type Opener, stateText, versionOf } from '#platform/read-models/collection.js';
import { type Build, type Document, type FiledVersion, type Version, type Writes } from '#platform/read-models/port.js';

/** Folds a lot of events into the documents of one build: what is to be filed, written and parked. Writes nothing. */
export const project = async (
  collection: Collection,
  build: Build,
  events: readonly StoredEvent[],
  checkpoint: bigint,
  open: Opener,
): Promise<Writes> => {
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
  const parked: { readonly id: string; readonly why: string }[] = [];
  for (const [id, of] of byId) {
    const was = before.get(id);
    if (was && was.parked !== null) continue;
    const one = await projectOne(collection, id, was, of, open);
    filed.push(...one.filed);
    if (one.document) documents.push(one.document);
    if (one.parked !== undefined) parked.push({ id, why: one.parked });
  }
  return { filed, documents, parked, checkpoint };
};

const projectOne = async (collection: Collection, id: string, was: Document | undefined, events: readonly StoredEvent[], open: Opener) => {
  const { client, aggregate, declaration } = collection;
  const { contract } = aggregate;
  const { history } = declaration;
  let folded: Folded<object> = was ? foldedOf(was) : contract.start(id);
  // Made only of what is filed or comes last: of a command's several events the others were in force at no instant
  let version: Version | undefined = was;
  let lastShown = was?.keys[client?.lastShown ?? ''] ?? null;
  const filed: FiledVersion[] = [];
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
    return `${event.stream}@${event.revision}: ${(e as Error).message}`;
  }
};

export interface CatchUpOptions {
  /** How many events are folded in memory before they are written. */
  readonly lot?: number;
  /** The last position to fold; the head of now when left out. */
  readonly upTo?: bigint;
  readonly signal?: AbortSignal;
  /** Told the number of events of each lot written. */
  readonly progress?: (events: number) => void;
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
    await build.write(await project(collection, build, events, last.position, open));
    progress?.(events.length);
    events = [];
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
  await flush();
};
