import { HoldRequest, ResumeRequest } from '#contexts/requests/request/waiting.js';
import { InformClient, RecordReply } from '#contexts/requests/request/talking.js';
import { CancelRequest } from '#contexts/requests/request/ending.js';
import { idFor } from './acting.js';
import { type Story } from './agenda.js';
import { type Case } from './case.js';
import { day, instantOf, minute, openAt, startOf, workLater } from './office.js';

/** The morning of a day of open desk, so many days from now. */
const inDays = (c: Case, days: number): number => openAt(startOf(c.life.now + days * day));

/** The desk asks, and waits; most answer within a day or two, and the answer ends the hold. */
export async function* untilAnswered(c: Case): Story {
  const { chance } = c;
  const until = inDays(c, chance.between(2, 4));
  await asks(c, chance.of(0.6) ? 'phone' : 'mail', until);
  if (chance.of(0.2)) return yield* unanswered(c, until);
  yield c.after(40, 900);
  const text = c.says(c.wording.reply);
  if (chance.of(0.5)) return void (await c.does(c.contact, RecordReply, { text, channel: 'portal' }));
  // Told on the telephone a while before somebody writes it down
  const occurredAt = instantOf(c.life.now - chance.between(5, 25) * minute);
  await c.does(await c.worker(), RecordReply, { text, channel: 'phone', occurredAt });
}

const asks = async (c: Case, channel: 'phone' | 'mail', until: number): Promise<void> => {
  const worker = await c.worker();
  await c.does(worker, InformClient, { text: c.says(c.wording.question), question: true, channel });
  await c.does(worker, HoldRequest, { hold: 'client', until: instantOf(until) });
};

/** The date ends the hold; asked again, it is dropped, or answered after all. */
async function* unanswered(c: Case, until: number): Story {
  yield workLater(until, c.chance.between(20, 200));
  const again = inDays(c, 5);
  await asks(c, 'mail', again);
  yield workLater(again, c.chance.between(20, 200));
  if (c.chance.of(0.5)) return void (await c.does(await c.worker(), CancelRequest, { reason: 'No answer to two questions' }));
  await c.does(c.contact, RecordReply, { text: c.says(c.wording.reply), channel: 'mail' });
}

/** Somebody else's turn, a manufacturer's or a change that is planned: until they are done, or the date has come. */
export async function* forOthers(c: Case, hold: 'vendor' | 'change' | 'other'): Story {
  const { chance } = c;
  const worker = await c.worker();
  // Manufacturers promise days, and take weeks
  const until = inDays(c, chance.of(0.5) ? chance.between(2, 8) : chance.between(10, 24));
  if (hold === 'vendor') await c.does(worker, InformClient, { text: c.says(c.phrases.vendor), channel: 'mail' });
  await c.does(worker, HoldRequest, {
    ...{ hold, until: instantOf(until) },
    ...(hold === 'change' && { change: idFor(`change/${chance.between(1, 4)}`), reason: 'Comes with the next change of the application' }),
  });
  const sooner = workLater(c.life.now, chance.between(300, 1_200));
  if (chance.of(0.4) && sooner < until) {
    yield sooner;
    return void (await c.does(await c.worker(), ResumeRequest, {}));
  }
  yield workLater(until, chance.between(5, 240));
}
