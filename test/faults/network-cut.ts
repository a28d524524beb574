import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from '#platform/processors/spec.js';
import { ownEventStore } from '#test/servers/servers.js';
import { BusyDesk } from './busy-desk.js';
import { holds, inFolder } from './children.js';
import { emptyMongo } from './places.js';
import { type Disturbance, disturbances, Proxy } from './proxy.js';
import { spread } from './spread.js';

// R15's bound: so long after a disturbance a command and a query that waits for it are answered
const within = 10_000;

/** R15: a proxy before both servers resets, half-opens, delays and drops: the product is back within ten seconds, and R1 and R9 hold. */
export const main = (cuts: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const random = randomOf(seed);
    const servers = [await ownEventStore(), await emptyMongo()] as const;
    const proxies = [await Proxy.before(servers[0].url, random), await Proxy.before(servers[1].url, random)] as const;
    const through = { folder, eventStore: proxies[0].through(servers[0].url), mongo: proxies[1].through(servers[1].url) };
    const times = new Map<Disturbance, { readonly command: number[]; readonly query: number[] }>();
    for (const how of disturbances) times.set(how, { command: [], query: [] });
    const late: string[] = [];
    try {
      const busy = await BusyDesk.start(through, random);
      try {
        for (let cut = 0; cut < cuts; cut++) {
          busy.rest(false);
          await delay(200 + random(600));
          busy.sound();
          const how = disturbances[cut % disturbances.length] as Disturbance;
          // The log's network, that of the read models, or both
          const which = random(3);
          const cutOff = proxies.filter((_, n) => which === 2 || which === n);
          for (const proxy of cutOff) proxy.disturb(how);
          await delay(100 + random(2_500));
          busy.rest(true);
          for (const proxy of cutOff) proxy.calm();
          const { command, query } = await busy.back(performance.now(), 3 * within);
          times.get(how)?.command.push(command);
          times.get(how)?.query.push(query);
          if (query > within)
            late.push(
              `${how} of ${['the log', 'MongoDB', 'both'][which]}: ${(query / 1000).toFixed(1)} s (command ${(command / 1000).toFixed(1)} s)`,
            );
        }
        await busy.end();
      } catch (e) {
        await busy.close().catch(() => undefined);
        throw e;
      }
      const proof = await busy.prove({ folder, eventStore: servers[0].url, mongo: servers[1].url });
      holds(
        late.length === 0,
        () => `not back within ${within / 1000} s after ${late.length} of ${cuts}: ${late.join('; ')}. Else: ${proof}`,
      );
      const back = [...times].map(
        ([how, { command, query }]) => `${query.length} of '${how}' (command ${spread(command)}, query ${spread(query)})`,
      );
      return `disturbances, and how long after each the first was answered: ${back.join(', ')}: ${proof}`;
    } finally {
      for (const proxy of proxies) await proxy.close();
      for (const server of servers) await server.remove();
    }
  });
