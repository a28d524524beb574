import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { type JsonObject, type NewEvent, type StoredEvent } from '#platform/event-store/port.js';

/**
 * The hash of an event as stored: SHA-256, lower-case hex, over the canonical bytes (RFC 8785) of its stream,
 * revision, id, type, data and all metadata but the hash itself; the metadata holds the stream's previous hash.
 */
export const hashOf = (stream: string, revision: bigint, event: NewEvent): string => {
  const { hash: _, ...metadata } = event.metadata;
  const { id, type, data } = event;
  return hash('sha256', canonicalize({ stream, revision: revision.toString(), id, type, data, metadata }) ?? '', 'hex');
};

/** The event with its stream's previous hash and its own. */
export const chained = (
  stream: string,
  revision: bigint,
  event: NewEvent,
  previous: string,
): NewEvent & { readonly metadata: { readonly hash: string } } => {
  const linked = { ...event, metadata: { ...event.metadata, previous } };
  return { ...linked, metadata: { ...linked.metadata, hash: hashOf(stream, revision, linked) } };
};

/** What is wrong with an event's place in its stream's chain; undefined when nothing is. */
export const brokenLink = (event: StoredEvent, previous: string): string | undefined => {
  const { metadata } = event as { readonly metadata: JsonObject };
  if (metadata['previous'] !== previous) return 'its previous hash is not the hash of the event before it';
  if (metadata['hash'] !== hashOf(event.stream, event.revision, event)) return 'its hash is not that of its content';
  return undefined;
};
