import { v7 } from 'uuid';
import { type EventStore, type JsonObject, type StoredEvent } from '#platform/event-store/port.js';
import { chained } from './chain.js';
import { type Contract, type Folded, later, unopened, type Happened } from './contract.js';
import { type Instant } from './fields.js';

/** Where a stream stands: what its next event follows from. */
export type Last = Pick<Folded<unknown>, 'revision' | 'recorded' | 'hash'>;

/**
 * Records what the desk itself did: no command stands behind it, so its metadata say who in `by`.
 * @param build which release did it
 * @throws StreamConflict when the stream has gone on, and what the store throws
 */
export const record = async (
  store: EventStore,
  build: string,
  contract: Contract<object>,
  id: string,
  was: Last,
  { type, data }: Happened,
  by: JsonObject & { readonly actor: string },
  now = new Date(),
): Promise<StoredEvent> => {
  const recorded = later(was.recorded, now.toISOString() as Instant);
  const metadata = { version: contract.definition(type).version, occurred: recorded, recorded, build, ...by };
  const stream = contract.stream(id);
  const event = chained(stream, was.revision + 1n, { id: v7(), type, data: data as JsonObject, metadata }, was.hash);
  return { ...event, stream, ...(await store.append(stream, was.revision, [event])) };
};

/** Records what an operator did on the machine itself, the first event of a stream. */
export const recordByOperator = async (
  store: EventStore,
  build: string,
  contract: Contract<object>,
  id: string,
  happened: Happened,
): Promise<void> => {
  const by = { actor: 'operator', issuer: 'local', method: 'machine', source: 'console' };
  await record(store, build, contract, id, unopened, happened, by);
};
