import { isUtf8 } from 'node:buffer';
import { Controller, Post, Req, Res, type Type } from '@nestjs/common';
import { CommandBus, CommandHandler, type ICommand, type ICommandHandler } from '@nestjs/cqrs';
import { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Aggregate, type AnyCommand, type Done, isOwn } from '#platform/decider/aggregate.js';
import { type Envelope, Executor } from '#platform/decider/execute.js';
import { Access, asNamed, type Caller, callerOf } from './access.js';
import { hasField, parseBody } from './body.js';
import { isIdOf, knowOnly, type RawQuery } from './parameters.js';
import { positionText } from './positions.js';
import { Problem } from './problem.js';
import { traceOf } from './trace.js';

/** `AssignToStaff` → `assign-to-staff`. */
export const kebab = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();

interface Addressed {
  readonly id: string;
  readonly envelope: Envelope;
}
const addressed = new WeakMap<object, Addressed>();

/** Gives a command to the bus: to which thing, and what stands around it. */
export const send = (bus: CommandBus, command: object, to: Addressed): Promise<Done> => {
  addressed.set(command, to);
  return bus.execute<ICommand, Done>(command);
};

/** One handler class for each command, made here: the bus finds it by the command's class, and it asks the one executor. */
export const handlersOf = (aggregate: Aggregate): Type<ICommandHandler>[] =>
  [...aggregate.commands.values()].map((command) => {
    class Handler implements ICommandHandler<ICommand, Done> {
      constructor(private readonly executor: Executor) {}
      execute(sent: ICommand): Promise<Done> {
        const to = addressed.get(sent);
        if (!to) throw new Error(`${command.name} was sent without an address`);
        return this.executor.execute(aggregate, command, to.id, sent, to.envelope);
      }
    }
    Reflect.defineMetadata('design:paramtypes', [Executor], Handler);
    CommandHandler(command as Type<ICommand>)(Handler);
    return named(Handler, `${command.name}Handler`);
  });

/** The routes of an aggregate's commands: `POST /<collection>/:id/<command-in-kebab-case>`. */
export const commandController = (aggregate: Aggregate, logId: () => string): Type => {
  class Commands {
    constructor(readonly bus: CommandBus) {}
  }
  Reflect.defineMetadata('design:paramtypes', [CommandBus], Commands);
  Controller(aggregate.collection)(Commands);
  for (const command of aggregate.commands.values()) if (!isOwn(command)) addRoute(Commands, aggregate, command, logId);
  return named(Commands, `${aggregate.contract.category}Commands`);
};

const addRoute = (controller: Type<{ readonly bus: CommandBus }>, aggregate: Aggregate, command: AnyCommand, logId: () => string): void => {
  const handle = async function (this: { readonly bus: CommandBus }, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { id } = request.params as { readonly id: string };
    const caller = callerOf(request);
    // Whoever asks for a dry run where there is none must not be taken at their word
    knowOnly(request.query as RawQuery, []);
    // Only opening takes an id that is not known yet, so only there its form is looked at
    if (!isIdOf(aggregate.contract, id))
      throw new Problem('open' in command ? 'bad-request' : 'not-found', {
        errors: [
          `${id.slice(0, 80)} is not ${aggregate.contract.beforehand ? `one of ${aggregate.contract.beforehand.ids.join(', ')}` : 'a UUID'}`,
        ],
      });
    const body = await parseBody(command, filledFromToken(aggregate, command, caller, request.body === undefined ? {} : request.body));
    const done = await send(this.bus, body, { id: id.toLowerCase(), envelope: envelopeOf(request, caller) });
    const position = positionText(logId(), done.position);
    void reply
      .status(done.opened ? 201 : 200)
      .header('ETag', `"${done.revision}"`)
      .header('Ledgerdesk-Position', position)
      .header('content-type', 'application/json; charset=utf-8');
    if (done.opened) void reply.header('Location', `/${aggregate.collection}/${done.id}`);
    const { number, revision } = done;
    void reply.send(JSON.stringify({ id: done.id, number, revision, position }));
  };
  addPost(controller, command, `:id/${kebab(command.name)}`, handle);
};

/** Makes a function a controller's route for a command, as its decorators would: `POST <path>`, for whom the command is. */
export const addPost = <C>(
  controller: Type<C>,
  command: AnyCommand,
  path: string,
  handle: (this: C, request: FastifyRequest, reply: FastifyReply) => Promise<void>,
): void => {
  const prototype = controller.prototype as object;
  const name = kebab(command.name);
  Object.defineProperty(prototype, name, { value: handle, writable: true, configurable: true });
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  Reflect.defineMetadata('design:paramtypes', [Object, Object], prototype, name);
  Req()(prototype, name, 0);
  Res()(prototype, name, 1);
  Access(command.who)(prototype, name, descriptor);
  Post(path)(prototype, name, descriptor);
};

/** What a client's token says stands in the body as if it were written there; a body that says otherwise is refused. */
export const filledFromToken = (aggregate: Aggregate, command: AnyCommand, { person }: Caller, body: unknown): unknown => {
  if (person.client === null || !aggregate.ofToken || typeof body !== 'object' || body === null) return body;
  const filled: Record<string, unknown> = { ...body };
  for (const [field, value] of Object.entries(aggregate.ofToken(person))) {
    if (!hasField(command, field)) continue;
    const said = filled[field];
    if (said !== undefined && (typeof said !== 'string' || asNamed(said) !== value))
      throw new Problem('forbidden', { errors: [`${field} is the token’s`] });
    filled[field] = value;
  }
  return filled;
};

export const envelopeOf = (request: FastifyRequest, { person, claims }: Caller): Envelope => {
  const { traceId, traceparent } = traceOf(request);
  const key = request.headers['idempotency-key'];
  if (key !== undefined && (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)))
    throw new Problem('bad-request', { errors: ['Idempotency-Key is 1 to 200 visible ASCII characters'] });
  return {
    by: person,
    idempotencyKey: key,
    ifMatch: ifMatchOf(request.headers['if-match']),
    issuer: claims.issuer,
    tokenId: claims.tokenId,
    method: 'bearer',
    address: request.ip,
    correlation: traceId,
    traceparent,
    source: 'api',
  };
};

/** RFC 9110, 13.1.1: a list of ETags; a weak one, or one that no answer had, is the thing's never. */
const ifMatchOf = (header: string | undefined): readonly bigint[] | undefined => {
  if (header === undefined || header === '*') return undefined;
  const tags = header.split(',').map((tag) => tag.trim());
  if (!tags.every((tag) => /^(W\/)?"[\x21\x23-\x7e]*"$/.test(tag)))
    throw new Problem('bad-request', { errors: ['If-Match is an ETag, as answered: "3"'] });
  return tags.flatMap((tag) => /^"(-1|\d{1,18})"$/.exec(tag)?.[1] ?? []).map(BigInt);
};

const named = <T extends Type>(made: T, name: string): T => Object.defineProperty(made, 'name', { value: name });

/** JSON alone (RFC 8259, so UTF-8), an empty body as none; forms and texts are refused (415). */
export const takeJsonOnly = (fastify: FastifyInstance): void => {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body: Buffer, done) => {
    if (body.length === 0) return done(null, undefined);
    if (!isUtf8(body)) return done(new Problem('bad-request', { errors: ['the body is not UTF-8'] }));
    let parsed: unknown;
    try {
      parsed = JSON.parse(body.toString());
    } catch (e) {
      return done(new Problem('bad-request', { errors: [`the body is not JSON: ${(e as Error).message}`] }));
    }
    done(null, parsed);
  });
};
