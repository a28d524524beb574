import { isOpen } from '#contexts/requests/contract/request.js';
import { LinkRequests, MergeRequest, UnmergeRequest } from '#contexts/requests/request/relating.js';
import { type Story } from './agenda.js';
import { type Case } from './case.js';
import { ending, solves } from './ending.js';
import { firstLine, opens } from './opening.js';
import { fromSorting } from './way.js';

/** The same matter, asked again by a colleague of the same client: merged, while the first one is still open. */
export async function* askedTwice(c: Case, first: Case, isMistaken: boolean): Story {
  await opens(c, { channel: 'phone' });
  yield c.after(3, 12);
  if (!isOpen(await first.is())) {
    const by = await firstLine(c);
    await c.does(by, LinkRequests, { other: first.id, kind: 'duplicates' });
    await solves(c, by, 'duplicate');
    return yield* ending(c);
  }
  await c.does(await c.coordinator(), MergeRequest, { into: first.id });
  if (!isMistaken) return;
  yield c.after(30, 60);
  await c.does(await c.coordinator(), UnmergeRequest, { reason: 'Another printer, another floor' });
  yield* fromSorting(c);
}
