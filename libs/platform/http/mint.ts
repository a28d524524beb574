import { randomUUID } from 'node:crypto';
import { chained } from '#platform/decider/chain.js';
import { Contract } from '#platform/decider/contract.js';
import { type In, integer, list, optional, string } from '#platform/decider/fields.js';
import { type EventStore, none } from '#platform/event-store/port.js';

const fields = { subject: string, roles: list(string), client: optional(string), seconds: integer };
const contract = new Contract<object>('token');
/** A token was made on the machine itself: for whom, with which roles, for how long. */
export const TokenMinted = contract.opening('TokenMinted', fields, (e) => e);
export { contract as tokenContract };

/** Records in the log that a token was minted, before it is handed out. @param build which release minted it */
export const recordMint = async (store: EventStore, build: string, tokenId: string, minted: In<typeof fields>): Promise<void> => {
  const { type, data } = TokenMinted(minted);
  const at = new Date().toISOString();
  const metadata = {
    version: TokenMinted.version,
    occurred: at,
    recorded: at,
    actor: 'operator',
    issuer: 'local',
    method: 'machine',
    source: 'console',
    build,
  };
  const stream = contract.stream(tokenId);
  await store.append(stream, none, [
    chained(stream, 0n, { id: randomUUID(), type, data: { ...data, client: minted.client ?? null }, metadata }, ''),
  ]);
};
