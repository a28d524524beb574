import { SplitRequest } from '#contexts/requests/request/relating.js';
import { type Story } from './agenda.js';
import { type Case } from './case.js';
import { opens } from './opening.js';
import { fromSorting } from './way.js';

/** Three wishes in one mail: two go on as requests of their own, which a reaction opens. */
export async function* severalInOne(c: Case, parts: readonly Case[]): Story {
  await opens(c, { channel: 'mail', subject: c.says(c.phrases.several) });
  yield c.after(10, 60);
  const worded = parts.map((part) => ({ request: part.id, subject: part.says(part.phrases.parts[part.about] ?? '') }));
  await c.does(await c.coordinator(), SplitRequest, { parts: worded });
  for (const part of parts) c.life.agenda.add(c.after(1, 20), fromSorting(part));
  yield* fromSorting(c);
}
