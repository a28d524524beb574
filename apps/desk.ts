import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
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
}

export const openDesk = async ({ folder, now = () => new Date(), numberBlock = 100 }: DeskOptions): Promise<Desk> => {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const store = await EmbeddedLog.open({ folder });
  const keys = await KeyFile.open({ folder });
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

/** The key of the command fingerprints: made once, kept with the other keys. */
const secretOf = async (keys: Vault): Promise<Uint8Array> => {
  const name = 'ledgerdesk/fingerprints';
  await keys.put(name, randomBytes(32));
  const secret = await keys.get(name);
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
