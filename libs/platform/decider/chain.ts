import { hash } from 'node:crypto';
import { type JsonObject, type NewEvent, type StoredEvent } from '#platform/event-store/port.js';
import { rememberText, type Text } from '#platform/event-store/texts.js';
import { canonical } from './canonical.js';

/** An event's data and metadata as canonical text, the metadata's hash left out. */
type Written = Omit<Text, 'size'>;

/** The canonical bytes of an event and its place, put together from those of its parts: their names are in order. */
const hashOfText = (stream: string, revision: bigint, { id, type, data, metadata }: Written): string => {
  const [where, what, which] = [JSON.stringify(stream), JSON.stringify(type), JSON.stringify(id)];
  return hash(
    'sha256',
    `{"data":${data},"id":${which},"metadata":${metadata},"revision":"${revision}","stream":${where},"type":${what}}`,
    'hex',
  );
};

/**
 * The hash of an event as stored: SHA-256, lower-case hex, over the canonical bytes of its stream, revision, id, type,
 * data and all metadata but the hash itself; the metadata holds the stream's previous hash.
 */
export const hashOf = (stream: string, revision: bigint, { id, type, data, metadata }: NewEvent): string => {
  const hashed = metadata['hash'] === undefined ? metadata : { ...metadata, hash: undefined };
  return hashOfText(stream, revision, { id, type, data: canonical(data), metadata: canonical(hashed) });
};

/** Of an event whose data is canonical text: as text that is stored, with its stream's previous hash and its own. */
export const chainedText = (
  stream: string,
  revision: bigint,
  { id, type, data, metadata }: Omit<NewEvent, 'data'> & { readonly data: string },
  previous: string,
): { readonly text: Written; readonly hash: string } => {
  const written = { id, type, data, metadata: canonical({ ...metadata, previous }) };
  const is = hashOfText(stream, revision, written);
  return { text: { ...written, metadata: `${written.metadata.slice(0, -1)},"hash":"${is}"}` }, hash: is };
};

/** The event with its stream's previous hash and its own. Its text is kept for the store: no event is written out twice. */
export const chained = (
  stream: string,
  revision: bigint,
  event: NewEvent,
  previous: string,
): NewEvent & { readonly metadata: { readonly hash: string } } => {
  const { id, type, data } = event;
  const { text, hash: is } = chainedText(stream, revision, { ...event, data: canonical(data) }, previous);
  const linked = { id, type, data, metadata: { ...event.metadata, previous, hash: is } };
  rememberText(linked, text);
  return linked;
};

/** What is wrong with an event's place in its stream's chain; undefined when nothing is. */
export const brokenLink = (event: StoredEvent, previous: string): string | undefined => {
  const { metadata } = event as { readonly metadata: JsonObject };
  if (metadata['previous'] !== previous) return 'its previous hash is not the hash of the event before it';
  if (metadata['hash'] !== hashOf(event.stream, event.revision, event)) return 'its hash is not that of its content';
  return undefined;
};
