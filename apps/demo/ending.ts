import {
  CancelRequest,
  CloseRequest,
  RateSatisfaction,
  RejectResolution,
  ReopenRequest,
  ResolveRequest,
} from '#contexts/requests/request/ending.js';
import { InformClient, LogCall, LogTime } from '#contexts/requests/request/talking.js';
import { type Actor } from './acting.js';
import { type Story } from './agenda.js';
import { type Case } from './case.js';
import { instantOf, minute } from './office.js';
import { actorOf } from './roster.js';

const activities = ['analysis', 'correction', 'test', 'call with the client', 'documentation'] as const;

/** The work itself, written down by whoever did it. */
export const worked = async (c: Case, minutes: number): Promise<void> => {
  if (c.chance.of(0.85)) await c.does(await c.worker(), LogTime, { minutes, activity: c.chance.pick(activities) });
};

export const solves = async (c: Case, by: Actor, code: string = c.topic.code, note = c.wording.solution): Promise<void> => {
  await c.does(by, ResolveRequest, { code, note: c.says(note) });
};

/** After the resolution: accepted or not, rated, closed, and now and then taken up again. */
export async function* ending(c: Case, again = 0): Story {
  const { chance } = c;
  if (chance.of(0.15)) await calls(c);
  if (again === 0 && chance.of(0.05)) {
    yield c.after(30, 600);
    const reason = chance.pick(c.phrases.notSolved);
    if (chance.of(0.5)) await c.does(c.contact, RejectResolution, { reason });
    else await c.does(await c.coordinator(), RejectResolution, { reason }, c.contact.id);
    return yield* solvedAnew(c);
  }
  if (chance.of(0.3)) {
    yield c.after(20, 700);
    await rates(c);
  }
  yield c.after(900, 2_000);
  await closes(c);
  if (again === 0 && chance.of(0.05)) {
    yield c.after(200, 1_500);
    await c.does(chance.of(0.7) ? c.contact : await c.coordinator(), ReopenRequest, { reason: chance.pick(c.phrases.again) });
    yield* solvedAnew(c);
  }
}

async function* solvedAnew(c: Case): Story {
  yield c.after(20, 200);
  const minutes = c.chance.between(15, 120);
  const worker = await c.worker();
  await c.does(worker, InformClient, { text: c.says(c.phrases.begun), channel: 'phone' });
  yield c.after(minutes, minutes + 60);
  await worked(c, minutes);
  await solves(c, await c.worker(), 'solved');
  yield* ending(c, 1);
}

const rates = async (c: Case): Promise<void> => {
  const { chance, phrases } = c;
  const rating = chance.weighted([5, 4, 3, 2, 1], (stars) => ({ 5: 9, 4: 7, 3: 3, 2: 1, 1: 1 })[stars] ?? 0);
  const comment = chance.of(0.4) ? { comment: chance.pick(rating > 3 ? phrases.content : phrases.discontent) } : {};
  await c.does(c.contact, RateSatisfaction, { rating, ...comment });
};

const closes = async (c: Case): Promise<void> => {
  if (c.chance.of(0.12)) return void (await c.does(c.contact, CloseRequest, {}));
  const { assignee } = await c.is();
  const isThere = assignee !== null && (await c.life.isPresent(assignee));
  await c.does(isThere ? actorOf(assignee) : await c.coordinator(), CloseRequest, {});
};

const calls = async (c: Case): Promise<void> => {
  const minutes = c.chance.between(2, 14);
  const { resolvedBy } = await c.is();
  const isThere = resolvedBy !== null && (await c.life.isPresent(resolvedBy));
  await c.does(isThere ? actorOf(resolvedBy) : await c.coordinator(), LogCall, {
    ...{ caller: c.contact.name, direction: 'outbound', minutes, summary: c.says(c.phrases.done) },
    occurredAt: instantOf(c.life.now - minutes * minute),
  });
};

/** Whoever asked does not need it any more. */
export const withdrawn = async (c: Case): Promise<void> => {
  const by = c.chance.of(0.6) ? c.contact : await c.coordinator();
  await c.does(by, CancelRequest, { reason: c.chance.pick(c.phrases.withdrawn) });
};
