import { randomUUID } from 'node:crypto';
import { type FastifyRequest } from 'fastify';

export interface Trace {
  /** 32 hexadecimal digits: the caller's (W3C traceparent), else new. */
  readonly traceId: string;
  readonly traceparent: string | undefined;
}

/** A place in a trace, as W3C trace context has it. */
interface Place {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
}

const traces = new WeakMap<object, Trace>();

/** The place that a traceparent names; undefined for one that is none. */
export const parentIn = (traceparent: unknown): Place | undefined => {
  const form = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
  const [, traceId, spanId, flags] = (typeof traceparent === 'string' && form.exec(traceparent)) || [];
  return traceId !== undefined && spanId !== undefined ? { traceId, spanId, traceFlags: parseInt(flags ?? '0', 16) } : undefined;
};

/** The request's trace: one for its whole life. */
export const traceOf = (request: FastifyRequest): Trace => {
  let trace = traces.get(request);
  if (!trace) {
    const { traceparent } = request.headers;
    const given = parentIn(traceparent);
    trace = given
      ? { traceId: given.traceId, traceparent: traceparent as string }
      : // Node keeps random bytes for UUIDs in store: a fifth of the time that 16 of one’s own take
        { traceId: randomUUID().replaceAll('-', ''), traceparent: undefined };
    traces.set(request, trace);
  }
  return trace;
};

/** Where requests are traced: what is recorded names this place. */
export const traceAs = (request: FastifyRequest, { traceId, spanId, traceFlags }: Place): void => {
  traces.set(request, { traceId, traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}` });
};
