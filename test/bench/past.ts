import { join } from 'node:path';
import { serveProduct, type Served } from './children.js';
import { tokenFor } from './commands.js';
import { missing, realLog, writeLonger, writeMany } from './data.js';
import { inFolder } from './folders.js';
import { importInto, rowsIn } from './importing.js';
import { load } from './load.js';
import { interleaved, median, type Row } from './row.js';

const day = 86_400_000;
/** Instants over the months that the real log is about, so that no two queries in a row are the same. */
const instants = Array.from({ length: 40 }, (_, i) => new Date(Date.parse('2016-03-10T09:17:00Z') + i * 4 * day).toISOString());
const queries = { page: '/requests', counts: '/requests/counts?by=status' } as const;
const at = (path: string, instant: string): string => `${path}${path.includes('?') ? '&' : '?'}asOf=${instant}`;

/** A desk that imported a file and serves it. */
const imported = async <T>(
  name: string,
  write: ((path: string) => Promise<unknown>) | undefined,
  work: (desk: Served & { readonly headers: Readonly<Record<string, string>>; readonly events: number }) => Promise<T>,
): Promise<T> =>
  inFolder(name, async (folder) => {
    const data = join(folder, 'data');
    const path = write ? join(folder, 'rows.csv') : realLog;
    await write?.(path);
    const { events } = await importInto(data, path);
    const headers = await tokenFor(data);
    const product = await serveProduct(data);
    try {
      // The projector is at its first catching up
      while ((await fetch(`${product.url}/requests`, { headers: { ...headers } })).status === 503)
        await new Promise((resolve) => setTimeout(resolve, 500));
      return await work({ ...product, headers, events });
    } finally {
      await product.stop();
    }
  });

export const past: Row = {
  row: 'P12',
  what: 'the queue as of an instant over HTTP, first page and counts, on the imported log, one query after the other',
  against: 'the same query on the present; with ten times the history over the same requests: the same query of the past',
  bound: { sign: '≥', ratio: 0.3 },
  measure: async (volume) => {
    if (missing !== undefined) return { comparisons: [], skipped: missing };
    const limit = rowsIn(volume.part);
    return imported('past', volume.part < 1 ? (path) => writeMany(path, limit, 1) : undefined, (once) =>
      imported(
        'longer',
        (path) => writeLonger(path, limit, 10),
        async (longer) => {
          const comparisons = [];
          const limits = [];
          for (const [what, path] of Object.entries(queries)) {
            const p99: number[] = [];
            const ask = async (desk: typeof once, paths: readonly string[]): Promise<number> => {
              let i = 0;
              const shot = () => ({ method: 'GET', path: paths[i++ % paths.length] as string }) as const;
              const loaded = await load(desk.url, { connections: 1, seconds: volume.seconds, headers: desk.headers }, () => shot);
              if (paths.length > 1) p99.push(loaded.p99);
              return loaded.perSecond;
            };
            const then = instants.map((instant) => at(path, instant));
            const ofPast = (): Promise<number> => ask(once, then);
            comparisons.push(await interleaved(what, 'queries/s', volume, ofPast, () => ask(once, [path])));
            limits.push({ what: `${what}, p99`, value: median(p99), most: 50, unit: 'ms' });
            p99.length = 0;
            const longAgo = await interleaved(`${what}, ten times the history`, 'queries/s', volume, () => ask(longer, then), ofPast);
            // No slower, but for the noise of two servers
            comparisons.push({ ...longAgo, bound: { sign: '≥', ratio: 0.9 } as const });
          }
          return { comparisons, limits, further: { events: once.events, 'events, ten times the history': longer.events } };
        },
      ),
    );
  },
};
