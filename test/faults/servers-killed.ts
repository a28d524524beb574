import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from '#platform/processors/spec.js';
import { ownEventStore, ownMongo } from '#test/servers/servers.js';
import { BusyDesk } from './busy-desk.js';
import { inFolder } from './children.js';
import { spread } from './spread.js';

// No promise of this row, but one that never came back is a failure
const patience = 30_000;

/** R1 and R9 on servers: EventStoreDB and MongoDB killed by -9 in turn, and started again, under commands, projections and queries. @param kills of each */
export const main = (kills: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const random = randomOf(seed);
    const servers = [await ownEventStore(), await ownMongo()] as const;
    const places = { folder, eventStore: servers[0].url, mongo: servers[1].url };
    const names = ['EventStoreDB', 'MongoDB'];
    const times = names.map(() => ({ command: [] as number[], query: [] as number[] }));
    try {
      const busy = await BusyDesk.start(places, random);
      try {
        for (let kill = 0; kill < 2 * kills; kill++) {
          busy.rest(false);
          await delay(200 + random(800));
          busy.sound();
          const which = kill % 2 === 0 ? 0 : 1;
          await servers[which].kill();
          await delay(random(1_500));
          // What was sent while it is away waits, or comes again
          busy.rest(true);
          await servers[which].start();
          const { command, query } = await busy.back(performance.now(), patience);
          times[which]?.command.push(command);
          times[which]?.query.push(query);
        }
        await busy.end();
      } catch (e) {
        await busy.close().catch(() => undefined);
        throw e;
      }
      const proof = await busy.prove(places);
      const back = names.map(
        (name, n) =>
          `${times[n]?.command.length} of ${name} (after its restart a command in ${spread(times[n]?.command)}, a query that waits for it in ${spread(times[n]?.query)})`,
      );
      return `kills: ${back.join(', ')}: ${proof}`;
    } finally {
      for (const server of servers) await server.remove();
    }
  });
