import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type Command, CommandBus, CqrsModule } from '@nestjs/cqrs';
import { v5 } from 'uuid';
import { requests } from '#contexts/requests/index.js';
import { staffMember } from '#contexts/staff/contract/staff-member.js';
import { type Done } from '#platform/decider/aggregate.js';
import { type Contract } from '#platform/decider/contract.js';
import { Executor, Refused } from '#platform/decider/execute.js';
import { parseBody } from '#platform/http/body.js';
import { handlersOf, send } from '#platform/http/commands.js';
import { catchUp } from '#platform/processors/catch-up.js';
import { Projector } from '#platform/processors/projector.js';
import { type Reactor } from '#platform/processors/reactor.js';
import { aggregates, collections } from '../contexts.js';
import { type Desk, openDesk, type Places } from '../desk.js';
import { reactorOf } from '../projector/projecting.js';
import { Agenda } from './agenda.js';
import { instantOf } from './office.js';

/** A made-up person: who they are to the desk, and in which role they act. */
export interface Actor {
  readonly id: string;
  readonly role: 'client' | 'technician' | 'coordinator' | 'administrator';
  /** The client whose contact they are. */
  readonly client?: string;
}

/** A command's own fields, and the reason that any may carry. */
export type Body<C> = Omit<C, keyof Command<unknown>> & { readonly reason?: string };

const seed = '1e5d2a40-6b1f-5c57-9a43-0d3a0c0ffee5';
/** The same id for the same name, in every demonstration (UUIDv5, RFC 9562). */
export const idFor = (name: string): string => v5(name, seed);

/** Commands whose decision asks the queue: it is brought up first, so that the answer does not hang on timing. */
const asking: readonly string[] = ['DisbandTeam', 'RouteRequest'];
/** Commands from which a reaction follows: the desk does its part at once. */
const followed: readonly string[] = ['RecordReply', 'SplitRequest', 'AssignAction', 'RecordDeparture'];

/** So long, in milliseconds, that no two acts of anybody's fall on one instant. */
const actTakes = 7_000;

@Module({})
class Root {}

/** A desk whose people act through the command bus, one after the other, each when the clock says. */
export class Acting {
  readonly agenda = new Agenda();
  private acts = 0;
  private readonly reactor: Reactor;

  private constructor(
    readonly desk: Desk,
    private readonly bus: CommandBus,
    private readonly clock: { at: number },
    readonly close: () => Promise<void>,
  ) {
    this.reactor = reactorOf(desk);
  }

  static async on(places: Places, now: number): Promise<Acting> {
    const clock = { at: now };
    const desk = await openDesk({ ...places, now: () => new Date(clock.at) });
    const providers = [{ provide: Executor, useValue: desk.executor }, ...aggregates.flatMap(handlersOf)];
    const module = { module: Root, imports: [CqrsModule.forRoot()], providers };
    const nest = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'], abortOnError: false });
    const close = async (): Promise<void> => {
      await nest.close();
      await desk.close();
    };
    return new Acting(desk, nest.get(CommandBus), clock, close);
  }

  /** Milliseconds since 1970. */
  get now(): number {
    return this.clock.at;
  }

  /** Lets everything on the agenda happen up to an instant. The clock never goes back: where people are busy, what comes next waits. */
  goOnUntil(end: number): Promise<void> {
    return this.agenda.run(end, (at) => (this.clock.at = Math.max(at, this.clock.at)));
  }

  /** @throws Error that names the rule when it is refused: the story would not be what it tells */
  async does<C extends object>(who: Actor, command: Type<C>, id: string, body: Body<C>, onBehalfOf: string | null = null): Promise<Done> {
    const key = `demo-${++this.acts}`;
    if (asking.includes(command.name)) await this.bringUpQueue();
    const parsed = await parseBody(command as never, body);
    const { senior, departed } = await this.desk.people.about(who.id, who.client ?? null);
    if (departed) throw new Error(`${command.name} by somebody who has departed`);
    const by = {
      ...{ id: who.id, roles: [who.role], senior, client: who.client ?? null, onBehalfOf },
      is: (role: string) => role === who.role,
    };
    const correlation = idFor(key).replaceAll('-', '');
    // Nobody holds a token: what vouches for these acts says so
    const vouched = { issuer: 'demo', tokenId: 'demo', method: 'demo', address: '127.0.0.1' };
    try {
      const done = await send(this.bus, parsed, { id, envelope: { by, idempotencyKey: key, correlation, source: 'api', ...vouched } });
      this.clock.at += actTakes;
      if (followed.includes(command.name)) await this.settle();
      return done;
    } catch (e) {
      if (!(e instanceof Refused)) throw e;
      const { reject, words } = e.rejection;
      throw new Error(`${command.name} of ${id} at ${instantOf(this.now)} was refused: ${reject} ${JSON.stringify(words)}`, { cause: e });
    }
  }

  /** Keeps a file's bytes, about somebody. Resolves to their SHA-256, lower-case hex. */
  async keeps(owner: string, bytes: Uint8Array): Promise<string> {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    await this.desk.contents.put(owner, sha256, Readable.from([bytes]));
    return sha256;
  }

  /** What it is now. @throws Error where there is none */
  async state<S extends object>(contract: Contract<S>, id: string): Promise<S> {
    const { state } = (await this.desk.streams.load(contract, id)).folded;
    if (state === null) throw new Error(`there is no ${contract.stream(id)}`);
    return state;
  }

  /** Folds the read models up to the end of the log. */
  async bringUp(): Promise<void> {
    const { store, readModels, open } = this.desk;
    await (await Projector.of(store, readModels, collections, open)).start();
  }

  /** What follows from what happened, and what is due by now. */
  async settle(): Promise<void> {
    await this.bringUpQueue();
    await this.reactor.settle();
    const [stalled] = Object.entries(this.reactor.stalled);
    if (stalled) throw new Error(`reaction '${stalled[0]}' stands still: ${stalled[1]}`);
  }

  private async bringUpQueue(): Promise<void> {
    await catchUp(this.desk.store, requests, await this.desk.reading.serving(requests), this.desk.open);
  }

  /** Whether somebody is of the staff and not away now. */
  async isPresent(id: string): Promise<boolean> {
    const { status, absences } = await this.state(staffMember, id);
    const now = instantOf(this.now);
    return status === 'active' && !absences.some(({ from, to }) => from <= now && now < to);
  }
}
