import { hash } from 'node:crypto';
import { type JsonObject, type NewEvent, type StoredEvent } from '#platform/event-store/port.js';
import { canonical } from './canonical.js';

/**
 * The hash of an event as stored: SHA-256, lower-case hex, over the canonical bytes of its stream, revision, id, type,
 * data and all metadata but the hash itself; the metadata holds the stream's previous hash.
 */
export const hashOf = (stream: string, revision: bigint, event: NewEvent): string => {
  const { id, type, data } = event;
  const metadata = event.metadata['hash'] === undefined ? event.metadata : { ...event.metadata, hash: undefined };
  return hash('sha256', canonical({ data, id, metadata, revision: revision.toString(), stream, type }), 'hex');
};

/** The event with its stream's previous hash and its own. */
export const chained = (
  stream: string,
  revision: bigint,
  event: NewEvent,
  previous: string,
): NewEvent & { readonly metadata: { readonly hash: string } } => {
  const { id, type, data } = event;
  const metadata = { ...event.metadata, previous };
  return { id, type, data, metadata: Object.assign(metadata, { hash: hashOf(stream, revision, { id, type, data, metadata }) }) };
};

/** What is wrong with an event's place in its stream's chain; undefined when nothing is. */
export const brokenLink = (event: StoredEvent, previous: string): string | undefined => {
  const { metadata } = event as { readonly metadata: JsonObject };
  if (metadata['previous'] !== previous) return 'its previous hash is not the hash of the event before it';
  if (metadata['hash'] !== hashOf(event.stream, event.revision, event)) return 'its hash is not that of its content';
  return undefined;
};
