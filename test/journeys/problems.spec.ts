import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Caller, eventually, furnished, Serving } from './serving.js';

interface Page {
  readonly items: readonly Readonly<Record<string, unknown>>[];
}

describe('requests of one cause', () => {
  let serving: Serving;
  let desk: Awaited<ReturnType<typeof furnished>>;
  let problem: { readonly id: string; readonly number?: string };
  let [first, second, twice]: string[] = [];
  const action = randomUUID();
  const due = '2026-03-03T09:00:00.000Z';

  beforeAll(async () => {
    serving = await Serving.start();
    serving.clock.set('2026-03-02T09:00:00Z');
    desk = await furnished(serving);
    first = (await desk.opens({ subject: 'The printer prints blank pages' })).id;
    serving.clock.forward({ minutes: 1 });
    [second, twice] = [(await desk.opens({ subject: 'No ink' })).id, (await desk.opens({ subject: 'Blank pages again' })).id];
    problem = await desk.technician.does('DocumentProblem', randomUUID(), {
      subject: 'Printers fail at noon',
      text: 'All of the second floor',
    });
    serving.clock.forward({ minutes: 1 });
  });
  afterAll(() => serving.close());

  const ids = async (by: Caller, path: string): Promise<readonly unknown[]> => (await by.reads<Page>(path)).items.map(({ id }) => id);

  it('are grouped, linked and merged, and found from the other side', async () => {
    for (const id of [first, second] as string[]) await desk.technician.does('GroupRequest', id, { problem: problem.id });
    await desk.technician.does('LinkRequests', second as string, { other: first, kind: 'relates' });
    await desk.coordinator.does('MergeRequest', twice as string, { into: first });
    expect([...(await ids(desk.technician, `/requests?problem=${problem.id}`))].sort()).toEqual([first, second].sort());
    expect(await ids(desk.technician, `/requests?linkedTo=${first}`)).toEqual([second]);
    expect(await ids(desk.technician, `/requests?mergedInto=${first}`)).toEqual([twice]);
    expect(await ids(desk.customer, `/requests?mergedInto=${first}`)).toEqual([twice]);
    for (const hidden of [`problem=${problem.id}`, `linkedTo=${first}`])
      expect(await desk.customer.get(`/requests?${hidden}`)).toMatchObject({ status: 403 });
    const asSeen = await desk.customer.reads(`/requests/${second}`);
    for (const field of ['problem', 'links', 'linkedTo', 'watchers', 'minutesSpent', 'escalationLevel', 'calls'])
      expect(asSeen).not.toHaveProperty(field);
  });

  it('are not merged into a later one, nor in a circle', async () => {
    const answered = await desk.coordinator.send('MergeRequest', first as string, { into: second });
    expect([answered.status, answered.text]).toEqual([409, expect.stringContaining('merge-into-later')]);
  });

  it('have a problem that is triaged, diagnosed by one, published by another, and resolved when nothing is left to do', async () => {
    const { id } = problem;
    await desk.senior.does('TriageProblem', id, { severity: 'P2', owner: desk.bob });
    await desk.senior.does('IdentifyRootCause', id, { cause: 'The spooler is full', evidence: 'Its log' });
    await desk.senior.does('AssignAction', id, { action, text: 'Empty the spooler', staff: desk.ann, due });
    expect((await desk.senior.send('PublishKnownError', id, { workaround: 'Print at one' })).text).toContain('publisher-identified-cause');
    await desk.coordinator.does('PublishKnownError', id, { workaround: 'Print at one' });
    expect((await desk.coordinator.send('ResolveProblem', id, { note: 'Emptied' })).text).toContain('action-is-open');
    // The task of an action opens by itself, for whoever is to do it
    const task = await eventually(async () => {
      const { status, body } = await desk.technician.get(`/tasks/${action}`);
      return status === 200 && body['status'] === 'assigned' ? body : undefined;
    });
    expect(task).toMatchObject({ number: expect.stringMatching(/^TSK-\d{6}$/), subject: 'Empty the spooler', due, assignee: desk.ann });
    expect(task).toMatchObject({ aboutCategory: 'problem', aboutId: id, concerns: desk.bob, team: null });
    expect(await ids(desk.technician, '/tasks?assignee=me&status=assigned')).toEqual([action]);
    expect(await ids(desk.technician, `/tasks?aboutId=${id}&dueTo=2026-03-03T09:00:00Z`)).toEqual([]);
    await desk.technician.does('CompleteTask', action, { note: 'Done' });
    await desk.coordinator.does('ResolveProblem', id, { note: 'Emptied' });
    const { items } = await desk.auditor.reads<{ items: readonly { type: string; facts?: object }[] }>(`/problems/${id}/history`);
    expect(items.at(-1)).toMatchObject({ type: 'ProblemResolved', facts: { [action]: `task-${action}@2` } });
    expect((await desk.technician.send('GroupRequest', twice as string, { problem: id })).text).toContain('problem-is-resolved');
  });

  it('are found from the other side as of then, too', async () => {
    const [then, now] = ['2026-03-02T09:01:00Z', '2026-03-02T09:02:00Z'];
    for (const query of [`problem=${problem.id}`, `linkedTo=${first}`, `mergedInto=${first}`]) {
      expect(await ids(desk.auditor, `/requests?${query}&asOf=${then}`)).toEqual([]);
      expect(await ids(desk.auditor, `/requests?${query}&asOf=${now}`)).toEqual(await ids(desk.auditor, `/requests?${query}`));
    }
  });

  it('are told in the lists of problems and tasks, now and as of then, by number and as CSV', async () => {
    expect(problem.number).toMatch(/^PRB-\d{6}$/);
    expect((await desk.auditor.reads<Page>('/problems?status=resolved&text=printers')).items).toEqual([
      expect.objectContaining({
        id: problem.id,
        number: problem.number,
        revision: '5',
        subject: 'Printers fail at noon',
        severity: 'P2',
        knownError: true,
      }) as object,
    ]);
    expect((await desk.auditor.reads<Page>('/problems?asOf=2026-03-02T09:01:00Z')).items).toMatchObject([
      { status: 'documented', knownError: false },
    ]);
    expect(await ids(desk.auditor, '/problems?order=-known-error&knownErrorFrom=2026-03-01')).toEqual([problem.id]);
    expect(await desk.auditor.reads(`/problems/${problem.number}`)).toMatchObject({
      id: problem.id,
      workaround: 'Print at one',
      actions: [{ text: 'Empty the spooler' }],
    });
    const { text } = await desk.auditor.get('/tasks', { accept: 'text/csv' });
    expect(text.split('\r\n')[1]).toContain(`done,Empty the spooler,${due},problem,${problem.id},,${desk.ann}`);
    expect(await desk.auditor.reads('/problems/counts?by=severity')).toMatchObject({ counts: [{ key: 'P2', count: 1 }] });
  });

  it('are asked and answered in one act, once', async () => {
    const [id, said] = [randomUUID(), { channel: 'phone', question: 'When may I print?', answer: 'At one' }];
    const body = { client: desk.client, contact: desk.contact, ...said };
    const given = await desk.technician.send('GiveAdvice', id, body);
    expect([given.status, given.body]).toMatchObject([201, { id, revision: '1' }]);
    expect((await desk.technician.send('GiveAdvice', id, body)).body).toEqual(given.body);
    expect((await desk.technician.send('GiveAdvice', id, { ...body, answer: 'At two' })).text).toContain('request-already-open');
    expect(await desk.customer.reads(`/requests/${id}`)).toMatchObject({
      status: 'resolved',
      subject: said.question,
      resolution: 'At one',
    });
    expect((await desk.customer.reads<Page>(`/requests/${id}/history`)).items).toHaveLength(2);
  });
});
