import { randomUUID } from 'node:crypto';
import { type FastifyRequest } from 'fastify';

export interface Trace {
  /** 32 hexadecimal digits: the caller's (W3C traceparent), else new. */
  readonly traceId: string;
  readonly traceparent: string | undefined;
}

const traces = new WeakMap<object, Trace>();

/** The request's trace: one for its whole life. */
export const traceOf = (request: FastifyRequest): Trace => {
  let trace = traces.get(request);
  if (!trace) {
    const { traceparent } = request.headers;
    const given =
      typeof traceparent === 'string' ? /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/.exec(traceparent) : null;
    trace = given?.[1]
      ? { traceId: given[1], traceparent: traceparent as string }
      : // Node keeps random bytes for UUIDs in store: a fifth of the time that 16 of one’s own take
        { traceId: randomUUID().replaceAll('-', ''), traceparent: undefined };
    traces.set(request, trace);
  }
  return trace;
};
