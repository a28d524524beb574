import { isDeepStrictEqual } from 'node:util';
import { expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { type Sealed } from '#platform/vault/sealing.js';
import { type Aggregate, type AnyCommand, type Fact, type Outcome, type Person, type SettingFact } from './aggregate.js';
import { type Contract, type Folded, type Happened } from './contract.js';
import { declaredFacts } from './execute.js';
import { type Instant } from './fields.js';
import { isRejection } from './rejection.js';

/** Who acts in a spec. */
export const person = (
  id: string,
  roles: readonly string[],
  more: Partial<Pick<Person, 'senior' | 'client' | 'onBehalfOf' | 'vouchedBy'>> = {},
): Person => ({
  ...{ id, roles, senior: false, client: null, onBehalfOf: null },
  ...more,
  is: (role) => roles.includes(role),
});

/** An instant of the Monday on which every spec plays: its first event is at 09:00. */
export const minutesLater = (minutes: number): Instant => new Date(Date.UTC(2026, 0, 5, 9, minutes)).toISOString() as Instant;

/** A test that these roles alone may send the command; the first that a person has is the role exercised. */
export const onlyFor = (command: AnyCommand, ...roles: readonly string[]): void =>
  it(`is for ${roles.join(', ')} alone`, () => {
    expect(command.who).toEqual(roles);
  });

/** A test that the command is refused as a body (400) without a reason. */
export const needsReason = (command: AnyCommand): void =>
  it('needs a reason', () => {
    const wrong = validateSync(new command(), { whitelist: true });
    expect(wrong.map(({ property }) => property)).toContain('reason');
  });

/** What a sealed text of an event is in a spec: it stands for itself, since `decide` never opens one. */
export const sealed = (owner: string, text: string, key: Sealed['key'] = 'texts'): Sealed => ({ owner, key, box: text });

const asStored = (contract: Contract<object>, { type, data }: Happened): Record<string, unknown> => {
  const stored: Record<string, unknown> = {};
  for (const [name, { series, sealing }] of Object.entries(contract.definition(type).fields)) {
    const value = data[name] ?? null;
    if (series !== undefined) stored[name] = `${series}-000001`;
    else if (sealing && value !== null) stored[name] = sealed(data[sealing.owner] as string, value as string, sealing.key);
    else stored[name] = value;
  }
  return stored;
};

/** The fold of some events, one minute apart, the first at 09:00 of a Monday. */
const folded = <S extends object>(contract: Contract<S>, id: string, events: readonly Happened[]): Folded<S> => {
  let fold: Folded<S> = contract.start(id);
  events.forEach((event, i) => {
    const at = minutesLater(i);
    fold = contract.fold(fold, {
      stream: contract.stream(id),
      revision: BigInt(i),
      position: BigInt(i + 1),
      id: `${i}`,
      type: event.type,
      data: asStored(contract, event) as never,
      metadata: { version: contract.definition(event.type).version, occurred: at, recorded: at, issuer: 'local', hash: '' },
    });
  });
  return fold;
};

/**
 * Given what happened, when a command comes, then this is decided. The facts are read as the command declares them; a body
 * that HTTP would refuse, and a person without the role, are mistakes of the spec itself.
 * @example given(request, id, opened, routed).and(staffMember, ann, hired).when(AssignToStaff, { to: ann }, cora).thenRefused('assignee-not-in-team')
 */
export const given = <S extends object>(aggregate: Aggregate<S>, id: string, ...events: readonly Happened[]) =>
  scene(aggregate, id, events, { now: minutesLater(events.length), others: {}, answers: {} });

interface World {
  readonly now: Instant;
  /** What a fact finds of others: stream → state. */
  readonly others: Readonly<Record<string, object | null>>;
  /** What a read model tells: question → answer. */
  readonly answers: Readonly<Record<string, unknown>>;
}

const scene = <S extends object>(aggregate: Aggregate<S>, id: string, events: readonly Happened[], world: World) => ({
  /** What happened to something else, which a fact may read. */
  and: (other: Contract<object>, itsId: string, ...its: readonly Happened[]) =>
    scene(aggregate, id, events, { ...world, others: { ...world.others, [other.stream(itsId)]: folded(other, itsId, its).state } }),
  /** What a read model tells when asked. */
  andTold: (question: string, answer: unknown) =>
    scene(aggregate, id, events, { ...world, answers: { ...world.answers, [question]: answer } }),
  /** When the command comes; a minute after the last event unless it is said. */
  at: (now: string) => scene(aggregate, id, events, { ...world, now: now as Instant }),
  when: (command: AnyCommand, body: object, by: Person) => {
    const was = folded(aggregate.contract, id, events).state;
    const outcome = decided(command, body, was, by, id, world);
    const happened = (): readonly Happened[] => {
      if (isRejection(outcome)) throw new Error(`refused: ${outcome.reject}`);
      return outcome;
    };
    const stored = (events: readonly Happened[]) =>
      events.map((event) => ({ type: event.type, data: asStored(aggregate.contract, event) }));
    return {
      /** It happens: exactly these events, field by field as they are stored. */
      thenHappens: (...expected: readonly [Happened, ...Happened[]]) => {
        expect(stored(happened())).toEqual(stored(expected));
      },
      /** It happens, and changes exactly this of the state. */
      thenChanges: (changes: Partial<S>) => {
        const after = folded(aggregate.contract, id, [...events, ...happened()]).state as S;
        const before: Partial<S> = was ?? {};
        const differing = Object.entries(after).filter(([key, value]) => !isDeepStrictEqual(value, before[key as keyof S]));
        expect(Object.fromEntries(differing)).toEqual(changes);
      },
      thenAlreadySo: () => {
        expect(happened()).toEqual([]);
      },
      /** @param words what fills the places of its text, where that matters */
      thenRefused: (code: string, words?: Readonly<Record<string, string>>) => {
        expect(outcome).toMatchObject({ reject: code, ...(words && { words }) });
      },
    };
  },
});

const decided = (command: AnyCommand, body: object, was: object | null, by: Person, id: string, world: World): Outcome => {
  const c = Object.assign(new command(), body) as never;
  const wrong = validateSync(c, { whitelist: true, forbidNonWhitelisted: true }).flatMap((e) => Object.values(e.constraints ?? {}));
  if (wrong.length > 0) throw new Error(`not a body of ${command.name}: ${wrong.join('; ')}`);
  if (!command.who.some((role) => by.is(role))) throw new Error(`${command.name} is for ${command.who.join(', ')} alone`);
  const known: Record<string, unknown> = {};
  const versions: Record<string, number> = {};
  for (const declared of declaredFacts(command, c, was, by))
    for (const [name, fact] of Object.entries(declared(known))) {
      if ('setting' in fact) {
        const inForce = fact.inForce && (world.others[fact.inForce.stream(fact.setting)] as typeof fact | null | undefined);
        ({ value: known[name], version: versions[fact.setting] } = inForce ?? fact);
      } else known[name] = found(fact, world);
    }
  const { reason } = body as { readonly reason?: string };
  const told = { ...known, by, id, now: world.now, reason, versions } as never;
  return 'open' in command ? command.open(c, told) : command.decide(c, was as never, told);
};

const found = (fact: Exclude<Fact, SettingFact<unknown>>, { others, answers }: World): unknown => {
  if ('question' in fact) {
    if (!(fact.question in answers)) throw new Error(`nothing is told of '${fact.question}': say it by andTold`);
    return answers[fact.question];
  }
  return fact.id === null ? null : (others[fact.contract.stream(fact.id)] ?? null);
};
