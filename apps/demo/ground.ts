import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requests } from '#contexts/requests/index.js';
import { tokenContract } from '#platform/http/embedded/mint.js';
import { journalContract } from '#platform/processors/journal.js';
import { SqliteFile } from '#platform/sqlite/door.js';
import { type Desk, DeskIncomplete, type Places, serversOf } from '../desk.js';
import { day, dayOf, mondayBefore } from './office.js';

/** There is a desk already: the demonstration begins one, and adds to none. */
export class NotEmpty extends Error {}
/** The demonstration is there already, whole, with what was done in it since. */
export class FilledAlready extends NotEmpty {
  constructor(
    message: string,
    /** The Monday before which its month ended, in milliseconds since 1970. */
    readonly end: number,
  ) {
    super(message);
  }
}
/** Another process works on the desk: one that serves it would act in the story, on a clock of its own. */
export class AtWork extends Error {}

/** How long the story is. */
export const days = 28;

// In the folder from before the first act until after the last
const unfinished = ({ folder }: Places): string => join(folder, 'demo-unfinished');

/** What a start and `cli token` write by themselves: nobody has acted yet. */
const byThemselves = [journalContract, tokenContract].map((contract) => contract.stream(''));

/** The ground that a demonstration is to stand on. */
export class Ground {
  private isOpenElsewhere = false;

  private constructor(
    private readonly places: Places,
    private readonly wasCutOff: boolean,
  ) {}

  /** Marks the folder, then looks who is there: whoever comes later sees the mark. Before the desk is opened here. */
  static async take(places: Places): Promise<Ground> {
    const mark = unfinished(places);
    const wasCutOff = existsSync(mark);
    await mkdir(places.folder, { recursive: true, mode: 0o700 });
    if (!wasCutOff) await writeFile(mark, 'npm run demo has begun here and not ended\n', { mode: 0o600 });
    const ground = new Ground(places, wasCutOff);
    ground.isOpenElsewhere = await isOpenElsewhere(join(places.folder, 'views.db')).catch(ground.giveBack);
    return ground;
  }

  /** @throws NotEmpty, AtWork, Error where a demonstration was cut off */
  async requireFree(desk: Desk): Promise<void> {
    const where = `${this.places.folder}${serversOf(this.places)}`;
    const first = await firstActOf(desk);
    const isOurs = first?.issuer === 'demo';
    const end = first && mondayBefore(first.recorded) + days * day;
    const isBusy = this.isOpenElsewhere || !(await (await desk.readModels.model(requests.declaration)).lease(randomUUID(), 1));
    if (first && !isOurs) throw new NotEmpty(`${where} has a desk already`);
    if (end !== undefined && !this.wasCutOff)
      throw new FilledAlready(
        `${where} has the month from ${dayOf(end - days * day)} to ${dayOf(end - day)} already, and nothing was added`,
        end,
      );
    if (isBusy) throw new AtWork(`${where} is at work: stop what serves it, or fills it, and run this again`);
    if (first) throw new Error(`${where} holds a demonstration that was cut off: delete it, and run this again`);
  }

  /** Leaves the folder as it was found. */
  readonly giveBack = async (because: unknown): Promise<never> => {
    if (!this.wasCutOff) await this.leave();
    throw because;
  };

  /** All is told. */
  leave(): Promise<void> {
    return rm(unfinished(this.places));
  }
}

/** @throws DeskIncomplete where a demonstration is being filled in, or was cut off */
export const requireWhole = (places: Places): void => {
  if (existsSync(unfinished(places)))
    throw new DeskIncomplete(
      `${places.folder} holds half a demonstration: wait until \`npm run demo\` has ended; where it was cut off, delete the folder and run it again`,
    );
};

const firstActOf = async ({ store }: Desk): Promise<{ readonly issuer: unknown; readonly recorded: number } | undefined> => {
  for await (const { stream, metadata } of store.readAll())
    if (!byThemselves.some((own) => stream.startsWith(own)))
      return { issuer: metadata['issuer'], recorded: Date.parse(metadata['recorded'] as string) };
  return undefined;
};

/** A file leaves the write-ahead log for nobody but its only user. */
const isOpenElsewhere = async (path: string): Promise<boolean> => {
  if (!existsSync(path)) return false;
  const file = await SqliteFile.open(path, { durability: 'normal' });
  try {
    file.exec('PRAGMA journal_mode = DELETE');
    file.exec('PRAGMA journal_mode = WAL');
    return false;
  } catch (e) {
    if ((e as Error).message !== 'database is locked') throw e;
    return true;
  } finally {
    file.close();
  }
};
