import { createHmac } from 'node:crypto';
import { canonical } from '#platform/decider/canonical.js';
import { Contract, unopened } from '#platform/decider/contract.js';
import { commandIdOf, type Envelope, KeyReused } from '#platform/decider/execute.js';
import { list, optional, string } from '#platform/decider/fields.js';
import { type Last, record } from '#platform/decider/recording.js';
import { StreamConflict } from '#platform/event-store/port.js';
import { build, type Desk } from '../desk.js';

/** Which things a part of a call is about, and where its next part begins: the keys of its order in JSON, null after the last. */
export interface Chosen {
  readonly things: readonly string[];
  readonly next: string | null;
}

const contract = new Contract<Chosen>('bulk');
/**
 * A call to many under a key chose its things, before a command was sent to any of them. `after` is a keyed hash of where it began,
 * null at the beginning: a cursor is whatever a caller sends.
 */
const ThingsChosen = contract.opening(
  'ThingsChosen',
  { collection: string, command: string, after: optional(string), things: list(string), next: optional(string) },
  (e) => e,
);
export { contract as bulkContract };

/** A call to many: under which key (in the envelope) which command goes to whom. */
export interface Call {
  readonly collection: string;
  readonly command: string;
  readonly role: string | undefined;
  readonly envelope: Envelope;
  /** All that it says, whichever part of it is asked for: one key is for the same alone. */
  readonly says: object;
  /** Where this part of it begins: the `next` of the part before. */
  readonly after: string | null;
}

/** Each thing's command under the key of the whole; no key that somebody sends holds a blank. */
export const keyOfEach = (key: string | undefined): string | undefined => (key === undefined ? undefined : `bulk ${key}`);

/**
 * What a call chose, with its correlation id: under a key once and for ever, in the stream `bulk-<id>`, an event for each part.
 * @throws KeyReused, and what `choose` and the store throw
 */
export const chosenOnce = async (
  { store, secret, now }: Pick<Desk, 'store' | 'secret' | 'now'>,
  { collection, command, role, envelope, says, after }: Call,
  choose: () => Promise<Chosen>,
): Promise<Chosen & { readonly correlation: string }> => {
  const { by, idempotencyKey: key, issuer, tokenId, method, address, traceparent, source, dryRun } = envelope;
  let { correlation } = envelope;
  if (key === undefined) return { ...(await choose()), correlation };
  const id = commandIdOf(by.id, `${collection}/bulk`, command, key);
  // Keyed, so that what a filter or a body says of persons cannot be guessed from the log
  const hashed = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url');
  const fingerprint = hashed(canonical(says));
  const begins = after === null ? null : hashed(after);
  for (;;) {
    let last: Last = unopened;
    for await (const event of store.readStream(contract.stream(id))) {
      const { metadata, revision } = event;
      if (metadata['fingerprint'] !== fingerprint) throw new KeyReused();
      correlation = metadata['$correlationId'] as string;
      const part = contract.decode(event) as unknown as Chosen & Pick<Call, 'after'>;
      if (part.after === begins) return { things: part.things, next: part.next, correlation };
      const { recorded, hash } = metadata as unknown as Pick<Last, 'recorded' | 'hash'>;
      last = { revision, recorded, hash };
    }
    const chosen = await choose();
    if (dryRun) return { ...chosen, correlation };
    const sent = {
      ...{ actor: by.id, onBehalfOf: by.onBehalfOf ?? undefined, role, issuer, tokenId, method, address, source },
      ...{ command: id, fingerprint, $correlationId: correlation, traceparent },
    };
    try {
      await record(store, build, contract, id, last, ThingsChosen({ collection, command, after: begins, ...chosen }), sent, now());
      return { ...chosen, correlation };
    } catch (e) {
      // The same call came twice at once: what the other chose counts
      if (!(e instanceof StreamConflict)) throw e;
    }
  }
};
