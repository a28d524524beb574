import { type Places } from '#apps/desk.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { type EventStore } from '#platform/event-store/port.js';
import { EmbeddedReadModels } from '#platform/read-models/embedded/read-models.js';
import { type ReadModels } from '#platform/read-models/port.js';

/** How a child is told where a proof keeps what it makes: as one argument. */
export const told = (places: Places): string => JSON.stringify(places);
export const heardOf = (argument = ''): Places => JSON.parse(argument) as Places;

// A child opens what it needs and nothing else of a desk, and a driver where a server is named only
export const logAt = async ({ folder, eventStore }: Places): Promise<EventStore> =>
  eventStore === undefined
    ? EmbeddedLog.open({ folder })
    : (await import('#platform/event-store/eventstoredb/log.js')).EventStoreDbLog.open({ url: eventStore });

/** @param failpoint called after each step of the store's own writing */
export const readModelsAt = async ({ folder, mongo }: Places, failpoint: (step: string) => void = () => {}): Promise<ReadModels> =>
  mongo === undefined
    ? EmbeddedReadModels.open({ folder, failpoint })
    : (await import('#platform/read-models/mongodb/read-models.js')).MongoReadModels.open({ url: mongo, failpoint });
