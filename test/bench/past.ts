import { join } from 'node:path';
import { serveProduct, type Served } from './children.js';
import { tokenFor } from './commands.js';
import { missing, realLog, writeLonger, writeMany } from './data.js';
import { deskIn, inFolder, onGround } from './folders.js';
import { importInto, rowsIn } from './importing.js';
import { load } from './load.js';
import { type Comparison, interleaved, type Limit, type Measured, median, type Row, type Volume } from './row.js';

const day = 86_400_000;
/** Instants over the months that the real log is about, so that no two queries in a row are the same. */
const instants = Array.from({ length: 40 }, (_, i) => new Date(Date.parse('2016-03-10T09:17:00Z') + i * 4 * day).toISOString());
const queries = { page: '/requests', counts: '/requests/counts?by=status' } as const;
const at = (path: string, instant: string): string => `${path}${path.includes('?') ? '&' : '?'}asOf=${instant}`;

interface ServedDesk extends Served {
  readonly headers: Readonly<Record<string, string>>;
  readonly events: number;
}

const served = async <T>(folder: string, work: (desk: ServedDesk) => Promise<T>): Promise<T> => {
  const events = await deskIn(folder, async ({ store }) => Number(await store.head()));
  const headers = await tokenFor(folder);
  const product = await serveProduct(folder);
  try {
    // The projector is at its first catching up
    while ((await fetch(`${product.url}/requests`, { headers: { ...headers } })).status === 503)
      await new Promise((resolve) => setTimeout(resolve, 500));
    return await work({ ...product, headers, events });
  } finally {
    await product.stop();
  }
};

/** A desk that imported a file and serves it. */
const imported = async <T>(
  name: string,
  write: ((path: string) => Promise<unknown>) | undefined,
  work: (desk: ServedDesk) => Promise<T>,
): Promise<T> =>
  inFolder(name, async (folder) => {
    const data = join(folder, 'data');
    const path = write ? join(folder, 'rows.csv') : realLog;
    await write?.(path);
    await importInto(data, path);
    return served(data, work);
  });

/** As many, up to the one at which a desk's last request was opened. */
const instantsOf = async ({ url, headers }: ServedDesk): Promise<readonly string[]> => {
  const ends = ['opened', '-opened'].map(async (order) => {
    const response = await fetch(`${url}/requests?order=${order}&limit=1`, { headers: { ...headers } });
    const { items } = (await response.json()) as { readonly items: readonly [{ readonly openedAt: string }] };
    return Date.parse(items[0].openedAt);
  });
  const [first = 0, last = 0] = await Promise.all(ends);
  return instants.map((_, i) => new Date(first + ((i + 1) * (last - first)) / instants.length).toISOString());
};

/** @param longer the same requests with ten times the history */
const besidePresent = async (volume: Volume, once: ServedDesk, then: readonly string[], longer?: ServedDesk): Promise<Measured> => {
  const comparisons: Comparison[] = [];
  const limits: Limit[] = [];
  for (const [what, path] of Object.entries(queries)) {
    const p99: number[] = [];
    const ask = async (desk: ServedDesk, paths: readonly string[]): Promise<number> => {
      let i = 0;
      const shot = () => ({ method: 'GET', path: paths[i++ % paths.length] as string }) as const;
      const loaded = await load(desk.url, { connections: 1, seconds: volume.seconds, headers: desk.headers }, () => shot);
      if (paths.length > 1) p99.push(loaded.p99);
      return loaded.perSecond;
    };
    const past = then.map((instant) => at(path, instant));
    const ofPast = (): Promise<number> => ask(once, past);
    comparisons.push(await interleaved(what, 'queries/s', volume, ofPast, () => ask(once, [path])));
    limits.push({ what: `${what}, p99`, value: median(p99), most: 50, unit: 'ms' });
    if (!longer) continue;
    const longAgo = await interleaved(`${what}, ten times the history`, 'queries/s', volume, () => ask(longer, past), ofPast);
    // No slower, but for the noise of two servers
    comparisons.push({ ...longAgo, bound: { sign: '≥', ratio: 0.9 } as const });
  }
  return { comparisons, limits, further: { events: once.events, ...(longer && { 'events, ten times the history': longer.events }) } };
};

export const past: Row = {
  row: 'P12',
  what: 'the queue as of an instant over HTTP, first page and counts, on the imported log or the desk named, one query after the other',
  against:
    'the same query on the present; on the imported log, with ten times the history over the same requests: the same query of the past',
  bound: { sign: '≥', ratio: 0.3 },
  measure: async (volume) => {
    if (volume.ground !== undefined)
      return onGround('past', volume, (folder) => served(folder, async (desk) => besidePresent(volume, desk, await instantsOf(desk))));
    if (missing !== undefined) return { comparisons: [], skipped: missing };
    const limit = rowsIn(volume.part);
    return imported('past', volume.part < 1 ? (path) => writeMany(path, limit, 1) : undefined, (once) =>
      imported(
        'longer',
        (path) => writeLonger(path, limit, 10),
        (longer) => besidePresent(volume, once, instants, longer),
      ),
    );
  },
};
