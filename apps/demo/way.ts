import { AddNote, AddWatcher, InformClient, RemoveWatcher, SendFirstResponse } from '#contexts/requests/request/talking.js';
import { UnassignRequest } from '#contexts/requests/request/assigning.js';
import { isOpen } from '#contexts/requests/contract/request.js';
import { type Story } from './agenda.js';
import { type Case } from './case.js';
import { ending, solves, withdrawn, worked } from './ending.js';
import { attaches } from './files.js';
import { firstLine, links, opens } from './opening.js';
import { openAt } from './office.js';
import { claire, emma } from './people.js';
import { assigned, isPassedOn, passedOn, raised, sorted } from './sorting.js';
import { forOthers, untilAnswered } from './waiting.js';

/** An ordinary request, from the first word to the last. @param earlier one of the same client, where there is one */
export async function* ordinary(c: Case, earlier?: Case): Story {
  const { chance, topic } = c;
  const by = await opens(c);
  if (by !== c.contact && earlier && chance.of(0.06)) await links(c, by, earlier);
  if (by !== c.contact && chance.of(topic.atOnce ?? 0)) {
    yield c.after(...topic.minutes);
    // By whoever is still there when it is done: work that lasts past five is gone on with the next morning
    await solves(c, by.role === 'technician' && (await c.life.isPresent(by.id)) ? by : await firstLine(c));
    return yield* ending(c);
  }
  yield openAt(c.life.now);
  yield* fromSorting(c);
}

/** The way of what is not solved at once. */
export async function* fromSorting(c: Case): Story {
  const { chance } = c;
  yield c.after(4, 45);
  await sorted(c);
  yield c.after(3, 60);
  if (chance.of(0.04)) return void (await withdrawn(c));
  await assigned(c);
  yield c.inTurn();
  yield* taken(c);
}

async function* taken(c: Case): Story {
  const { chance, topic, phrases } = c;
  const worker = await c.worker();
  if (chance.of(0.6)) await c.does(worker, SendFirstResponse, { text: c.says(phrases.received) });
  if (chance.of(0.06)) await watched(c);
  if (topic.category === 'database' && chance.of(0.2)) await attaches(c);
  const minutes = chance.between(...topic.minutes);
  yield c.after(minutes / 2, minutes);
  if (await isPassedOn(c)) {
    await passedOn(c);
    yield c.after(20, 120);
  }
  if (chance.of(0.02)) await givenBack(c);
  yield* detours(c);
  if (!isOpen(await c.is())) return;
  if (chance.of(0.3)) await c.does(await c.worker(), AddNote, { text: noted[c.topic.category] });
  if (chance.of(0.05)) await c.does(c.contact, AddNote, { text: c.says(phrases.more) });
  if (chance.of(0.35))
    await c.does(await c.worker(), InformClient, { text: c.says(phrases.begun), channel: chance.of(0.5) ? 'phone' : 'mail' });
  yield c.inTurn();
  if (chance.of(0.02)) return void (await withdrawn(c));
  await worked(c, Math.ceil(minutes));
  await solves(c, await c.worker());
  yield* ending(c);
}

async function* detours(c: Case): Story {
  const { chance } = c;
  if (chance.of(0.2)) yield* untilAnswered(c);
  else if (chance.of(0.13)) yield* forOthers(c, 'vendor');
  else if (chance.of(0.04)) yield* forOthers(c, 'change');
  else if (chance.of(0.02)) yield* forOthers(c, 'other');
  if (isOpen(await c.is()) && chance.of(0.04)) await raised(c);
}

const noted = {
  desktop: 'Seen on the same model before: see what was done to the others first.',
  network: 'Measured from both ends; figures are in the folder of the site.',
  database: 'Run and selection compared with those of last month; the difference is in one step only.',
  other: 'Rights as in the profile of the department; nothing special.',
} as const;

const watched = async (c: Case): Promise<void> => {
  const by = await c.worker();
  const watcher = c.chance.pick([claire.id, emma.id, ...c.client.contacts.map(({ id }) => id)]);
  await c.does(by, AddWatcher, { watcher });
  if (c.chance.of(0.3)) await c.does(by, RemoveWatcher, { watcher });
};

const givenBack = async (c: Case): Promise<void> => {
  await c.does(await c.worker(), UnassignRequest, { reason: 'I know too little of this one' });
};
