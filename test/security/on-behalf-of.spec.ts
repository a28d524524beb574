import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { asProblem, type Caller, furnished, Serving } from '../journeys/serving.js';

describe('On-Behalf-Of', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let request: string;
  beforeAll(async () => {
    serving = await Serving.start();
    desk = await furnished(serving);
    request = (await desk.opens({ category: 'network' })).id;
  });
  afterAll(() => serving.close());

  const noted = async (by: Caller, onBehalfOf: string): Promise<unknown> => {
    const answered = await by.send('AddNote', request, { text: 'Rang back' }, { 'on-behalf-of': onBehalfOf });
    if (answered.status !== 200) return [answered.status, asProblem(answered)['code']];
    const { items } = await desk.auditor.reads<{ items: readonly object[] }>(`/requests/${request}/history`);
    return (items.at(-1) as { readonly onBehalfOf: string }).onBehalfOf;
  };
  const forbidden = [403, 'forbidden'];
  const appoint = (from: number, to: number) => {
    const minute = (n: number): string => new Date(serving.clock.now().getTime() + n * 60_000).toISOString();
    return desk.senior.does('AppointDeputy', desk.bob, { deputy: desk.ann, from: minute(from), to: minute(to) });
  };

  it('a contact may be named by whoever may send the command, as before', async () => {
    expect(await noted(desk.technician, desk.contact)).toBe(desk.contact);
  });

  it('a member of the staff is named by a coordinator, and else by their deputy alone, for as long as they are', async () => {
    expect(await noted(desk.coordinator, desk.bob)).toBe(desk.bob);
    expect(await noted(desk.technician, desk.bob)).toEqual(forbidden);
    await appoint(60, 120);
    expect(await noted(desk.technician, desk.bob)).toEqual(forbidden);
    serving.clock.forward({ minutes: 61 });
    expect(await noted(desk.technician, desk.bob)).toBe(desk.bob);
    // Not the other way round
    expect(await noted(desk.senior, desk.ann)).toEqual(forbidden);
    serving.clock.forward({ minutes: 60 });
    expect(await noted(desk.technician, desk.bob)).toEqual(forbidden);
  });

  it('is one id in either case, so that nobody slips by', async () => {
    expect(await noted(desk.technician, desk.bob.toUpperCase())).toEqual(forbidden);
    expect(await noted(desk.coordinator, desk.bob.toUpperCase())).toBe(desk.bob);
  });

  it('never lets a contact act for the staff, or for whoever is no contact of the same client', async () => {
    for (const other of [desk.bob, randomUUID()]) expect(await noted(desk.customer, other)).toEqual(forbidden);
    expect(await noted(desk.customer, desk.contact)).toBe(desk.contact);
  });

  it('is refused on reading too, and after the role', async () => {
    const asking = (by: Caller, path: string) => by.ask(path, { headers: { 'on-behalf-of': desk.bob } });
    expect((await asking(desk.technician, '/requests')).status).toBe(403);
    expect((await asking(desk.coordinator, '/requests')).status).toBe(200);
    const answered = await desk.auditor.send('AddNote', request, { text: 'x' }, { 'on-behalf-of': desk.bob });
    expect(asProblem(answered)).toMatchObject({ status: 403, errors: [expect.stringMatching(/^needs one of/)] });
  });
});

describe('four eyes over HTTP', () => {
  it('see deputies: whoever stands in for the proposer does not publish, nor does one for whom the proposer stands in', async () => {
    const serving = await Serving.start();
    const desk = await furnished(serving);
    const ann = await serving.as(desk.ann, 'coordinator');
    const bob = await serving.as(desk.bob, 'coordinator');
    await bob.does('ProposeSetting', 'skills', { value: ['network', 'mainframe'], reason: 'One more' });
    const [from, to] = [-1, 60].map((n) => new Date(serving.clock.now().getTime() + n * 60_000).toISOString());
    const publishing = async (by: Caller): Promise<unknown> => (await by.send('PublishSetting', 'skills')).body['code'] ?? 'done';
    await bob.does('AppointDeputy', desk.bob, { deputy: desk.ann, from, to });
    expect(await publishing(ann)).toBe('publisher-is-proposer');
    await bob.does('WithdrawDeputy', desk.bob, { deputy: desk.ann });
    await ann.does('AppointDeputy', desk.ann, { deputy: desk.bob, from, to });
    expect(await publishing(ann)).toBe('publisher-is-proposer');
    await ann.does('WithdrawDeputy', desk.ann, { deputy: desk.bob });
    expect(await publishing(ann)).toBe('done');
    await serving.close();
  });

  it('where they are strict, tell no two local tokens apart', async () => {
    const serving = await Serving.start(undefined, { strict: true });
    const [carol, dora] = [await serving.as('carol', 'coordinator'), await serving.as('dora', 'coordinator')];
    await carol.does('ProposeSetting', 'skills', { value: ['network'], reason: 'One is enough' });
    expect(asProblem(await dora.send('PublishSetting', 'skills'))).toMatchObject({ status: 409, code: 'publisher-is-proposer' });
    await carol.does('WithdrawSetting', 'skills');
    await serving.close();
  });
});
