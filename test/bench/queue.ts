import { requests } from '#contexts/requests/request/index.js';
import { type Desk } from '#apps/desk.js';
import { Helper, serveProduct } from './children.js';
import { connections, tokenFor } from './commands.js';
import { deskIn, onGround } from './folders.js';
import { named, variety, writeHistory } from './history.js';
import { load, type Shot } from './load.js';
import { interleaved, median, type Row } from './row.js';

/** Each filter with up to so many of its values, which are asked for in turn. */
const most = 24;
const values = (count: number, of: (i: number) => string): readonly string[] =>
  Array.from({ length: Math.min(most, count) }, (_, i) => of(Math.floor((i * count) / Math.min(most, count))));
const spread = (of: readonly string[]): readonly string[] => values(of.length, (i) => of[i] as string);

type Filters = Readonly<Record<string, readonly string[]>>;

/** Those of the history that is written here. */
const filters: Filters = {
  kind: ['incident', 'service-request', 'question'],
  status: ['new', 'assigned', 'in-progress', 'on-hold', 'closed'],
  priority: ['P1', 'P2', 'P3', 'P4'],
  team: values(variety.teams, named.team),
  assignee: ['none', ...values(variety.members, named.member)],
  client: values(variety.clients, named.client),
  category: values(variety.categories, (i) => `category ${i}`),
  application: values(variety.applications, (i) => `application ${i}`),
  channel: ['phone', 'mail', 'portal', 'in-person'],
  hold: ['client'],
  tag: values(variety.tags, (i) => `tag ${i}`),
  openedFrom: values(90, (i) => new Date(Date.parse('2025-03-01') + i * 86_400_000).toISOString()),
  openedTo: values(90, (i) => new Date(Date.parse('2025-03-02') + i * 86_400_000).toISOString()),
  text: [...values(20_000, (i) => `topic${i}`), 'printer', 'REQ-0001', 'err', 'printer network'],
};

/** Those of the requests that a desk holds, and how many they are; nobody filters by what none of them has. */
const heldBy = async ({ readModels }: Desk): Promise<{ readonly by: Filters; readonly count: number }> => {
  const named = Object.entries(requests.filters);
  const found = new Map(named.map(([name]) => [name, new Set<string>()]));
  const texts: string[] = [];
  let count = 0;
  const serving = await (await readModels.model(requests.declaration)).serving();
  for await (const { keys, openedWords } of serving?.documents() ?? []) {
    count++;
    for (const [name, { key }] of named) {
      const value = keys[key];
      for (const one of Array.isArray(value) ? value : [value]) if (typeof one === 'string') found.get(name)?.add(one);
    }
    if (keys['assignee'] === null) found.get('assignee')?.add('none');
    texts.push(...openedWords, ...[keys['number'], keys['sourceNumber']].filter((one) => typeof one === 'string'));
  }
  const held = [...found].map(([name, of]) => [name, spread([...of].sort())] as const);
  const by = Object.fromEntries([...held, ['text', spread(texts)] as const].filter(([, of]) => of.length > 0));
  return { by, count };
};

/** Every order, both ways, and every filter with the default order. */
const asked = (by: Filters): readonly (readonly [string, readonly string[]])[] => [
  ...Object.keys(requests.declaration.orders).flatMap((order) =>
    [order, `-${order}`].map((one) => [`order ${one}`, [`/requests?order=${one}`]] as const),
  ),
  ...Object.entries(by).map(
    ([name, of]) => [`filter ${name}`, of.map((value) => `/requests?${name}=${encodeURIComponent(value)}`)] as const,
  ),
];

export const queue: Row = {
  row: 'P4',
  what: `queue query on 100,000 requests or on those of the desk named, first page of 50, ${connections} connections`,
  against: 'the same Nest and Fastify stack answering the same bytes as a constant',
  bound: { sign: '≥', ratio: 0.5 },
  measure: (volume) =>
    onGround('queue', volume, async (folder) => {
      const { by, count, events } = await deskIn(folder, async (desk) => {
        if (volume.ground !== undefined) return { ...(await heldBy(desk)), events: Number(await desk.store.head()) };
        const made = Math.max(500, Math.round(100_000 * volume.part));
        return { by: filters, count: made, events: await writeHistory(desk, made, (i) => 1 + (i % 10)) };
      });
      const headers = await tokenFor(folder);
      const product = await serveProduct(folder);
      const bare = await Helper.start('bare');
      const get = async (path: string): Promise<{ readonly status: number; readonly body: string }> => {
        const response = await fetch(`${product.url}${path}`, { headers: { ...headers } });
        return { status: response.status, body: await response.text() };
      };
      try {
        const bareUrl = await bare.ask<string>('url');
        // The projector is at its first catching up
        while ((await get('/requests')).status === 503) await new Promise((resolve) => setTimeout(resolve, 500));
        const comparisons = [];
        const limits = [];
        for (const [what, paths] of volume.part < 0.01 ? asked(by).slice(-3) : asked(by)) {
          const constants: Record<string, string> = {};
          for (const path of paths) {
            const { status, body } = await get(path);
            if (status !== 200) throw new Error(`${path}: ${status} ${body}`);
            constants[path] = body;
          }
          await bare.ask(constants);
          const shots = (connection: number): (() => Shot) => {
            let i = connection;
            return () => ({ method: 'GET', path: paths[i++ % paths.length] as string });
          };
          const p99: number[] = [];
          const from = (url: string) => load(url, { connections, seconds: Math.min(1, volume.seconds), headers }, shots);
          const ours = async (): Promise<number> => {
            const loaded = await from(product.url);
            p99.push(loaded.p99);
            return loaded.perSecond;
          };
          const theirs = async (): Promise<number> => (await from(bareUrl)).perSecond;
          comparisons.push(await interleaved(what, 'queries/s', volume, ours, theirs));
          limits.push({ what: `${what}, p99`, value: median(p99), most: 20, unit: 'ms' });
        }
        return { comparisons, limits, further: { requests: count, events } };
      } finally {
        await bare.stop();
        await product.stop();
      }
    }),
};
