import { brokenLink } from '#platform/decider/chain.js';
import { type EventStore, none } from '#platform/event-store/port.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { comparePast, sampled } from '#apps/cli/compare-past.js';
import { compareBuilds } from '#platform/processors/compare.js';
import { all } from '#platform/processors/spec.js';
import { type Collection, type Opener } from '#platform/read-models/collection.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type ReadModels } from '#platform/read-models/port.js';
import { holds, inFolder } from './children.js';

/** What a log holds of a command: its stream, and the revision and position of its last event. */
export interface Recorded {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
}

/** Reads the whole log: positions rise, no id is there twice, no revision is missing, every chain holds, the events of a command lie side by side. @returns what it holds of each command */
export const readWhole = async (store: EventStore): Promise<{ readonly events: number; readonly commands: Map<string, Recorded> }> => {
  const ids = new Set<string>();
  const commands = new Map<string, Recorded>();
  const ends = new Map<string, { readonly revision: bigint; readonly hash: string }>();
  let last = none;
  for await (const event of store.readAll()) {
    const { stream, revision, position, id, metadata } = event;
    const where = `${stream}@${revision}`;
    const before = ends.get(stream) ?? { revision: none, hash: '' };
    holds(position > last, () => `${where}: position ${position} follows ${last}`);
    holds(revision === before.revision + 1n, () => `${where} follows revision ${before.revision}`);
    holds(!ids.has(id), () => `${where}: event ${id} is there twice`);
    const broken = brokenLink(event, before.hash);
    holds(broken === undefined, () => `${where}: ${broken}`);
    const command = metadata['command'] as string | undefined;
    if (command !== undefined) {
      const first = commands.get(command);
      holds(
        first === undefined || (first.stream === stream && first.revision === revision - 1n),
        () => `${where} is of the same command as ${first?.stream}@${first?.revision}`,
      );
      commands.set(command, { stream, revision, position });
    }
    ids.add(id);
    ends.set(stream, { revision, hash: metadata['hash'] as string });
    last = position;
  }
  return { events: ids.size, commands };
};

/** Compares the build that serves with one made from nothing: documents, filed versions, checkpoint, and the past as of ten instants. @returns how much was compared */
export const equalsRebuild = async (store: EventStore, readModels: ReadModels, collection: Collection, open: Opener) => {
  const { name, history } = collection.declaration;
  const model = await readModels.model(collection.declaration);
  holds((await model.builds()).length === 1, () => `${name}: a build was left behind`);
  const serving = await model.serving();
  holds(serving !== undefined, () => `${name}: nothing serves`);
  const parked = (await serving.parked()).length;
  const [documents, filed] = [(await all(serving.documents())).length, history ? (await all(serving.versions())).length : 0];
  await inFolder(async (beside) => {
    const clean = await EmbeddedReadModels.open({ folder: beside });
    const build = await (await clean.model(collection.declaration)).begin(store.logId);
    await catchUp(store, collection, build, open);
    const found = await all(compareBuilds(serving, build));
    if (history) {
      const sample = await sampled(store, collection, 10, await store.head());
      found.push(...(await all(comparePast(store, collection, serving, sample, open))));
    }
    const [at, should] = [await serving.checkpoint(), await build.checkpoint()];
    await clean.close();
    holds(found.length === 0, () => found.map(({ where, why }) => `${name} ${where} ${why}`).join('\n'));
    holds(at === should, () => `${name}: the checkpoint is ${at}, not ${should}`);
  });
  return { documents, filed, parked };
};
