import { Contract } from '#platform/decider/contract.js';
import { type In, integer, list, optional, string } from '#platform/decider/fields.js';
import { recordByOperator } from '#platform/decider/recording.js';
import { type EventStore } from '#platform/event-store/port.js';

const fields = { subject: string, roles: list(string), client: optional(string), seconds: integer };
const contract = new Contract<object>('token');
/** A token was made on the machine itself: for whom, with which roles, for how long. */
export const TokenMinted = contract.opening('TokenMinted', fields, (e) => e);
export { contract as tokenContract };

/** Records in the log that a token was minted, before it is handed out. @param build which release minted it */
export const recordMint = (store: EventStore, build: string, tokenId: string, minted: In<typeof fields>): Promise<void> =>
  recordByOperator(store, build, contract, tokenId, TokenMinted({ ...minted, client: minted.client ?? null }));
