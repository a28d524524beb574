import { type Places } from '#apps/desk.js';
import { type EventStore } from '#platform/event-store/port.js';
import { Projector } from '#platform/processors/projector.js';
import { open, parcels, randomOf, storyOf, Teller } from '#platform/processors/spec.js';
import { child, ended, heard, holds } from './children.js';
import { equalsRebuild } from './comparing.js';
import { type InPlaces } from './places.js';
import { logAt, readModelsAt, told } from './stores.js';

const steps = ['filed', 'documents', 'parked', 'checkpoint'] as const;
// The embedded file has one transaction for all steps: there they are tried as writes of their own, too
const ways = ['as the store does', 'in steps'] as const;
const comparedAfter = 10;

/** What a projector that is not disturbed makes of it equals a clean rebuild. */
const compare = async (log: EventStore, places: Places) => {
  const readModels = await readModelsAt(places);
  const projector = await Projector.of(log, readModels, [parcels], open);
  await projector.start();
  holds(Object.keys(projector.stalled).length === 0, () => JSON.stringify(projector.stalled));
  const equal = await equalsRebuild(log, readModels, parcels, open);
  await readModels.close();
  return equal;
};

/** R9: the projector killed by -9 at each step between filed versions, documents, parking and checkpoint; read models and their history equal a clean rebuild. */
export const main = (kills: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const random = randomOf(seed);
    const log = await logAt(places);
    const teller = new Teller(log);
    const ids = new Set<string>();
    const tell = async (events: number): Promise<bigint> => {
      const story = storyOf(random(2 ** 31), events, [...ids].slice(-40));
      for (const { id } of story) ids.add(id);
      return teller.tell(...story);
    };
    const killedAt = new Map<string, number>();
    let compared = 0;
    for (let kill = 0; kill < kills;) {
      const step = steps[kill % steps.length] as string;
      const how = places.mongo === undefined ? (ways[Math.floor(kill / steps.length) % ways.length] as string) : ways[0];
      await tell(1 + random(80));
      const projecting = child('projecting', [told(places), step, 1 + random(3), how]);
      const end = ended(projecting);
      // It may die while it catches up, or later while it follows
      const lives = await heard(projecting).then(
        () => true,
        () => false,
      );
      if (lives) {
        for (let n = random(4); n > 0; n--) await tell(1 + random(40));
        projecting.send((await log.head()).toString(), () => {});
      }
      const by = await end;
      if (by !== 'SIGKILL') {
        // It came to the step less often than that
        holds(by === 0, () => `the projector failed (${by})`);
        continue;
      }
      kill++;
      killedAt.set(step, (killedAt.get(step) ?? 0) + 1);
      if (kill % comparedAfter === 0 && kill < kills) {
        await compare(log, places);
        compared++;
      }
    }
    const { documents, filed, parked } = await compare(log, places);
    await log.close();
    const at = steps.map((step) => `${killedAt.get(step) ?? 0} after ${step}`).join(', ');
    return `${kills} kills of the projector (${at}): ${documents} documents (${parked} parked) and ${filed} filed versions equal a clean rebuild, compared ${compared + 1} times`;
  });
