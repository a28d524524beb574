import { type Type } from '@nestjs/common';
import { AcceptRequest, AssignToStaff } from '#contexts/requests/request/assigning.js';
import { type Request, request } from '#contexts/requests/contract/request.js';
import { absenceAt, deputyAt, staffMember } from '#contexts/staff/contract/staff-member.js';
import { type Done } from '#platform/decider/aggregate.js';
import { type Acting, type Actor, type Body, idFor } from './acting.js';
import { Chance } from './chance.js';
import { instantOf, workLater } from './office.js';
import { type Contact, type Gathered, type Served, teamFor, teams } from './people.js';
import { actorOf, coordinator, takers } from './roster.js';
import { type Phrases, type Topic, type TopicName, topics, type Wording } from './topics.js';
import { colleagues, filled, phrases, weekdays, wordings } from './wordings.js';

// Minutes of open desk, from and to, and how likely
const turns = [
  [5, 120, 66],
  [120, 600, 24],
  [600, 3_000, 10],
] as const;

/** One request of the month: whose it is, what it is about, and what chance makes of it. */
export class Case {
  readonly id: string;
  readonly chance: Chance;
  readonly topic: Topic;
  readonly wording: Wording;
  readonly phrases: Phrases;
  private readonly words: Readonly<Record<string, string>>;

  constructor(
    readonly life: Acting,
    name: string,
    readonly client: Served,
    public contact: Contact,
    readonly about: TopicName,
  ) {
    this.id = idFor(`request/${name}`);
    this.chance = new Chance(`request/${name}`);
    this.topic = topics[about];
    const { language } = contact;
    this.wording = wordings[language][about];
    this.phrases = phrases[language];
    const { chance } = this;
    this.words = {
      ...{ app: chance.pick(client.applications), who: chance.pick(colleagues), when: chance.pick(weekdays[language]) },
      n: String(chance.between(100, 899)),
    };
  }

  /** A text about this request. */
  says(text: string): string {
    return filled(text, this.words);
  }

  does<C extends object>(who: Actor, command: Type<C>, body: Body<C>, onBehalfOf?: string): Promise<Done> {
    return this.life.does(who, command, this.id, body, onBehalfOf);
  }

  is(): Promise<Request> {
    return this.life.state(request, this.id);
  }

  /** So many minutes of work from now, from and to included: when to go on. */
  after(from: number, to: number): number {
    return workLater(this.life.now, this.chance.between(from, to));
  }

  /** When somebody comes to it: mostly soon, sometimes only after days. */
  inTurn(): number {
    const [from, to] = this.chance.weighted(turns, ([, , likely]) => likely);
    return this.after(from, to);
  }

  coordinator(): Promise<Actor> {
    return coordinator(this.life, this.chance);
  }

  async team(): Promise<Gathered> {
    const { team, category } = await this.is();
    return teams.find(({ id }) => id === team) ?? teamFor(category);
  }

  /** Who can take it. @throws Error when nobody is there who can */
  async taker(): Promise<Actor> {
    const { category, complexity } = await this.is();
    return this.chance.pick(await takers(this.life, await this.team(), category, complexity === 'complex'));
  }

  /** Who works on it, from the moment of asking on: where nobody does, or they are away, a coordinator first hands it over. */
  async worker(): Promise<Actor> {
    const { assignee } = await this.is();
    if (assignee === null || !(await this.life.isPresent(assignee))) {
      const to = (assignee !== null && (await this.deputyOf(assignee))) || (await this.taker());
      await this.does(await this.coordinator(), AssignToStaff, { to: to.id, reason: 'Whoever had it is away or gone' });
    }
    const { assignee: now, status } = await this.is();
    const worker = actorOf(now ?? '');
    if (status === 'assigned') await this.does(worker, AcceptRequest, {});
    return worker;
  }

  private async deputyOf(id: string): Promise<Actor | undefined> {
    const now = instantOf(this.life.now);
    const member = await this.life.state(staffMember, id);
    const deputy = absenceAt(member, now) && deputyAt(member, now);
    const able = await takers(this.life, await this.team(), (await this.is()).category, (await this.is()).complexity === 'complex');
    return able.find((one) => one.id === deputy);
  }
}
