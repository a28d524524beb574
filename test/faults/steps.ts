import { type Build, type Declaration, type ReadModel, type ReadModels, type Writes } from '#platform/read-models/port.js';

/** A write as on a store without transactions: each step is on its own, told when it is done, and may be the last. */
export const inSteps = async (
  build: Build,
  { filed, documents, parked, checkpoint }: Writes,
  come: (step: string) => void,
): Promise<void> => {
  const nothing = { filed: [], documents: [], parked: [], checkpoint: -1n };
  await build.write({ ...nothing, filed });
  come('filed');
  await build.write({ ...nothing, documents });
  come('documents');
  await build.write({ ...nothing, parked });
  come('parked');
  await build.write({ ...nothing, checkpoint });
  come('checkpoint');
};

/** The same read models, whose builds are written otherwise. */
export const writtenBy = (models: ReadModels, write: (build: Build, writes: Writes, redriving?: boolean) => Promise<void>): ReadModels => {
  const withWrite = (build: Build): Build =>
    Object.assign(Object.create(build) as Build, { write: (...args: Parameters<Build['write']>) => write(build, ...args) });
  const modelOf = (model: ReadModel): ReadModel =>
    Object.assign(Object.create(model) as ReadModel, {
      begin: async (logId: string) => withWrite(await model.begin(logId)),
      builds: async () => (await model.builds()).map(withWrite),
      serving: async () => {
        const serving = await model.serving();
        return serving && withWrite(serving);
      },
    });
  return Object.assign(Object.create(models) as ReadModels, {
    model: async (declaration: Declaration) => modelOf(await models.model(declaration)),
  });
};
