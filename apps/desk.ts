import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { staffMember } from '#contexts/staff/contract/staff-member.js';
import { Executor } from '#platform/decider/execute.js';
import { Numbers } from '#platform/decider/series.js';
import { Streams } from '#platform/decider/stream.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore } from '#platform/event-store/port.js';
import { type People } from '#platform/http/access.js';
import { Reading } from '#platform/http/reading.js';
import { LocalIssuer } from '#platform/http/tokens.js';
import { type Opener } from '#platform/read-models/collection.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type ReadModels } from '#platform/read-models/port.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { type Vault } from '#platform/vault/port.js';
import { Sealer } from '#platform/vault/sealing.js';

/** Which release this is; every event names the one that wrote it. */
export const build = '0.1.0';

/** The folder of everything that the embedded desk keeps. */
export const dataFolder = (): string => resolve(process.env['LEDGERDESK_DATA'] ?? 'ledgerdesk-data');

/** All that the apps stand on, opened from one data folder. */
export interface Desk {
  readonly folder: string;
  readonly store: EventStore;
  readonly readModels: ReadModels;
  readonly sealer: Sealer;
  readonly open: Opener;
  readonly streams: Streams;
  readonly numbers: Numbers;
  readonly executor: Executor;
  readonly reading: Reading;
  readonly issuer: LocalIssuer;
  readonly people: People;
  readonly secret: Uint8Array;
  close(): Promise<void>;
}

export interface DeskOptions {
  readonly folder: string;
  readonly now?: () => Date;
  /** How many numbers a process takes at a time. */
  readonly numberBlock?: number;
  /** Whether there must be a desk already: a mistyped folder is then told, not begun. */
  readonly existing?: boolean;
}

/** The folder is not that of a desk, or not all of it: what to do is in the message. */
export class FolderIncomplete extends Error {}

export const openDesk = async ({ folder, now = () => new Date(), numberBlock = 100, existing = false }: DeskOptions): Promise<Desk> => {
  if (existing && !existsSync(join(folder, 'log.db')))
    throw new FolderIncomplete(`${folder} holds no log.db: set LEDGERDESK_DATA to the data folder of a desk`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const store = await EmbeddedLog.open({ folder });
  const keys = await KeyFile.open({ folder });
  await requireBoth(store, keys, folder);
  const readModels = await EmbeddedReadModels.open({ folder });
  const issuer = await LocalIssuer.of(folder);
  const sealer = new Sealer(keys);
  const secret = await secretOf(keys);
  const streams = new Streams(store);
  const numbers = new Numbers(store, now, build, numberBlock);
  const executor = new Executor({ store, streams, sealer, numbers, secret, now, build });
  const open: Opener = (sealed) => sealer.openNow(sealed) ?? sealer.open(sealed);
  return {
    ...{ folder, store, readModels, sealer, open, streams, numbers, executor, issuer, secret },
    reading: new Reading(store, streams, readModels, open),
    people: peopleOf(streams),
    close: async () => {
      await store.close();
      await readModels.close();
      await keys.close();
    },
  };
};

const fingerprints = 'ledgerdesk/fingerprints';

/** Log and keys belong together: going on with one alone would seal new texts under keys that are not theirs. */
const requireBoth = async (store: EventStore, keys: Vault, folder: string): Promise<void> => {
  const isEmpty = (await store.head()) < 0n;
  let held = 0;
  let persons = 0;
  for await (const { name } of keys.names()) {
    held++;
    if (name !== fingerprints) persons++;
    if (held > 1) break;
  }
  const because =
    !isEmpty && held === 0 ? ['keys.db', 'log.db has events'] : isEmpty && persons > 0 ? ['log.db', 'keys.db has keys'] : undefined;
  if (!because) return;
  await store.close();
  await keys.close();
  throw new FolderIncomplete(
    `${because[0]} of ${folder} is missing or empty, while ${because[1]}: restore it from its backup, or set LEDGERDESK_DATA to a new folder`,
  );
};

/** The key of the command fingerprints: made once, kept with the other keys. */
const secretOf = async (keys: Vault): Promise<Uint8Array> => {
  await keys.put(fingerprints, randomBytes(32));
  const secret = await keys.get(fingerprints);
  if (!(secret instanceof Uint8Array))
    throw new Error('the key of the command fingerprints is gone from keys.db: restore it from its backup');
  return secret;
};

/** A subject that names a staff member is known by their record; anybody else has none. */
const peopleOf = (streams: Streams): People => ({
  about: async (subject) => {
    const { state } = (await streams.load(staffMember, subject)).folded;
    return { senior: state?.level === 'senior', departed: state?.status === 'departed' };
  },
});
