import { openStatuses, request, type Request } from '#contexts/requests/contract/request.js';
import { RouteRequest } from '#contexts/requests/request/assigning.js';
import { settingContract, SettingPublished } from '#contexts/settings/contract/setting.js';
import { staffMember } from '#contexts/staff/contract/staff-member.js';
import { team } from '#contexts/staff/contract/team.js';
import { type Fact, type Outcome, type Person, type Reads, type SettingFact } from '#platform/decider/aggregate.js';
import { type Contract, type Folded } from '#platform/decider/contract.js';
import { declaredFacts } from '#platform/decider/execute.js';
import { foldOfThePast } from '#platform/decider/stream.js';
import { type EventStore, type StoredEvent } from '#platform/event-store/port.js';

/** A setting as somebody would have it. */
export interface Draft {
  readonly name: string;
  readonly value: unknown;
}

const folded: readonly Contract<object>[] = [request, team, staffMember];
// Where a rule chooses, the command asks nothing about who sends it
const anybody: Person = { id: 'what-if', roles: [], senior: false, client: null, onBehalfOf: null, is: () => false };

/**
 * The desk as it was when an event was recorded: folded from the log as it is read, in its order. No read model is asked,
 * so there may be none, or one that is behind.
 */
export class Then {
  private readonly folds = new Map<string, Folded<object>>();
  /** Setting → each version of it that was published, the last one last. */
  private readonly published = new Map<string, Map<number, unknown>>();
  /** Member → how many open requests they have in hand. */
  private readonly inHand = new Map<string, number>();

  constructor(private readonly store: EventStore) {}

  /** Takes the next event of the log. @throws EventUnreadable */
  take(event: StoredEvent): void {
    const { stream } = event;
    const name = settingContract.idOf(stream);
    if (name !== undefined && event.type === SettingPublished.type) {
      const { version, value } = settingContract.decode(event) as { readonly version: number; readonly value: unknown };
      this.published.set(name, (this.published.get(name) ?? new Map<number, unknown>()).set(version, value));
    }
    const contract = folded.find((one) => one.idOf(stream) !== undefined);
    if (!contract) return;
    const was = this.folds.get(stream) ?? contract.start(contract.idOf(stream) as string);
    if (contract === request) this.count(was.state as Request | null, -1);
    // A state is this fold's alone: nothing that was decided keeps one
    const next = contract.fold(was, event, true);
    this.folds.set(stream, next);
    if (contract === request) this.count(next.state as Request, 1);
  }

  request(stream: string): Request {
    return this.folds.get(stream)?.state as Request;
  }

  /** Every request that there is. */
  *requests(): Iterable<Request> {
    for (const [stream, { state }] of this.folds) if (request.idOf(stream) !== undefined) yield state as Request;
  }

  /** What sending the request by the rules comes to: under a draft, or under what was in force; at a routing that is in the log, or now. */
  async routes(was: Request, now: string, draft?: Draft, event?: StoredEvent): Promise<Outcome> {
    const c = new RouteRequest();
    const known: Record<string, unknown> = {};
    for (const declared of declaredFacts(RouteRequest, c, was, anybody))
      for (const [name, fact] of Object.entries(declared(known))) known[name] = await this.read(fact, draft, event);
    return RouteRequest.decide(c, was, { ...known, by: anybody, id: was.id, now, reason: undefined, versions: {} } as never);
  }

  /** The same as the decision read, where the event says so; else what was there when it was recorded. */
  private async read(fact: Fact, draft: Draft | undefined, event: StoredEvent | undefined): Promise<unknown> {
    if ('setting' in fact) return fact.setting === draft?.name ? draft.value : this.inForce(fact, event);
    if ('question' in fact) return (await fact.ask(this.readsAt(event))).answer;
    if (fact.id === null) return null;
    const stream = fact.contract.stream(fact.id);
    const there = this.folds.get(stream);
    const read = Object.values((event?.metadata['facts'] ?? {}) as Readonly<Record<string, string>>);
    const at = read.find((one) => one.startsWith(`${stream}@`))?.slice(stream.length + 1);
    if (at === undefined || BigInt(at) === (there?.revision ?? -1n)) return there?.state ?? null;
    return (await foldOfThePast(this.store, fact.contract, fact.id, { revision: BigInt(at) })).state;
  }

  /** What a setting was, by an event that used it; what is in force by now, without one. */
  inForce<T>(fact: SettingFact<T>, event?: StoredEvent): T {
    const versions = this.published.get(fact.setting) ?? new Map<number, unknown>();
    const used = (event?.metadata['settings'] as Readonly<Record<string, number>> | undefined)?.[fact.setting];
    const version = used ?? Math.max(0, ...versions.keys());
    return versions.has(version) ? (versions.get(version) as T) : fact.value;
  }

  /** Who had how much in hand: of those among whom it was chosen the event says so. */
  private readsAt(event: StoredEvent | undefined): Reads {
    const told = (event?.data['candidates'] ?? {}) as Readonly<Record<string, string>>;
    return {
      counts: async (_, { assignee = [] }) => {
        const load = (id: string): number => Number(told[id] ?? this.inHand.get(id) ?? 0);
        return { answer: Object.fromEntries(assignee.flatMap((id) => (id === null ? [] : [[id, load(id)]]))), position: 0n };
      },
      content: async () => null,
    };
  }

  private count(of: Request | null, by: 1 | -1): void {
    if (!of?.assignee || !(openStatuses as readonly string[]).includes(of.status)) return;
    this.inHand.set(of.assignee, (this.inHand.get(of.assignee) ?? 0) + by);
  }
}
