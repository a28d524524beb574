import { expect } from '@jest/globals';
import { plainToInstance } from 'class-transformer';
import { type Aggregate, type AnyCommand, type Deciding, type Fact, type Person } from './aggregate.js';
import { type Contract, type Folded, type Happened, unopened } from './contract.js';
import { type Instant } from './fields.js';
import { isRejection } from './rejection.js';

/** Who acts in a spec. */
export const person = (
  id: string,
  roles: readonly string[],
  more: Partial<Pick<Person, 'senior' | 'client' | 'onBehalfOf'>> = {},
): Person => ({
  ...{ id, roles, senior: false, client: null, onBehalfOf: null },
  ...more,
  is: (role) => roles.includes(role),
});

export const aMonday = '2026-01-05T09:00:00.000Z' as Instant;

/** Sealed texts stand for themselves in a spec: `decide` never opens one. */
const asStored = (contract: Contract<object>, { type, data }: Happened): Record<string, unknown> => {
  const { fields } = contract.definition(type);
  const stored: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = data[name] ?? null;
    const owner = field.sealing && data[field.sealing.owner];
    stored[name] =
      field.series !== undefined
        ? `${field.series}-000001`
        : field.sealing && value !== null
          ? { owner, key: field.sealing.key, box: value }
          : value;
  }
  return stored;
};

/** The fold of some events, one minute apart, the first at 09:00 of a Monday. */
export const folded = <S extends object>(
  contract: Contract<S>,
  id: string,
  events: readonly Happened[],
  from: Instant = aMonday,
): Folded<S> => {
  let fold: Folded<S> = unopened;
  events.forEach((event, i) => {
    const at = new Date(Date.parse(from) + i * 60_000).toISOString();
    const metadata = { version: contract.definition(event.type).version, occurred: at, recorded: at, hash: '' };
    const stream = contract.stream(id);
    fold = contract.fold(fold, {
      stream,
      revision: BigInt(i),
      position: BigInt(i + 1),
      id: `${i}`,
      type: event.type,
      data: asStored(contract, event) as never,
      metadata,
    });
  });
  return fold;
};

interface World {
  /** Other aggregates that a fact may read: stream → its state. */
  readonly facts?: Readonly<Record<string, object>>;
  readonly now?: Instant;
}

/**
 * Given what happened, when a command comes, then this is decided. The facts are read as the command declares them.
 * @example given(request, opened, routed).when(AssignToStaff, { to: ann }, coordinator).thenRefused('assignee-absent')
 */
export const given = <S extends object>(aggregate: Aggregate<S>, id: string, ...events: readonly Happened[]) =>
  inWorld({}, aggregate, id, events);

const inWorld = <S extends object>(world: World, aggregate: Aggregate<S>, id: string, events: readonly Happened[]) => ({
  /** What the command's facts find, and what time it is. */
  knowing: (known: World) => inWorld({ ...world, ...known }, aggregate, id, events),
  when: (command: AnyCommand, body: Readonly<Record<string, unknown>>, by: Person) => {
    const was = folded(aggregate.contract, id, events);
    const now = world.now ?? (new Date(Date.parse(aMonday) + events.length * 60_000).toISOString() as Instant);
    const { reason, ...fields } = body as { readonly reason?: string };
    const c = plainToInstance(command, fields) as never;
    const declared = 'open' in command ? (command.facts?.(c, by) ?? {}) : ((command as Deciding<S>).facts?.(c, was.state as S, by) ?? {});
    const known = Object.fromEntries(Object.entries(declared).map(([name, fact]) => [name, found(fact, world)]));
    const told = { ...known, by, id, now, reason } as never;
    const outcome = 'open' in command ? command.open(c, told) : (command as Deciding<S>).decide(c, was.state as S, told);
    return {
      /** It happens: exactly these events, field by field as decided. */
      thenHappens: (...expected: readonly Happened[]) => {
        expect(outcome).toEqual(expected);
      },
      /** It happens, and changes exactly this of the state. */
      thenChanges: (changes: Partial<S>) => {
        if (isRejection(outcome)) throw new Error(`refused: ${outcome.reject}`);
        const after = folded(aggregate.contract, id, [...events, ...outcome]).state as S;
        const before = (was.state ?? {}) as Partial<S>;
        const differing = Object.fromEntries(
          Object.entries(after).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(before[key as keyof S])),
        );
        expect(differing).toEqual(changes);
      },
      thenAlreadySo: () => {
        expect(outcome).toEqual([]);
      },
      thenRefused: (code: string) => {
        expect(outcome).toMatchObject({ reject: code });
      },
    };
  },
});

const found = (fact: Fact, world: World): unknown => {
  if ('setting' in fact) return fact.value;
  if ('question' in fact) throw new Error(`a spec answers '${fact.question}' through a fact of its own`);
  return fact.id === null ? null : (world.facts?.[fact.contract.stream(fact.id)] ?? null);
};
