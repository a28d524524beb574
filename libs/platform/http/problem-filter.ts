import { randomUUID } from 'node:crypto';
import { type Socket } from 'node:net';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Contended, Forbidden, KeyReused, NotFound, Refused, StaleRevision } from '#platform/decider/execute.js';
import { AppendTooLarge, LogDamaged, LogFull, LogMovedOn, LogReadOnly } from '#platform/event-store/port.js';
import { DiskFailed, DiskFull, FileDamaged } from '#platform/sqlite/door.js';
import { Unavailable } from '#platform/unavailable.js';
import { KeyMissing, PersonForgotten } from '#platform/vault/sealing.js';
import { languageOf, type PlatformCode, Problem, type ProblemDetails, problemDetails, rejectionDetails } from './problem.js';
import { traceOf } from './trace.js';

const logger = new Logger('Ledgerdesk');

/** Answers whatever went wrong as problem details: a code, what to do next, a trace id, and no stack. */
export const answerProblem = (thrown: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const language = languageOf(request.headers['accept-language']);
  const { traceId } = traceOf(request);
  const send = (details: ProblemDetails): void => {
    void reply
      .status(details.status)
      .headers({ 'content-type': 'application/problem+json; charset=utf-8', 'content-language': language })
      .send(JSON.stringify(details));
  };
  if (thrown instanceof Refused && thrown.rejection.reject !== 'occurred-in-the-future')
    return send(rejectionDetails(thrown.rejection, thrown.aggregate.texts, language, traceId));
  const problem = problemOf(thrown);
  // Only what nobody foresaw, or nobody else can mend, is worth an operator's look
  if (problem.code === 'internal' || problem.code === 'data-damaged')
    logger.error(`${traceId} ${request.method} ${request.routeOptions.url ?? ''}: ${String((thrown as Error)?.stack ?? thrown)}`);
  void reply.headers(problem.options.headers ?? {});
  send(problemDetails(problem, language, traceId, request.method === 'GET'));
};

/** Answers what is not even HTTP, where no request was made of it, and hangs up. */
export const answerUnreadable = (error: { readonly code?: string }, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const problem = new Problem('bad-request', { errors: [error.code ?? 'the request could not be read'] });
  const body = JSON.stringify(problemDetails(problem, 'en', randomUUID().replaceAll('-', '')));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
};

@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerProblem(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

const ofStatus: Readonly<Record<number, PlatformCode>> = { 404: 'not-found', 413: 'body-too-large', 415: 'not-json' };
const later = { headers: { 'Retry-After': '1' } };

/** What of the platform’s problems it is that was thrown. */
export const problemOf = (thrown: unknown): Problem => {
  if (thrown instanceof Problem) return thrown;
  if (thrown instanceof Refused) return new Problem('occurred-in-the-future');
  if (thrown instanceof NotFound) return new Problem('not-found');
  if (thrown instanceof Forbidden) return new Problem('forbidden', { errors: [thrown.message] });
  if (thrown instanceof StaleRevision) return new Problem('stale-revision', { extra: { revision: thrown.actual.toString() } });
  if (thrown instanceof KeyReused) return new Problem('key-reused');
  if (thrown instanceof PersonForgotten) return new Problem('person-forgotten');
  if (thrown instanceof Contended) return new Problem('contended', later);
  if (thrown instanceof LogFull || thrown instanceof DiskFull) return new Problem('disk-full');
  if (thrown instanceof LogDamaged || thrown instanceof FileDamaged || thrown instanceof KeyMissing)
    return new Problem('data-damaged', { headers: { 'Retry-After': '60' } });
  if (thrown instanceof LogReadOnly || thrown instanceof DiskFailed) return new Problem('log-read-only', later);
  if (thrown instanceof LogMovedOn) return new Problem('log-moved');
  if (thrown instanceof Unavailable) return new Problem('server-unavailable', { headers: { 'Retry-After': '2' } });
  if (thrown instanceof AppendTooLarge) return new Problem('body-too-large');
  const { statusCode, code } = (thrown ?? {}) as { readonly statusCode?: number; readonly code?: string };
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusCode;
  const known = ofStatus[status ?? 0];
  if (known) return new Problem(known);
  return status !== undefined && status >= 400 && status < 500
    ? new Problem('bad-request', { errors: [code ?? 'the request could not be read'] })
    : new Problem('internal');
};
