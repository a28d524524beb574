import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { SettingWrong } from '#platform/addresses.js';
import { callerOf } from '#platform/http/access.js';
import { Problem } from '#platform/http/problem.js';

/** How much of the service one caller may take. */
export const limits = {
  /** Bytes of a body. */
  body: 256 * 1024,
  /** Milliseconds until the headers of a request must be there, and all of it. */
  headersWithin: 10_000,
  requestWithin: 30_000,
  /** How often, in milliseconds, whoever is late is looked for. */
  lookEvery: 1_000,
} as const;

const minute = 60_000;
/** Actors beyond which those who may send as many as ever are forgotten. */
const manyActors = 10_000;

/** As LEDGERDESK_COMMANDS_A_MINUTE says; `unlimited` is for measuring. @throws SettingWrong */
export const commandsAMinuteIn = (text: string | undefined): number => {
  if (text === undefined || text === '') return 600;
  if (text === 'unlimited') return Infinity;
  if (!/^[1-9]\d{0,6}$/.test(text))
    throw new SettingWrong(`LEDGERDESK_COMMANDS_A_MINUTE=${text.slice(0, 40)} is no number of commands: 1 to 9999999, or unlimited`);
  return Number(text);
};

/**
 * Counts what each actor sends: so many at once, and so many a minute from then on, evenly. Of each actor one instant is
 * kept, by which all that was taken is paid for (the generic cell rate algorithm, ITU-T I.371). Stands behind the guard of
 * access, so whoever may not send does not count; reads do not either.
 */
@Injectable()
export class CommandLimit implements CanActivate {
  private readonly paidBy = new Map<string, number>();
  /** Milliseconds for which one command is paid. */
  private readonly price: number;

  /** @param now milliseconds of a clock that never jumps */
  constructor(
    commandsAMinute: number,
    private readonly now = (): number => performance.now(),
  ) {
    this.price = minute / commandsAMinute;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.method === 'GET' || request.method === 'HEAD' || this.price === 0) return true;
    const { person, claims } = callerOf(request);
    const actor = `${claims.issuer} ${person.id}`;
    const wait = this.take(actor);
    if (wait > 0) throw new Problem('rate-limited', { headers: { 'Retry-After': String(Math.ceil(wait / 1000)) } });
    charges.set(request, (commands) => this.charge(actor, commands));
    return true;
  }

  /** Takes a command and answers 0, or takes none and answers how many milliseconds later one may be taken. */
  take(actor: string): number {
    const now = this.now();
    const wait = Math.max(this.paidBy.get(actor) ?? now, now) + this.price - (now + minute);
    // Of sums of fractions the last is never quite whole
    if (wait > this.price / 1000) return wait;
    this.charge(actor, 1);
    return 0;
  }

  /** Whatever it comes to: what is too much for a minute is paid for before the next is taken. */
  charge(actor: string, commands: number): void {
    const now = this.now();
    const paid = Math.max(this.paidBy.get(actor) ?? now, now);
    if (this.paidBy.size >= manyActors) for (const [other, by] of this.paidBy) if (by <= now) this.paidBy.delete(other);
    this.paidBy.set(actor, paid + commands * this.price);
  }
}

const charges = new WeakMap<object, (commands: number) => void>();

/** A call that was taken as one command turns out to be so many. */
export const countAs = (request: FastifyRequest, commands: number): void => charges.get(request)?.(commands - 1);
