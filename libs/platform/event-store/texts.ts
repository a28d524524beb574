import { EventTooLarge, maxEventBytes, type NewEvent } from './port.js';

/** An event as JSON text: its size is known before anything is sent or written. */
export interface Text {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  /** Of data and metadata together: UTF-16 units, or bytes where it comes near the limit. */
  readonly size: number;
}

// Stores cut text at NUL, and a lone surrogate has no UTF-8: two names could become one
const unstorable = /[\0\p{Surrogate}]/u;

/**
 * The events of one append as text.
 * @throws EventTooLarge, TypeError for what cannot be given back as it is
 */
export const textsOf = (stream: string, events: readonly NewEvent[]): Text[] => {
  if (events.length === 0) throw new TypeError('an append has at least one event');
  if (stream === '' || unstorable.test(stream)) throw new TypeError('a stream name is not empty and holds no NUL and no lone surrogate');
  return events.map(({ id, type, data, metadata }) => {
    if (unstorable.test(id) || unstorable.test(type)) throw new TypeError('an id or type holds no NUL and no lone surrogate');
    // JSON escapes NUL and lone surrogates, so texts come back exactly as they went
    const text = { id, type, data: JSON.stringify(data), metadata: JSON.stringify(metadata) };
    if (text.data === undefined || text.metadata === undefined) throw new TypeError(`${type} has no data or metadata`);
    return { ...text, size: sizeOf(text) };
  });
};

const sizeOf = ({ type, data, metadata }: Omit<Text, 'size'>): number => {
  const units = data.length + metadata.length;
  // A UTF-16 unit is three bytes at most: most events need no counting
  if (units * 3 <= maxEventBytes) return units;
  const bytes = Buffer.byteLength(data) + Buffer.byteLength(metadata);
  if (bytes > maxEventBytes)
    throw new EventTooLarge(`${type} is ${bytes} bytes of data and metadata; an event has at most ${maxEventBytes}`);
  return bytes;
};
