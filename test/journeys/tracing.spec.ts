import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTracing } from '#apps/tracing.js';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { all } from '#platform/processors/spec.js';
import { eventually, furnished, Serving } from './serving.js';

interface Told {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
}
interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Told[] }[] }[];
}

describe('traces', () => {
  it('are off unless a collector is named', async () => {
    const serving = await Serving.start();
    expect(Object.getPrototypeOf(serving.desk.store)).toBe(EmbeddedLog.prototype);
    await serving.close();
  });

  describe('once a collector is named', () => {
    const told: Told[] = [];
    let collector: Server;
    let serving: Serving;
    let desk: Awaited<ReturnType<typeof furnished>>;
    let untrace: () => Promise<void>;

    beforeAll(async () => {
      collector = createServer((request, response) => {
        const pieces: Buffer[] = [];
        request.on('data', (piece: Buffer) => pieces.push(piece));
        request.on('end', () => {
          const { resourceSpans } = JSON.parse(Buffer.concat(pieces).toString()) as Export;
          for (const { scopeSpans } of resourceSpans) for (const { spans } of scopeSpans) told.push(...spans);
          response.setHeader('content-type', 'application/json').end('{}');
        });
      }).listen(0, '127.0.0.1');
      await once(collector, 'listening');
      process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
      process.env['OTEL_BSP_SCHEDULE_DELAY'] = '50';
      untrace = await startTracing('ledgerdesk', 'test');
      serving = await Serving.start();
      desk = await furnished(serving);
    });
    afterAll(async () => {
      delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
      delete process.env['OTEL_BSP_SCHEDULE_DELAY'];
      await serving.close();
      await untrace();
      collector.close();
    });

    const spansOf = (traceId: string, ...names: readonly string[]) =>
      eventually(async () => {
        const of = told.filter((span) => span.traceId === traceId);
        return names.every((name) => of.some((span) => span.name === name)) ? new Map(of.map((span) => [span.name, span])) : undefined;
      });

    it('lead from the caller through the command and the log to the read model', async () => {
      const [traceId, caller] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
      const { id } = await desk.opens();
      await desk.coordinator.does('AddNote', id, { text: 'Seen' }, { traceparent: `00-${traceId}-${caller}-01` });
      const spans = await spansOf(traceId, 'POST /requests/:id/add-note', 'AddNote', 'append', 'fold into requests');
      const [request, command] = [spans.get('POST /requests/:id/add-note'), spans.get('AddNote')];
      expect(request?.parentSpanId).toBe(caller);
      expect(command?.parentSpanId).toBe(request?.spanId);
      expect(spans.get('append')?.parentSpanId).toBe(command?.spanId);
      expect(spans.get('fold into requests')?.parentSpanId).toBe(request?.spanId);
      const [, note] = await all(serving.desk.store.readStream(`request-${id}`));
      expect(note?.metadata).toMatchObject({ $correlationId: traceId, traceparent: `00-${traceId}-${request?.spanId}-01` });
    });

    it('go on in what a reaction sends, and begin by themselves where the caller names none', async () => {
      const { id } = await desk.opens();
      await desk.coordinator.does('InformClient', id, { text: 'Which?', question: true, channel: 'mail' });
      await desk.coordinator.does('HoldRequest', id, { hold: 'client' });
      await desk.customer.does('RecordReply', id, { text: 'That', channel: 'portal' });
      const reply = await eventually(async () =>
        (await all(serving.desk.store.readStream(`request-${id}`))).find(({ type }) => type === 'RequestResumed'),
      );
      await spansOf(reply.metadata['$correlationId'] as string, 'POST /requests/:id/record-reply', 'RecordReply', 'ResumeRequest');
    });

    it('tell what failed, and keep nothing of a body', async () => {
      const traceId = '5bf92f3577b34da6a3ce929d0e0e4737';
      const { id } = await desk.opens();
      await desk.technician.send('AcceptRequest', id, { reason: 'A secret of Zoe' }, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
      const spans = await spansOf(traceId, 'AcceptRequest');
      expect(spans.get('AcceptRequest')?.status).toMatchObject({ code: 2, message: 'Refused' });
      expect(JSON.stringify(told)).not.toContain('secret');
    });
  });
});
