import {
  AccessDeniedError,
  CancelledError,
  DeadlineExceededError,
  type EventStoreDBClient,
  excludeSystemEvents,
  PersistentSubscriptionDoesNotExistError,
  PersistentSubscriptionExistsError,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  PINNED,
  RUNNING,
  START,
  END,
  UnavailableError,
} from '@eventstore/db-client';
import { SettingWrong } from '#platform/addresses.js';
import { Connection, type Patience } from './connection.js';

/** A persistent subscription group: the server keeps where it has got to, and shares its events among whoever works for it. */
export interface Group {
  readonly name: string;
  /** `$ce-<category>`, or `$all`. */
  readonly stream: string;
  readonly status: string;
  /** How many work for it at this moment. */
  readonly workers: number;
  /** How many events were given up, and wait for an operator. */
  readonly parked: bigint;
  /** How far its workers have come, and where its stream ends, as revisions; undefined where that is not known yet, or not counted (`$all`). */
  readonly reached: bigint | undefined;
  readonly last: bigint | undefined;
}

/**
 * What all groups have. An event that is not acknowledged within 30 s, or is sent back, is handed out again ten times,
 * then parked. The place is written two seconds after it moves, from the first event on: a desk at night must not wait for
 * ten. Events of one stream go to one worker while workers stay the same; in order is promised by nobody.
 */
const settings = {
  messageTimeout: 30_000,
  maxRetryCount: 10,
  checkPointAfter: 2_000,
  checkPointLowerBound: 1,
  checkPointUpperBound: 1_000,
  consumerStrategyName: PINNED,
};

/** gRPC's status of a wrong user or password, UNAUTHENTICATED. */
const unauthenticated: number = 16;

const usual: Patience = { call: 5_000, all: 15_000 };

export const categoryStream = (category: string): string => `$ce-${category}`;

/** The groups of an EventStoreDB 23.10. A user who may manage them is a member of `$ops` or `$admins`. */
export class Groups {
  private readonly connection: Connection;

  /** @throws SettingWrong */
  constructor(url: string, patience: Patience = usual) {
    this.connection = new Connection(url, patience);
  }

  /**
   * @param category one of the log's categories; undefined for all events but the server's own
   * @returns false when there is one of that name already: it stays as it is
   * @throws Unavailable, SettingWrong
   */
  create(name: string, category: string | undefined, from: 'start' | 'end'): Promise<boolean> {
    const startFrom = from === 'start' ? START : END;
    return this.manage('create', async (client) => {
      try {
        if (category === undefined)
          await client.createPersistentSubscriptionToAll(
            name,
            persistentSubscriptionToAllSettingsFromDefaults({ ...settings, startFrom }),
            { filter: excludeSystemEvents() },
          );
        else
          await client.createPersistentSubscriptionToStream(
            categoryStream(category),
            name,
            persistentSubscriptionToStreamSettingsFromDefaults({ ...settings, startFrom, resolveLinkTos: true }),
          );
        return true;
      } catch (e) {
        if (e instanceof PersistentSubscriptionExistsError) return false;
        throw e;
      }
    });
  }

  /** By name, then stream. @throws Unavailable, SettingWrong */
  async list(): Promise<readonly Group[]> {
    const found = await this.manage('list', (client) => client.listAllPersistentSubscriptions());
    return found
      .map(({ groupName, eventSource, status, connections, stats }) => ({
        ...{ name: groupName, stream: eventSource, status, workers: connections.length, parked: stats.parkedMessageCount },
        reached: 'lastCheckpointedEventRevision' in stats ? stats.lastCheckpointedEventRevision : undefined,
        last: 'lastKnownEventRevision' in stats ? stats.lastKnownEventRevision : undefined,
      }))
      .sort((a, b) => (a.name === b.name ? order(a.stream, b.stream) : order(a.name, b.name)));
  }

  /** @returns false when there is none. @throws Unavailable, SettingWrong */
  remove({ name, stream }: Pick<Group, 'name' | 'stream'>): Promise<boolean> {
    return this.manage('remove', async (client) => {
      try {
        if (stream === '$all') await client.deletePersistentSubscriptionToAll(name);
        else await client.deletePersistentSubscriptionToStream(stream, name);
        return true;
      } catch (e) {
        if (e instanceof PersistentSubscriptionDoesNotExistError) return false;
        throw e;
      }
    });
  }

  /** Whether the server fills the `$ce-` streams; undefined when this user may not know. */
  async fillsCategories(): Promise<boolean | undefined> {
    return this.connection.ask(async (client) => {
      try {
        const { projectionStatus } = await client.getProjectionStatus('$by_category');
        return projectionStatus === RUNNING;
      } catch (e) {
        if (e instanceof AccessDeniedError) return undefined;
        if (e instanceof UnavailableError || e instanceof CancelledError || e instanceof DeadlineExceededError) throw e;
        // Without projections the server does not know the question
        return false;
      }
    });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  private manage<T>(what: string, call: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
    return this.connection.ask((client) =>
      call(client).catch((e: unknown) => {
        // A user that there is, with its password, but without the right
        if (e instanceof AccessDeniedError && Number(e.code) !== unauthenticated)
          throw new SettingWrong(
            `the event store does not let the user of EVENTSTORE_URL ${what} subscription groups: name a member of $ops or $admins, esdb://user:password@host:2113`,
          );
        throw e;
      }),
    );
  }
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
