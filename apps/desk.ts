import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { client } from '#contexts/staff/contract/client.js';
import { isDeputyAt, staffMember } from '#contexts/staff/contract/staff-member.js';
import { type Reads } from '#platform/decider/aggregate.js';
import { Executor } from '#platform/decider/execute.js';
import { Numbers } from '#platform/decider/series.js';
import { Streams } from '#platform/decider/stream.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore, LogMovedOn } from '#platform/event-store/port.js';
import { type People } from '#platform/http/access.js';
import { Reading } from '#platform/http/reading.js';
import { LocalIssuer } from '#platform/http/embedded/tokens.js';
import { type Finds } from '#platform/processors/reactor.js';
import { type Opener } from '#platform/read-models/collection.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { itemsOf, type PageQuery, type ReadModels } from '#platform/read-models/port.js';
import { Unavailable } from '#platform/unavailable.js';
import { ContentFolder } from '#platform/vault/embedded/content-folder.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { type Vault } from '#platform/vault/port.js';
import { Sealer } from '#platform/vault/sealing.js';
import { Contents } from './content.js';
import { collections } from './contexts.js';
import { isTracing, tracedExecutor, tracedLog, tracedReadModels } from './tracing.js';

/** Which release this is; every event names the one that wrote it. */
export const build = '0.1.0';

/** Where a desk is kept: a data folder, and the servers that stand in for its files. */
export interface Places {
  readonly folder: string;
  /** `esdb://…`: the log; left out, `log.db`. */
  readonly eventStore?: string | undefined;
  /** `mongodb://…`: read models and keys; left out, `views.db` and `keys.db`. */
  readonly mongo?: string | undefined;
}

/** As the environment says: LEDGERDESK_DATA, EVENTSTORE_URL, MONGODB_URL. */
export const placesOf = (env: NodeJS.ProcessEnv = process.env): Places => ({
  folder: resolve(env['LEDGERDESK_DATA'] ?? 'ledgerdesk-data'),
  eventStore: env['EVENTSTORE_URL'] || undefined,
  mongo: env['MONGODB_URL'] || undefined,
});

/** For people: the servers in use, without the credentials of their addresses. */
export const serversOf = ({ eventStore, mongo }: Places): string => {
  const hosts = (url: string): string => /^[^:]+:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url)?.[1] ?? 'a server';
  return `${eventStore === undefined ? '' : `, the log on EventStoreDB at ${hosts(eventStore)}`}${mongo === undefined ? '' : `, read models and keys on MongoDB at ${hosts(mongo)}`}`;
};

/** All that the apps stand on, opened. */
export interface Desk {
  readonly places: Places;
  readonly store: EventStore;
  readonly readModels: ReadModels;
  readonly keys: Vault;
  readonly contents: Contents;
  readonly sealer: Sealer;
  readonly open: Opener;
  readonly streams: Streams;
  readonly numbers: Numbers;
  readonly executor: Executor;
  readonly reading: Reading;
  readonly issuer: LocalIssuer;
  readonly people: People;
  readonly secret: Uint8Array;
  readonly now: () => Date;
  close(): Promise<void>;
}

export interface DeskOptions extends Places {
  readonly now?: () => Date;
  /** How many numbers a process takes at a time. */
  readonly numberBlock?: number;
  /** Whether there must be a desk already: a mistyped folder is then told, not begun. */
  readonly existing?: boolean;
}

/** What is kept at the places named is not a desk, not all of it, or of two desks: what to do is in the message. */
export class DeskIncomplete extends Error {}

/** @throws DeskIncomplete, Unavailable, an Error that names the setting, and what the folder's files throw */
export const openDesk = async ({ now = () => new Date(), numberBlock = 100, existing = false, ...places }: DeskOptions): Promise<Desk> => {
  const { folder, eventStore } = places;
  if (existing && eventStore === undefined && !existsSync(join(folder, 'log.db')))
    throw new DeskIncomplete(`${folder} holds no log.db: set LEDGERDESK_DATA to the data folder of a desk`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened) await one.close();
  };
  const kept = <T extends { close(): Promise<void> }>(one: T): T => (opened.push(one), one);
  try {
    let found = await logAt(places);
    if (found) kept(found);
    await requireMoved(found, places);
    if (existing && eventStore !== undefined && (await isEmpty(found)))
      throw new DeskIncomplete(`${logName(places)} is empty: there is no desk in it yet`);
    const keys = kept(await keysAt(places));
    // Another process may have begun both meanwhile
    if (!found && (await ownerOf(keys)) !== undefined && (found = await logAt(places))) kept(found);
    await requireOneDesk(found, keys, places);
    const log = found ?? kept(await begunAt(places));
    await keys.put(ownLog, Buffer.from(log.logId));
    await requireOwner(log, keys, places);
    const store = isTracing() ? tracedLog(log) : log;
    const models = kept(await readModelsAt(places));
    const readModels = isTracing() ? tracedReadModels(models) : models;
    const issuer = await LocalIssuer.of(folder);
    const sealer = new Sealer(keys);
    const contents = new Contents(kept(await contentAt(places)), sealer);
    const secret = await secretOf(keys);
    const streams = new Streams(store);
    const numbers = new Numbers(store, now, build, numberBlock);
    const open: Opener = (sealed) => sealer.openNow(sealed) ?? sealer.open(sealed);
    const reading = new Reading(store, streams, readModels, open, now);
    const writer = new Executor({ store, streams, sealer, numbers, reads: readsOf(reading, contents), secret, now, build });
    const executor = isTracing() ? tracedExecutor(writer) : writer;
    return {
      ...{ places, store, readModels, keys, contents, sealer, open, streams, numbers, executor, reading, issuer, secret, now, close },
      people: peopleOf(streams, now),
    };
  } catch (e) {
    await close();
    throw e;
  }
};

// Drivers are loaded where a server is named only
const onServer = async () => (await import('#platform/event-store/eventstoredb/log.js')).EventStoreDbLog;
/** Undefined where none was begun on the server: whoever only reads begins none. */
const logAt = async ({ folder, eventStore }: Places): Promise<EventStore | undefined> =>
  eventStore === undefined ? EmbeddedLog.open({ folder }) : (await onServer()).find({ url: eventStore });
const begunAt = async ({ folder, eventStore }: Places): Promise<EventStore> =>
  eventStore === undefined ? EmbeddedLog.open({ folder }) : (await onServer()).open({ url: eventStore });
const keysAt = async ({ folder, mongo }: Places): Promise<Vault> =>
  mongo === undefined ? KeyFile.open({ folder }) : (await import('#platform/vault/mongodb/keys.js')).MongoKeys.open({ url: mongo });
const contentAt = async ({ folder, mongo }: Places): Promise<Vault> =>
  mongo === undefined
    ? ContentFolder.open({ folder: join(folder, contentFolder) })
    : (await import('#platform/vault/mongodb/content.js')).MongoContent.open({ url: mongo });
const readModelsAt = async ({ folder, mongo }: Places): Promise<ReadModels> =>
  mongo === undefined
    ? EmbeddedReadModels.open({ folder })
    : (await import('#platform/read-models/mongodb/read-models.js')).MongoReadModels.open({ url: mongo });

const logName = ({ folder, eventStore }: Places): string =>
  eventStore === undefined ? `log.db of ${folder}` : 'the log of EVENTSTORE_URL';
const keysName = ({ folder, mongo }: Places): string => (mongo === undefined ? `keys.db of ${folder}` : 'the keys of MONGODB_URL');

/** Where in the data folder the files of requests are. */
export const contentFolder = 'content';
const fingerprints = 'ledgerdesk/fingerprints';
/** The name under which the keys tell which log they belong to. */
export const ownLog = 'ledgerdesk/log';

/** The name under which keys that were copied to a server tell with which log they went: there they go on. */
export const keysMoved = 'ledgerdesk/moved';
/** What the keys say of themselves, beside those of persons. */
const ownNames: ReadonlySet<string> = new Set([fingerprints, ownLog, keysMoved]);

const isEmpty = async (log: EventStore | undefined): Promise<boolean> => !log || (await log.head()) < 0n;

/** The log to which keys belong; undefined for new ones. */
export const ownerOf = async (keys: Vault, name = ownLog): Promise<string | undefined> => {
  const owner = await keys.get(name);
  return owner instanceof Uint8Array ? Buffer.from(owner).toString() : undefined;
};

/** A folder's log that was never moved, or not to its end: beside a server that holds nothing of it, it would be passed over. */
const requireMoved = async (log: EventStore | undefined, places: Places): Promise<void> => {
  const { folder, eventStore } = places;
  const isBegun = !(await isEmpty(log));
  if (eventStore === undefined || !existsSync(join(folder, 'log.db')) || (isBegun && log?.parent === null)) return;
  const left = await EmbeddedLog.open({ folder, readOnly: true });
  try {
    const moves = left.refusal instanceof LogMovedOn;
    if ((await isEmpty(left)) || (isBegun && (moves || log?.parent !== left.logId))) return;
    const holds = `log.db of ${folder} holds a desk that was ${moves ? 'moved' : 'not moved'}, and ${logName(places)} ${isBegun ? 'a part of it' : 'is empty'}`;
    throw new DeskIncomplete(
      `${holds}: ${moves ? 'name the servers to which it was moved' : `npm run -s cli -- copy --from ${folder}`}, or set LEDGERDESK_DATA to a new folder`,
    );
  } finally {
    await left.close();
  }
};

/** Log and keys belong together: going on with others would seal new texts under keys that are not theirs. Nothing is written. */
export const requireOneDesk = async (log: EventStore | undefined, keys: Vault, places: Places): Promise<void> => {
  if (places.mongo === undefined && log && (await ownerOf(keys, keysMoved)) === log.logId)
    throw new DeskIncomplete(`${keysName(places)} were moved, and go on there: set MONGODB_URL to where they are`);
  const isBegun = !(await isEmpty(log));
  let held = 0;
  let persons = 0;
  for await (const { name } of keys.names()) {
    held++;
    if (!ownNames.has(name)) persons++;
    if (held > ownNames.size) break;
  }
  const [ofLog, vault] = [logName(places), keysName(places)];
  const because =
    isBegun && held === 0 ? [vault, `${ofLog} has events`] : !isBegun && persons > 0 ? [ofLog, `${vault} has keys`] : undefined;
  if (because)
    throw new DeskIncomplete(
      `${because[0]} is missing or empty, while ${because[1]}: restore it from its backup, or ${places.eventStore === undefined ? 'set LEDGERDESK_DATA to a new folder' : 'name the two that belong together'}`,
    );
  await requireOwner(log, keys, places);
};

const requireOwner = async (log: EventStore | undefined, keys: Vault, places: Places): Promise<void> => {
  const owner = await ownerOf(keys);
  if (owner !== undefined && owner !== log?.logId && owner !== log?.parent)
    throw new DeskIncomplete(
      `${keysName(places)} are those of log ${owner}, but ${logName(places)} is ${log ? `log ${log.logId}` : 'empty'}: name the two that belong together (a log is moved by \`npm run -s cli -- copy\`)`,
    );
};

/** The key of the command fingerprints: made once, kept with the other keys. */
const secretOf = async (keys: Vault): Promise<Uint8Array> => {
  await keys.put(fingerprints, randomBytes(32));
  const secret = await keys.get(fingerprints);
  if (!(secret instanceof Uint8Array))
    throw new Error('the key of the command fingerprints is gone from the keys: restore them from their backup');
  return secret;
};

/** What a decision may ask: the read models as they serve, told with the position that they had reached before. */
const readsOf = (reading: Reading, contents: Contents): Reads => ({
  content: (owner, sha256) => contents.size(owner, sha256),
  counts: async (name, where, by) => {
    const collection = collections.find(({ declaration }) => declaration.name === name);
    if (!collection) throw new Error(`no read model answers how many '${name}' there are`);
    const serving = await reading.serving(collection);
    const position = await serving.checkpoint();
    const counts = await serving.counts({ any: where, range: {}, words: [] }, by);
    return { answer: Object.fromEntries(counts.flatMap(({ key, count }) => (key === null ? [] : [[key, count]]))), position };
  },
});

// How long a reaction waits for a read model before it asks again from the beginning, in milliseconds
const comesWithin = 10_000;

/** What a reaction may ask: the read models as they serve, every page. */
export const findsOf = (reading: Reading): Finds => ({
  ids: async (name, where, { due, since }) => {
    const collection = collections.find(({ declaration }) => declaration.name === name);
    if (!collection) throw new Error(`no read model '${name}' is there to be asked`);
    const until = performance.now() + comesWithin;
    const served = () =>
      reading.serving(collection).catch(() => {
        throw new Unavailable(`the read model '${name}' is not there yet`);
      });
    while (since !== undefined && (await (await served()).checkpoint()) < since) {
      if (performance.now() > until) throw new Unavailable(`the read model '${name}' does not come: /readyz says why`);
      await delay(20);
    }
    const serving = await served();
    const { orders, defaultOrder } = collection.declaration;
    const order = Object.keys(orders).find((one) => due !== undefined && orders[one]?.[0] === due[0]) ?? defaultOrder;
    const range = due === undefined ? {} : { [due[0]]: { to: due[1] } };
    const ids: string[] = [];
    for (let after: PageQuery['after']; ;) {
      const page = await serving.page({ any: where, range, words: [], order, descending: false, limit: 500, after });
      ids.push(...itemsOf<{ readonly id: string }>(page).map(({ id }) => id));
      if (page.next === undefined) return ids;
      after = page.next;
    }
  },
});

/** A subject that names a staff member is known by their record, and a client's contact by whether they were removed. */
const peopleOf = (streams: Streams, now: () => Date): People => ({
  about: async (subject, ofClient) => {
    const { state } = (await streams.load(staffMember, subject)).folded;
    const theirs = ofClient === null ? null : (await streams.load(client, ofClient)).folded.state;
    const departed = state?.status === 'departed' || theirs?.removedContacts.some((id) => id === subject) === true;
    return { senior: state?.level === 'senior', departed };
  },
  // A contact acts for those of the same client. Whoever is on no record of the staff: what acting for them means is the command's own rule
  mayActFor: async (by, other) => {
    if (by.client !== null) {
      const { state } = (await streams.load(client, by.client)).folded;
      return state?.contacts.some(({ contact }) => contact === other) === true;
    }
    const { state } = (await streams.load(staffMember, other)).folded;
    return state === null || by.is('coordinator') || isDeputyAt(state, by.id, now().toISOString());
  },
});
