import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { type Person } from '#platform/decider/aggregate.js';
import { Unavailable } from '#platform/unavailable.js';
import { Problem } from './problem.js';

/** Who may call a route: `open` to everybody, or these roles. A route that says nothing is closed to all. */
export const Access = (roles: 'open' | readonly string[]): MethodDecorator & ClassDecorator => SetMetadata('access', roles);

/** What a verified token says. */
export interface Claims {
  readonly subject: string;
  readonly roles: readonly string[];
  readonly client: string | null;
  readonly issuer: string;
  readonly tokenId: string;
  /** Milliseconds since 1970. */
  readonly expires: number;
}

/** Tells what a token says; the embedded issuer's is in `embedded/`. */
export interface TokenVerifier {
  verify(token: string): Promise<Claims>;
}

/** What the desk knows of a token's subject beside the token: told by the record, where there is one. */
export interface People {
  /** @param client whose contact the token says it is */
  about(subject: string, client: string | null): Promise<{ readonly senior: boolean; readonly departed: boolean }>;
  /** Whether the person may act for another: it is then recorded as done on their behalf. */
  mayActFor(person: Person, other: string): Promise<boolean>;
}

export interface Caller {
  readonly person: Person;
  readonly claims: Claims;
}

const callers = new WeakMap<object, Caller>();

/** Who sent the request; known once the guard let it pass. */
export const callerOf = (request: FastifyRequest): Caller => {
  const caller = callers.get(request);
  if (!caller) throw new Problem('no-valid-token');
  return caller;
};

export const isId = (text: unknown): text is string => typeof text === 'string' && /^[\w.@:-]{1,200}$/.test(text);
/** A UUID names the same in either case, and things are called by the lower one. */
export const asNamed = (id: string): string => (/^[\da-f-]{36}$/i.test(id) ? id.toLowerCase() : id);

/** Denies by default: a route passes only what it declares, and every token is verified first. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenVerifier,
    private readonly people: People,
    /** Whether four eyes are strict. */
    private readonly strict = false,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<'open' | readonly string[] | undefined>('access', [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access === 'open') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const claims = await this.claimsOf(request);
    const id = asNamed(claims.subject);
    const client = claims.roles.includes('client') && claims.client !== null ? asNamed(claims.client) : null;
    const known = await this.people.about(id, client);
    if (known.departed) throw new Problem('member-departed', { headers: challenge });
    const allowed = access ?? [];
    // A contact is nothing but a contact, whatever else the token says
    const roles = claims.roles.includes('client') ? ['client'] : claims.roles;
    if (!roles.some((role) => allowed.includes(role))) throw new Problem('forbidden', { errors: [`needs one of: ${allowed.join(', ')}`] });
    // A client's contact acts for that client alone, so without one the role is worth nothing
    if (roles.includes('client') && client === null)
      throw new Problem('forbidden', { errors: ['a token of role client names its client'] });
    const onBehalfOf = request.headers['on-behalf-of'];
    if (onBehalfOf !== undefined && !isId(onBehalfOf)) throw new Problem('bad-request', { errors: ['On-Behalf-Of is not an id'] });
    const person: Person = {
      id,
      roles,
      senior: known.senior,
      client,
      onBehalfOf: onBehalfOf === undefined ? null : asNamed(onBehalfOf),
      vouchedBy: this.strict ? claims.issuer : undefined,
      is: (role) => roles.includes(role),
    };
    if (person.onBehalfOf !== null && !(await this.people.mayActFor(person, person.onBehalfOf)))
      throw new Problem('forbidden', { errors: ['On-Behalf-Of names somebody for whom only their deputy or a coordinator acts'] });
    callers.set(request, { person, claims });
    return true;
  }

  /** @throws Problem no-valid-token */
  async claimsOf(request: FastifyRequest): Promise<Claims> {
    const token = /^Bearer ([\w.~+/=-]{1,8192})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new Problem('no-valid-token', { headers: challenge });
    try {
      return await this.tokens.verify(token);
    } catch (e) {
      // Whether a token is good cannot be told while its issuer is away
      if (e instanceof Unavailable) throw e;
      throw new Problem('no-valid-token', { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } });
    }
  }
}

const challenge = { 'WWW-Authenticate': 'Bearer' };
