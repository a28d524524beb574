import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { compareBuilds, comparePast, sampled } from '#platform/processors/compare.js';
import { Projector } from '#platform/processors/projector.js';
import { all, open, parcels, randomOf, storyOf, Teller } from '#platform/processors/spec.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type Step } from '#platform/read-models/embedded/writing.js';
import { child, ended, heard, holds, inFolder } from './children.js';

const steps: readonly Step[] = ['filed', 'documents', 'parked', 'checkpoint'];
// A build in one transaction, and one whose steps are each on their own, as on a store without transactions
const ways = ['transaction', 'steps'] as const;
const comparedAfter = 10;

/** What a projector that is not disturbed makes of it, beside a clean rebuild: documents, filed versions, and the past as of ten instants. */
const compare = async (log: EmbeddedLog, folder: string) => {
  const readModels = await EmbeddedReadModels.open({ folder });
  const projector = await Projector.of(log, readModels, [parcels], open);
  await projector.start();
  holds(Object.keys(projector.stalled).length === 0, () => JSON.stringify(projector.stalled));
  const model = await readModels.model(parcels.declaration);
  holds((await model.builds()).length === 1, () => 'a build was left behind');
  const serving = await model.serving();
  holds(serving !== undefined, () => 'nothing serves');
  const parked = (await serving.parked()).length;
  const [documents, filed] = [(await all(serving.documents())).length, (await all(serving.versions())).length];
  await inFolder(async (beside) => {
    const clean = await EmbeddedReadModels.open({ folder: beside });
    const build = await (await clean.model(parcels.declaration)).begin(log.logId);
    await catchUp(log, parcels, build, open);
    const sample = await sampled(log, parcels, 10, await log.head());
    const found = [...(await all(compareBuilds(serving, build))), ...(await all(comparePast(log, parcels, serving, sample, open)))];
    holds(found.length === 0, () => found.map(({ where, why }) => `${where} ${why}`).join('\n'));
    await clean.close();
  });
  await readModels.close();
  return { documents, filed, parked };
};

/** R9: the projector killed by -9 at each step between filed versions, documents, parking and checkpoint; read models and their history equal a clean rebuild. */
export const main = (kills: number, seed: number): Promise<string> =>
  inFolder(async (folder) => {
    const random = randomOf(seed);
    const log = await EmbeddedLog.open({ folder });
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
      const [step, how] = [steps[kill % steps.length] as Step, ways[Math.floor(kill / steps.length) % ways.length] as string];
      await tell(1 + random(80));
      const projecting = child('projecting', [folder, step, 1 + random(3), how]);
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
        await compare(log, folder);
        compared++;
      }
    }
    const { documents, filed, parked } = await compare(log, folder);
    await log.close();
    const at = steps.map((step) => `${killedAt.get(step) ?? 0} after ${step}`).join(', ');
    return `${kills} kills of the projector (${at}): ${documents} documents (${parked} parked) and ${filed} filed versions equal a clean rebuild, compared ${compared + 1} times`;
  });
