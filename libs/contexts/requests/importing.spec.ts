import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Folded, type Happened, unopened } from '#platform/decider/contract.js';
import { type Instant } from '#platform/decider/fields.js';
import { type JsonObject } from '#platform/event-store/port.js';
import { type Sealed } from '#platform/vault/sealing.js';
import {
  degrees,
  priorities,
  type Request,
  request,
  RequestOpened,
  RequestPutOnHold,
  RequestResolved,
  statuses,
} from './contract/request.js';
import { eventsOfRow, type Held, heldOf, type Row } from './importing.js';

const sealed = (text: string, owner: string): Sealed => ({ owner, key: 'texts', box: text });
const plain = (text: Sealed | null): string | null => text?.box ?? null;

/** What the log would keep of it: numbered, texts sealed (here: in plain sight). */
const stored = ({ type, data }: Happened): JsonObject => {
  const { fields } = request.definition(type);
  return Object.fromEntries(
    Object.entries(fields).map(([name, { series, sealing }]) => {
      const value = data[name];
      if (series !== undefined) return [name, 'REQ-000001'];
      if (sealing && typeof value === 'string') return [name, sealed(value, data[sealing.owner] as string)];
      return [name, value ?? null];
    }),
  ) as JsonObject;
};
const fold = (was: Folded<Request>, happened: readonly Happened[], at = '2016-03-01T00:00:00.000Z'): Folded<Request> =>
  happened.reduce((folded, one) => {
    const metadata = { version: request.definition(one.type).version, occurred: at, recorded: at, hash: '' };
    const revision = folded.revision + 1n;
    return request.fold(folded, {
      ...{ id: '', type: one.type, data: stored(one), metadata },
      stream: 'request-1',
      revision,
      position: 0n,
    });
  }, was);
const held = ({ state }: Folded<Request>): Held | null =>
  state && heldOf(state, { subject: plain(state.subject), personal: plain(state.personal) });

const word = fc.constantFrom('a', 'b', 'c');
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const instant = fc.constantFrom('2016-02-29T01:16:00.000Z', '2016-03-05T12:00:00.000Z') as fc.Arbitrary<Instant>;
const rows = fc
  .record({
    kind: fc.constant('incident' as const),
    status: fc.constantFrom(...statuses.filter((status) => status !== 'merged')),
    ...{
      sourceStatus: maybe(word),
      hold: word,
      code: maybe(word),
      resolvedAt: maybe(instant),
      resolvedBy: maybe(word),
      closedAt: maybe(instant),
    },
    ...{ team: maybe(word), assignee: maybe(word), client: maybe(word), contact: maybe(word), about: word },
    ...{ category: maybe(word), application: maybe(word), channel: fc.constantFrom('phone' as const, 'import' as const) },
    ...{
      priority: maybe(fc.constantFrom(...priorities)),
      impact: maybe(fc.constantFrom(...degrees)),
      urgency: maybe(fc.constantFrom(...degrees)),
    },
    ...{ subject: maybe(word), personal: maybe(word), attributes: fc.dictionary(word, word) },
  })
  .map((row) => ({ ...row, hold: row.status === 'on-hold' ? row.hold : null }) as unknown as Row & Request);

const shows = (folded: Folded<Request>, row: Row): void => {
  const { subject, personal, ...open } = row;
  expect(folded.state).toMatchObject(open);
  expect(folded.state?.attributes).toEqual(row.attributes);
  expect([plain(folded.state?.subject ?? null), plain(folded.state?.personal ?? null)]).toEqual([subject, personal]);
};

describe('a row of another tool', () => {
  it('is the whole state after its events, whatever was before', () =>
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 6 }), (of) => {
        let folded: Folded<Request> = unopened;
        for (const row of of) {
          const { events, held: next } = eventsOfRow(held(folded), row, 'INC1');
          expect(events.length).toBeGreaterThan(0);
          folded = fold(folded, events);
          shows(folded, row);
          expect(next).toMatchObject({ ...row });
        }
        expect(folded.state).toMatchObject({ sourceNumber: 'INC1', openedAt: '2016-03-01T00:00:00.000Z', reopenCount: 0 });
      }),
      { numRuns: 300 },
    ));

  const first = fc.sample(rows, { numRuns: 1, seed: 7 })[0] as Row & Request;

  it('that says nothing new is one event without content', () => {
    const folded = fold(unopened, eventsOfRow(null, first, 'INC1').events);
    const { events } = eventsOfRow(held(folded), first, 'INC1');
    expect(events.map(({ type }) => type)).toEqual(['AttributesImported']);
    expect(events[0]?.data).toMatchObject({ set: {}, gone: [] });
  });

  it('tells in ordinary events what they say', () => {
    const row = { ...first, status: 'in-progress', hold: null, team: 'a', assignee: 'b', priority: 'P1', category: 'a' } as Row & Request;
    const folded = fold(unopened, eventsOfRow(null, row, 'INC1').events);
    const moved = { ...row, team: 'b', assignee: null, priority: 'P2', category: 'b', status: 'new' } as Row & Request;
    const { events } = eventsOfRow(held(folded), moved, 'INC1');
    expect(events.map(({ type }) => type)).toEqual(['RequestRouted', 'RequestPrioritised', 'RequestCategorised']);
    expect(events[0]?.data).toMatchObject({ team: 'b', rule: 'import' });
    const back = eventsOfRow(held(fold(folded, events)), { ...moved, assignee: 'c', status: 'assigned' } as unknown as Row, 'INC1');
    expect(back.events.map(({ type }) => type)).toEqual(['RequestAssigned']);
    const gone = eventsOfRow(back.held, moved, 'INC1');
    expect(gone.events.map(({ type }) => type)).toEqual(['RequestUnassigned']);
  });

  it('leaves what its source does not say as it was, also what the desk said since', () => {
    const { team: _, ...row } = { ...first, status: 'new', hold: null, assignee: null } as Row & Request;
    let folded = fold(unopened, eventsOfRow(null, row, 'INC1').events);
    folded = fold(folded, [{ type: 'RequestRouted', data: { team: 'ours', rule: 'manual', why: 'named', candidates: {} } }]);
    folded = fold(folded, eventsOfRow(held(folded), { ...row, sourceStatus: 'Later' }, 'INC1').events);
    expect(folded.state).toMatchObject({ team: 'ours', sourceStatus: 'Later' });
  });

  it('ends a hold that the desk began, and takes its resolution back', () => {
    const opened = RequestOpened({
      kind: 'incident',
      client: null,
      contact: null,
      about: 'a',
      channel: 'mail',
      complexity: 'normal',
      tags: [],
      sourceNumber: 'INC1',
    });
    let folded = fold(unopened, [opened, RequestPutOnHold({ hold: 'vendor', until: '2016-04-01T00:00:00.000Z' as Instant })]);
    const row = { ...first, status: 'in-progress', hold: null, code: null, resolvedAt: null, resolvedBy: null, closedAt: null } as Row &
      Request;
    folded = fold(folded, eventsOfRow(held(folded), row, 'INC1').events);
    shows(folded, row);
    expect(folded.state).toMatchObject({ followUpAt: null, holdRevision: null });
    folded = fold(folded, [RequestResolved({ code: 'solved', about: 'a', note: 'done', by: 'me' as never })]);
    folded = fold(folded, eventsOfRow(held(folded), row, 'INC1').events);
    shows(folded, row);
  });

  it('of a log of activities tells what was done, and moves the status only when it means one', () => {
    const about = { kind: 'question', about: 'a', attributes: {} } as const;
    const began = eventsOfRow(null, { ...about, activity: { activity: 'Insert ticket', resource: null } }, 'T-1');
    expect(began.events.map(({ type }) => type)).toEqual(['RequestOpened', 'ActivityImported']);
    const waits = eventsOfRow(
      began.held,
      { ...about, status: 'on-hold', hold: 'client', sourceStatus: 'Wait', activity: { activity: 'Wait', resource: 'Ann' } },
      'T-1',
    );
    expect(waits.events.map(({ type }) => type)).toEqual(['ActivityImported', 'RequestStatusImported']);
    expect(waits.events[1]?.data).toMatchObject({ from: 'new', to: 'on-hold', hold: 'client', sourceStatus: 'Wait' });
    const talked = eventsOfRow(waits.held, { ...about, activity: { activity: 'Call', resource: 'Ann' } }, 'T-1');
    expect(talked.events).toEqual([{ type: 'ActivityImported', data: { activity: 'Call', resource: 'Ann' } }]);
  });

  it('keeps a text sealed as it is while it stays, and seals it anew for another person', () => {
    const row = { ...first, subject: 'a', personal: 'b', client: 'x', about: 'x' } as Row & Request;
    const folded = fold(unopened, eventsOfRow(null, row, 'INC1').events);
    const next = eventsOfRow(held(folded), { ...row, attributes: { a: 'changed' } }, 'INC1').events.at(-1);
    expect(next?.data).toMatchObject({ subject: sealed('a', 'x'), personal: sealed('b', 'x') });
    const other = eventsOfRow(held(folded), { ...row, client: 'y', about: 'y' } as unknown as Row, 'INC1').events.at(-1);
    expect(other?.data).toMatchObject({ subject: 'a', personal: 'b', about: 'y' });
  });
});
