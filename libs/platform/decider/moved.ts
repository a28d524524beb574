import { type EventStore } from '#platform/event-store/port.js';
import { Contract } from './contract.js';
import { string } from './fields.js';
import { recordByOperator } from './recording.js';

const contract = new Contract<object>('log');
/** The log was copied to another, which goes on; nothing comes after this event. */
export const LogMoved = contract.opening('LogMoved', { to: string }, (e) => e);
export { contract as movedContract };

/** Ends a log. @param to the id of the log that goes on; @param build which release moved it */
export const recordMove = (store: EventStore, build: string, to: string): Promise<void> =>
  recordByOperator(store, build, contract, store.logId, LogMoved({ to }));
