import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { placesOf } from '../desk.js';
import { toldOf } from '../failures.js';
import { FilledAlready, NotEmpty } from './ground.js';
import { fillMonth } from './month.js';
import { dayOf, mondayBefore } from './office.js';
import { summaryOf } from './summary.js';

// Days are counted from 1970 on, and the staff were hired years before the month
const earliest = '2000-01-01';

/** Fills an empty desk with a month that is over, so that there is something to look at. */
const demo = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({ args: [...args], options: { until: { type: 'string' } } });
  const until = values.until ?? dayOf(Date.now());
  const at = Date.parse(`${until}T00:00:00Z`);
  if (Number.isNaN(at) || dayOf(at) !== until || until < earliest || at > Date.now())
    throw new Error(
      `--until ${until}: say a day that has come, from ${earliest} on, as YYYY-MM-DD; the month ends with the Sunday before it`,
    );
  const [places, end] = [placesOf(), mondayBefore(at)];
  const begun = performance.now();
  try {
    await fillMonth(places, end);
  } catch (e) {
    // Asked for again, as a page says that is followed after another
    if (!(e instanceof FilledAlready) || (values.until !== undefined && e.end !== end)) throw e;
    console.log(`${e.message}. Start it with \`npm start\`; LEDGERDESK_DATA names another folder`);
    return;
  }
  console.log(await summaryOf(places, end, (performance.now() - begun) / 1_000));
};

demo(process.argv.slice(2)).catch((e: unknown) => {
  const { message } = e as Error;
  const told = e instanceof NotEmpty ? `${message}: set LEDGERDESK_DATA to a folder that is not there yet` : toldOf(e, placesOf().folder);
  console.error(told ?? message);
  process.exit(1);
});
