import { randomUUID } from 'node:crypto';
import { Projector } from '#platform/processors/projector.js';
import { Reactor, type ReactorOptions } from '#platform/processors/reactor.js';
import { collections, reactions, timers } from '../contexts.js';
import { build, type Desk, findsOf } from '../desk.js';

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

/** What follows from the log: the commands of the reactions, and of the timers that have come. Several processes spare each other the work, no more. */
export const reactorOf = (desk: Desk, failpoint?: ReactorOptions['failpoint']): Reactor =>
  new Reactor({ ...desk, finds: findsOf(desk.reading), build, ...(failpoint && { failpoint }) }, reactions, timers);
