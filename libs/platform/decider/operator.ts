import { v7 } from 'uuid';
import { type EventStore, type JsonObject, none } from '#platform/event-store/port.js';
import { chained } from './chain.js';
import { type Contract, type EventDefinition, type Happened } from './contract.js';

/**
 * Records what an operator did on the machine itself, the first event of a stream: no token, role or command stands behind it.
 * @param id of the stream in the contract's category; @param build which release did it
 * @throws StreamConflict when the stream has begun, and what the store throws
 */
export const recordByOperator = async (
  store: EventStore,
  build: string,
  contract: Contract<object>,
  id: string,
  definition: Pick<EventDefinition, 'version'>,
  { type, data }: Happened,
): Promise<void> => {
  const at = new Date().toISOString();
  const { version } = definition;
  const metadata = { version, occurred: at, recorded: at, actor: 'operator', issuer: 'local', method: 'machine', source: 'console', build };
  const stream = contract.stream(id);
  await store.append(stream, none, [chained(stream, 0n, { id: v7(), type, data: data as JsonObject, metadata }, '')]);
};
