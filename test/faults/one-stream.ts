import { child, heard, holds } from './children.js';
import { type InPlaces } from './places.js';
import { logAt, told } from './stores.js';

/** What became of one append: where it stands, or where it found the stream. */
export type Outcome = { readonly id: string; readonly revision: string } | { readonly actual: string };

const processes = 2;
const writers = 25;
const stream = 'contended-1';

/** R7: 50 writers, in two processes, append to one stream at one revision: one wins, the others are told where the stream is. */
export const main = (rounds: number, _seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const log = await logAt(places);
    const contenders = Array.from({ length: processes }, () => child('contender', [told(places), stream, writers]));
    const winners: string[] = [];
    const wonBy = contenders.map(() => 0);
    try {
      await Promise.all(contenders.map((contender) => heard(contender)));
      for (let round = 0; round < rounds; round++) {
        const expected = BigInt(round - 1);
        const answers = contenders.map((contender) => heard<readonly Outcome[]>(contender));
        for (const contender of contenders) contender.send(expected.toString());
        const outcomes = await Promise.all(answers);
        const won = outcomes.flat().flatMap((outcome) => ('id' in outcome ? [outcome] : []));
        holds(won.length === 1, () => `round ${round}: ${won.length} winners`);
        holds(won[0]?.revision === `${round}`, () => `round ${round}: the winner stands at revision ${won[0]?.revision}`);
        for (const outcome of outcomes.flat())
          if ('actual' in outcome) holds(outcome.actual === `${round}`, () => `round ${round}: a loser was told ${outcome.actual}`);
        winners.push(won[0]?.id ?? '');
        wonBy.forEach((_, n) => {
          if (outcomes[n]?.some((outcome) => 'id' in outcome)) wonBy[n] = (wonBy[n] ?? 0) + 1;
        });
      }
    } finally {
      for (const contender of contenders) contender.disconnect();
    }
    const there: string[] = [];
    for await (const { id } of log.readStream(stream)) there.push(id);
    holds(there.join() === winners.join(), () => 'the stream is not that of the winners');
    await log.close();
    return `${rounds} rounds of ${processes * writers} writers on one stream: one winner a revision (${wonBy.join(' and ')} by process), every loser told the revision`;
  });
