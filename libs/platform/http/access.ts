import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyRequest } from 'fastify';
import { type Person } from '#platform/decider/aggregate.js';
import { Problem } from './problem.js';
import { type Claims } from './tokens.js';

/** Who may call a route: `open` to everybody, or these roles. A route that says nothing is closed to all. */
export const Access = (roles: 'open' | readonly string[]): MethodDecorator & ClassDecorator => SetMetadata('access', roles);

export interface TokenVerifier {
  verify(token: string): Promise<Claims>;
}

/** What the desk knows of a token's subject beside the token: told by the record, where there is one. */
export interface People {
  about(subject: string): Promise<{ readonly senior: boolean; readonly departed: boolean }>;
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

const idForm = /^[\w.@:-]{1,200}$/;

/** Denies by default: a route passes only what it declares, and every token is verified first. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenVerifier,
    private readonly people: People,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<'open' | readonly string[] | undefined>('access', [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access === 'open') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const claims = await this.claimsOf(request);
    const known = await this.people.about(claims.subject);
    if (known.departed) throw new Problem('member-departed', { headers: challenge });
    const allowed = access ?? [];
    // A contact is nothing but a contact, whatever else the token says
    const roles = claims.roles.includes('client') ? ['client'] : claims.roles;
    if (!roles.some((role) => allowed.includes(role))) throw new Problem('forbidden', { errors: [`needs one of: ${allowed.join(', ')}`] });
    // A client's contact acts for that client alone, so without one the role is worth nothing
    if (roles.includes('client') && claims.client === null)
      throw new Problem('forbidden', { errors: ['a token of role client names its client'] });
    const onBehalfOf = request.headers['on-behalf-of'];
    if (onBehalfOf !== undefined && (typeof onBehalfOf !== 'string' || !idForm.test(onBehalfOf)))
      throw new Problem('bad-request', { errors: ['On-Behalf-Of is not an id'] });
    const person: Person = {
      id: claims.subject,
      roles,
      senior: known.senior,
      client: roles.includes('client') ? claims.client : null,
      onBehalfOf: onBehalfOf ?? null,
      is: (role) => roles.includes(role),
    };
    callers.set(request, { person, claims });
    return true;
  }

  private async claimsOf(request: FastifyRequest): Promise<Claims> {
    const token = /^Bearer ([\w.~+/=-]{1,8192})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new Problem('no-valid-token', { headers: challenge });
    try {
      return await this.tokens.verify(token);
    } catch {
      throw new Problem('no-valid-token', { headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' } });
    }
  }
}

const challenge = { 'WWW-Authenticate': 'Bearer' };
