import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createApi } from '#apps/api/app.js';
import { keysOf, readManifest } from '#apps/cli/manifest.js';
import { accountFor } from '#apps/cli/numbers.js';
import { followChains, sealOf } from '#apps/cli/seal.js';
import { collections } from '#apps/contexts.js';
import { openDesk } from '#apps/desk.js';
import { projectorOf } from '#apps/projector/projecting.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';
import { positionOf } from '#platform/http/positions.js';
import { randomOf } from '#platform/processors/spec.js';
import { KeyFile } from '#platform/vault/embedded/key-file.js';
import { Sealer } from '#platform/vault/sealing.js';
import { BusyDesk } from './busy-desk.js';
import { holds, inFolder } from './children.js';
import { equalsRebuild, readWhole } from './comparing.js';
import { spread } from './spread.js';

// No promise of this row, but one that never came back is a failure
const patience = 30_000;

/** The command line in a process of its own, on a folder. @returns how it ended */
const cli = async (folder: string, ...args: readonly string[]): Promise<number> => {
  const main = fileURLToPath(new URL('../../apps/cli/main.ts', import.meta.url));
  const env = { ...process.env, LEDGERDESK_DATA: folder, EVENTSTORE_URL: '', MONGODB_URL: '' };
  const command = spawn(process.execPath, [...process.execArgv, main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err] = await Promise.all([text(command.stdout), text(command.stderr), once(command, 'exit')]);
  holds(command.exitCode === 0, () => `cli ${args.join(' ')} ended with ${command.exitCode}: ${out}${err}`);
  return command.exitCode ?? 1;
};

/** Each event of a log beside the one at its place in the other, up to a position. @returns how many; @throws where they part, or where the other goes on */
const equalUpTo = async (log: EventStore, other: EventStore, position: bigint): Promise<number> => {
  const there = other.readAll()[Symbol.asyncIterator]();
  let events = 0;
  const told = (event: StoredEvent | undefined): string =>
    event ? `${event.position} ${event.stream}@${event.revision} ${event.metadata['hash'] as string}` : 'nothing';
  for await (const event of log.readAll()) {
    if (event.position > position) break;
    const next = (await there.next()) as { readonly value?: StoredEvent };
    holds(told(event) === told(next.value), () => `where the log has ${told(event)}, what was restored has ${told(next.value)}`);
    events++;
  }
  holds((await there.next()).done === true, () => `what was restored goes on after position ${position}`);
  return events;
};

/** Forgets somebody of whom the log holds texts. @returns the person's id */
const forgetOne = async (folder: string, upTo: bigint): Promise<string> => {
  const log = await EmbeddedLog.open({ folder });
  const keys = await KeyFile.open({ folder });
  try {
    for await (const event of log.readAll()) {
      const [name] = event.position <= upTo && event.type === 'RequestOpened' ? keysOf(event) : [];
      if (name === undefined) continue;
      const owner = name.slice(0, name.lastIndexOf('/'));
      await new Sealer(keys).forget(owner);
      return owner;
    }
    throw new Error('no request was opened before the backup');
  } finally {
    await keys.close();
    await log.close();
  }
};

/** Serves what was restored, and proves of it: read models equal a clean rebuild, positions of the other log are refused, the person forgotten cannot be read. */
const proveServed = async (folder: string, foreign: string, forgotten: string): Promise<number> => {
  const desk = await openDesk({ folder });
  const projector = await projectorOf(desk);
  await projector.start();
  const app = await createApi(desk);
  await app.listen(0, '127.0.0.1');
  try {
    const { token } = await desk.issuer.mint('audrey', ['auditor'], null, 3_600);
    const ask = (path: string) => app.getUrl().then((url) => fetch(url + path, { headers: { authorization: `Bearer ${token}` } }));
    const refused = await ask(`/requests?minPosition=${foreign}`);
    holds(refused.status === 410, () => `a position of the other log was answered ${refused.status}`);
    const served = await ask('/requests?limit=200');
    const { items } = (await served.json()) as { readonly items: readonly { readonly contact: string; readonly subject: unknown }[] };
    const about = items.filter(({ contact }) => contact === forgotten);
    holds(about.length > 0, () => 'no request of the person forgotten is there');
    for (const { subject } of about) holds(typeof subject !== 'string', () => `the person forgotten can be read: ${String(subject)}`);
    let documents = 0;
    for (const collection of collections) {
      const model = await desk.readModels.model(collection.declaration);
      for (const build of await model.builds()) if (build.logId !== desk.store.logId) await model.drop(build);
      documents += (await equalsRebuild(desk.store, desk.readModels, collection, desk.open)).documents;
    }
    return documents;
  } finally {
    await app.close();
    await desk.close();
  }
};

/** R17: a desk backed up under load, and restored: every event up to the manifest's position, in a log of its own, proven by the backup's seal; old views under it are made anew. */
export const main = async (volume: number, seed: number): Promise<string> => {
  const random = randomOf(seed);
  const commands: number[] = [];
  const sum = { events: 0, before: 0, later: 0, documents: 0, oldViews: 0 };
  for (let round = 0; round < volume; round++)
    await inFolder(async (place) => {
      const [folder, to, keys, restored] = ['desk', 'backup', 'keys', 'restored'].map((name) => join(place, name)) as [
        string,
        string,
        string,
        string,
      ];
      const busy = await BusyDesk.start({ folder }, random);
      await delay(300 + random(1_500));
      const before = busy.acknowledged.length;
      let over = false;
      const backing = cli(folder, 'backup', '--to', to, '--keys-to', keys).finally(() => (over = true));
      backing.catch(() => undefined);
      while (!over) commands.push((await busy.back(performance.now(), patience)).command);
      await backing;
      await delay(random(500));
      await busy.end();
      const manifest = await readManifest(to);
      const seal = sealOf(manifest.seal ?? '');
      holds(seal !== undefined, () => `the manifest's seal is ${manifest.seal}`);
      const acknowledged = busy.acknowledged.map(({ position }) => positionOf(position, seal.log));
      // What was acknowledged before the backup began is in it
      for (const position of acknowledged.slice(0, before))
        holds(position <= seal.position, () => `position ${position} was acknowledged before the backup, which ends at ${seal.position}`);
      const forgotten = await forgetOne(folder, seal.position);
      await cli(folder, 'restore', '--from', to, '--keys-from', keys, '--to', restored, '--erasures', folder);

      const log = await EmbeddedLog.open({ folder });
      const copy = await EmbeddedLog.open({ folder: restored });
      holds(copy.logId !== log.logId && copy.parent === log.logId, () => `the restored log is ${copy.logId}, of ${copy.parent}`);
      holds((await equalUpTo(log, copy, seal.position)) === manifest.events, () => `the manifest tells of ${manifest.events} events`);
      await followChains(copy, seal, (where, why) => holds(false, () => `${where} ${why}`));
      await readWhole(copy);
      const { errors } = await accountFor(copy);
      holds(errors.length === 0, () => errors.join('\n'));
      await copy.close();
      await log.close();
      if (round % 2 === 1) {
        await copyFile(join(folder, 'views.db'), join(restored, 'views.db'));
        sum.oldViews++;
      }
      sum.documents += await proveServed(restored, busy.acknowledged.at(-1)?.position ?? '', forgotten);
      await cli(restored, 'check', '--against', manifest.seal ?? '');
      sum.events += manifest.events;
      sum.before += before;
      sum.later += acknowledged.filter((position) => position > seal.position).length;
    });
  return (
    `${volume} backups under load, restored: ${sum.before} commands acknowledged before are in them, ${sum.later} later ones are not; ${sum.events} events, each at its place, proven by the seal; ` +
    `${sum.documents} documents equal a clean rebuild, in ${sum.oldViews} under views of the other log; its positions answered 410; who was forgotten since cannot be read; ` +
    `meanwhile a command took ${spread(commands)}`
  );
};
