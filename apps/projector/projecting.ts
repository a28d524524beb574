import { randomUUID } from 'node:crypto';
import { Projector } from '#platform/processors/projector.js';
import { collections } from '../contexts.js';
import { type Desk } from '../desk.js';

// One that died is followed by another within a lease and the third of one after which it is looked at again: 8 s
const leaseMilliseconds = 6_000;

/** The projector of all read models. Those on a server are shared with other processes by leases; a folder's belong to one. */
export const projectorOf = ({ store, readModels, open, places }: Desk): Promise<Projector> =>
  Projector.of(
    store,
    readModels,
    collections,
    open,
    places.mongo === undefined ? undefined : { holder: randomUUID(), forMilliseconds: leaseMilliseconds },
  );
