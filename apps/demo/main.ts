import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { placesOf } from '../desk.js';
import { toldOf } from '../failures.js';
import { fillMonth, NotEmpty } from './month.js';
import { dayOf, mondayBefore } from './office.js';
import { summaryOf } from './summary.js';

/** Fills an empty desk with a month that is over, so that there is something to look at. */
const demo = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({ args: [...args], options: { until: { type: 'string', default: dayOf(Date.now()) } } });
  const until = Date.parse(`${values.until}T00:00:00Z`);
  if (Number.isNaN(until) || dayOf(until) !== values.until || until > Date.now())
    throw new Error(`--until ${values.until}: say a day that has come, YYYY-MM-DD; the month ends with the Sunday before it`);
  const places = placesOf();
  const begun = performance.now();
  await fillMonth(places, mondayBefore(until));
  console.log(await summaryOf(places, mondayBefore(until), (performance.now() - begun) / 1_000));
};

demo(process.argv.slice(2)).catch((e: unknown) => {
  const { message } = e as Error;
  const told = e instanceof NotEmpty ? `${message}: set LEDGERDESK_DATA to a folder that is not there yet` : toldOf(e, placesOf().folder);
  console.error(told ?? message);
  process.exit(1);
});
