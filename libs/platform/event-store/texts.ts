import { AppendTooLarge, maxAppendBytes, type NewEvent } from './port.js';

/** An event as JSON text: its size is known before anything is sent or written. */
export interface Text {
  readonly id: string;
  readonly type: string;
  readonly data: string;
  readonly metadata: string;
  /** Of data and metadata together, in UTF-16 units. */
  readonly size: number;
}

// What an event takes beside its data and metadata: ids, type, lengths
const rowBytes = 300;
// Stores cut text at NUL, and a lone surrogate has no UTF-8: two names could become one
const unstorable = /[\0\p{Surrogate}]/u;

/** What an event's data and metadata are as text, where its hash needed them already: they are not written out twice. */
const written = new WeakMap<NewEvent, Pick<Text, 'data' | 'metadata'>>();
export const rememberText = (event: NewEvent, text: Pick<Text, 'data' | 'metadata'>): void => void written.set(event, text);

/**
 * The events of one append as text.
 * @throws AppendTooLarge, TypeError for what cannot be given back as it is
 */
export const textsOf = (stream: string, events: readonly NewEvent[]): Text[] =>
  measured(
    stream,
    events.map((event) => {
      const { id, type } = event;
      // JSON escapes NUL and lone surrogates, so texts come back exactly as they went
      const { data, metadata } = written.get(event) ?? { data: JSON.stringify(event.data), metadata: JSON.stringify(event.metadata) };
      const text = { id, type, data, metadata };
      if (text.data === undefined || text.metadata === undefined) throw new TypeError(`${type} has no data or metadata`);
      return text;
    }),
  );

/** As `textsOf`, of events that are JSON text already. */
export const measured = (stream: string, events: readonly Omit<Text, 'size'>[]): Text[] => {
  if (events.length === 0) throw new TypeError('an append has at least one event');
  if (stream === '' || unstorable.test(stream)) throw new TypeError('a stream name is not empty and holds no NUL and no lone surrogate');
  const texts = events.map(({ id, type, data, metadata }) => {
    if (unstorable.test(id) || unstorable.test(type)) throw new TypeError('an id or type holds no NUL and no lone surrogate');
    return { id, type, data, metadata, size: data.length + metadata.length };
  });
  // A UTF-16 unit is three bytes at most: most appends need no counting
  if (texts.reduce((sum, { size }) => sum + 3 * size + rowBytes, 0) > maxAppendBytes) {
    const bytes = texts.reduce((sum, { data, metadata }) => sum + Buffer.byteLength(data) + Buffer.byteLength(metadata) + rowBytes, 0);
    if (bytes > maxAppendBytes)
      throw new AppendTooLarge(`${events.length} events of ${bytes} bytes are too much for one append, which takes ${maxAppendBytes}`);
  }
  return texts;
};
