import { AssignToStaff, RouteRequest } from '#contexts/requests/request/assigning.js';
import { GroupRequest, UngroupRequest } from '#contexts/requests/request/relating.js';
import { PrioritiseRequest } from '#contexts/requests/request/sorting.js';
import { AddWatcher, InformClient } from '#contexts/requests/request/talking.js';
import { HoldRequest, ResumeRequest } from '#contexts/requests/request/waiting.js';
import { type Story } from './agenda.js';
import { type Case } from './case.js';
import { ending, solves, worked } from './ending.js';
import { opens } from './opening.js';
import { hour, instantOf } from './office.js';
import { applications, emma, oliver } from './people.js';
import { posting } from './problems.js';
import { fromSorting } from './way.js';

/** One call of the morning on which the nightly posting had stopped. @param morning that day, 00:00 UTC */
export async function* calledInStorm(c: Case, morning: number, isOtherwise: boolean): Story {
  const { chance, phrases } = c;
  const at = (hours: number): number => morning + hours * hour;
  const taker = await opens(c, { channel: 'phone', subject: c.says(chance.pick(phrases.batchDown)) });
  yield Math.max(at(7.8), c.after(2, 5));
  await c.does(taker, GroupRequest, { problem: posting });
  if (isOtherwise) {
    yield at(9.8);
    await c.does(emma, UngroupRequest, { reason: 'Only one file of theirs is missing; the posting had taken the others' });
    return yield* fromSorting(c);
  }
  await c.does(taker, PrioritiseRequest, { impact: 'high', urgency: chance.of(0.4) ? 'high' : 'medium' });
  yield Math.max(at(8.4), c.after(5, 20));
  const coordinator = await c.coordinator();
  await c.does(coordinator, RouteRequest, { team: applications.id });
  await c.does(coordinator, AssignToStaff, { to: (await c.taker()).id });
  if (chance.of(0.3)) await c.does(coordinator, AddWatcher, { watcher: oliver.id });
  yield at(10) + chance.between(1, 50) * 60_000;
  const worker = await c.worker();
  await c.does(worker, InformClient, { text: c.says(phrases.batchKnown), channel: 'mail' });
  await c.does(worker, HoldRequest, { hold: 'problem', problem: posting, until: instantOf(at(13)) });
  yield at(12.5) + chance.between(1, 100) * 60_000;
  await c.does(await c.worker(), ResumeRequest, {});
  await c.does(await c.worker(), InformClient, { text: c.says(phrases.batchFixed), channel: 'phone' });
  await worked(c, chance.between(10, 30));
  yield c.after(5, 90);
  await solves(c, await c.worker(), 'known-error', phrases.batchFixed);
  yield* ending(c);
}
