import { type EventStoreDBClient, UnavailableError } from '@eventstore/db-client';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Connection } from './connection.js';

const nobody = 'esdb://127.0.0.1:9,127.0.0.1:10?tls=false';

describe('the connection to an event store', () => {
  let connection: Connection | undefined;
  afterEach(() => connection?.close());

  /** The clients that a call was tried with, when so many attempts fail in this way. */
  const clientsOf = async (failing: number, failure: () => Error): Promise<readonly EventStoreDBClient[]> => {
    connection = new Connection(nobody, { call: 1_000, all: 10_000 });
    const tried: EventStoreDBClient[] = [];
    await connection.ask(async (client) => {
      if (tried.push(client) <= failing) throw failure();
    });
    return tried;
  };

  it('takes a new client where no node was found: the old one keeps that answer', async () => {
    const [first, second, third] = await clientsOf(2, () => new Error('Failed to discover after 10 attempts.'));
    expect(new Set([first, second, third]).size).toBe(3);
  });

  it('leaves a client that looks for the server by itself three more attempts, then takes another', async () => {
    const tried = await clientsOf(4, () => new UnavailableError({ code: 14, details: 'gone', metadata: undefined } as never));
    expect(new Set(tried.slice(0, 4)).size).toBe(1);
    expect(tried[4]).not.toBe(tried[0]);
  });

  it('takes one new client, however many calls met the failure of the old one', async () => {
    connection = new Connection(nobody, { call: 1_000, all: 10_000 });
    const used = new Set<EventStoreDBClient>();
    const once = (): Promise<void> => {
      let failed = false;
      return (connection as Connection).ask(async (client) => {
        used.add(client);
        if (failed) return;
        failed = true;
        throw new Error('Failed to discover after 10 attempts.');
      });
    };
    await Promise.all(Array.from({ length: 20 }, once));
    expect(used.size).toBe(2);
  });
});
