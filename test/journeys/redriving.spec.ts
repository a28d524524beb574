import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Subcommand } from '#apps/cli/arguments.js';
import { check } from '#apps/cli/check.js';
import { parked } from '#apps/cli/parked.js';
import { rebuildModel } from '#apps/cli/rebuild.js';
import { redriveParked } from '#apps/cli/redrive.js';
import { requests } from '#contexts/requests/request/index.js';
import { positionOf } from '#platform/http/positions.js';
import { ran } from './running.js';
import { furnished, type Sent, Serving } from './serving.js';

let serving: Serving;
let desk: Awaited<ReturnType<typeof furnished>>;
beforeAll(async () => {
  serving = await Serving.start();
  desk = await furnished(serving);
});
afterAll(() => serving.close());
afterEach(() => {
  jest.restoreAllMocks();
});

/** What the command prints and how it ends, beside the desk that serves. */
const run = async (command: Subcommand, ...args: string[]) => {
  const { code, told, warnings } = await ran(command, { LEDGERDESK_DATA: serving.folder }, args);
  return { code, told: told + warnings };
};

/** The release cannot fold a note of one request into the read model; commands, which do not look at notes, go on. */
const poisoned = (id: string): (() => void) => {
  const { contract } = requests.aggregate;
  const fold = contract.fold.bind(contract);
  const spy = jest.spyOn(contract, 'fold').mockImplementation((...args) => {
    const [was, event, own] = args;
    const isRead = own === undefined && event.position > was.position;
    if (isRead && event.type === 'NoteAdded' && event.stream === contract.stream(id)) throw new RangeError('more than can be counted');
    return fold(...args);
  });
  return () => spy.mockRestore();
};

const noted = (id: string): Promise<Sent> => desk.coordinator.does('AddNote', id, { text: 'seen' });
interface Row {
  readonly id: string;
  readonly revision: string;
}
const listed = () => desk.auditor.reads<{ readonly items: readonly Row[]; readonly parked?: readonly string[] }>('/requests?limit=200');
const revisionOf = async (id: string): Promise<string | undefined> => (await listed()).items.find((row) => row.id === id)?.revision;
const open = async (path: string): Promise<string> => (await fetch(serving.url + path)).text();
/** Does it until told to end; fails as soon as it fails. */
const meanwhile = (work: () => Promise<unknown>): (() => Promise<number>) => {
  const [stopping, done] = [new AbortController(), { count: 0 }];
  const working = (async () => {
    for (; !stopping.signal.aborted; done.count++) await work();
  })();
  working.catch(() => undefined);
  return async () => {
    stopping.abort();
    await working;
    return done.count;
  };
};

describe('a document that is parked', () => {
  it('is told everywhere, holds up no other, and is brought up by redrive while commands go on', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockReturnValue();
    const [ill, well] = [await desk.opens({ tags: ['ill'] }), await desk.opens()];
    const mend = poisoned(ill.id);
    await noted(ill.id);
    for (const id of [ill.id, well.id, ill.id]) await noted(id);

    expect(await revisionOf(well.id)).toBe('1');
    expect([await revisionOf(ill.id), (await listed()).parked]).toEqual(['0', [ill.id]]);
    expect(await desk.auditor.reads(`/requests/${well.id}`)).toMatchObject({ revision: '1' });
    const marked = async (path: string, accept: string): Promise<string | null> =>
      (await desk.auditor.get(path, { accept })).headers.get('ledgerdesk-parked');
    expect(await marked('/requests', 'text/csv')).toBe('1');
    expect(await marked('/requests/counts?by=status', 'application/json')).toBe('1');
    expect(await marked('/clients', 'text/csv')).toBe(null);
    expect(await open('/metrics')).toContain('ledgerdesk_read_model_parked{model="requests"} 1\n');
    expect(await open('/metrics')).toContain('ledgerdesk_read_model_parked{model="clients"} 0\n');
    expect(JSON.parse(await open('/readyz'))).toMatchObject({ status: 'ready', parked: { requests: 1, clients: 0 } });
    expect(warned.mock.calls.filter(([told]) => String(told).includes('parked')).map(([told]) => told)).toEqual([
      expect.stringMatching(new RegExp(`^${ill.id} is parked in requests-\\d+-\\d+, .*request-${ill.id}@1: more than can be counted$`)),
    ]);

    const { code, told } = await run(parked);
    expect([code, told]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`^requests  ${ill.number} ${ill.id}  at ${ill.position}\n    request-${ill.id}@1: more than .*\n1 p`),
      ),
    ]);
    expect(JSON.parse((await run(parked, '--json')).told)).toEqual([
      {
        ...{ readModel: 'requests', build: expect.stringMatching(/^requests-/), serves: true, id: ill.id, number: ill.number },
        ...{ position: ill.position, why: `request-${ill.id}@1: more than can be counted` },
      },
    ]);
    const still = await run(redriveParked, 'requests');
    expect([still.code, still.told]).toEqual([
      1,
      expect.stringMatching(`${ill.number} ${ill.id}  parked again\n.*more than can be counted`),
    ]);
    expect((await listed()).parked).toEqual([ill.id]);

    mend();
    const ends = [ill.id, well.id].map((id) => meanwhile(() => noted(id)));
    await delay(50);
    const mended = await run(redriveParked, 'requests', ill.number ?? '');
    for (const end of ends) expect(await end()).toBeGreaterThan(0);
    expect(mended).toEqual({ code: 0, told: `requests  ${ill.number} ${ill.id}  redriven\n` });

    const { revision } = await noted(ill.id);
    expect([await revisionOf(ill.id), (await listed()).parked]).toEqual([revision, undefined]);
    expect(await open('/metrics')).toContain('ledgerdesk_read_model_parked{model="requests"} 0\n');
    expect(await run(parked)).toEqual({ code: 0, told: 'Nothing is parked.\n' });
    expect(await run(redriveParked, 'requests', ill.number ?? '')).toEqual({ code: 0, told: `requests: ${ill.number} is not parked\n` });
    expect(await run(redriveParked, 'requests', 'REQ-999999')).toEqual({ code: 1, told: 'requests: there is no REQ-999999\n' });
    const checked = await run(check);
    expect([checked.code, checked.told]).toEqual([0, expect.stringMatching(/^requests: equals a clean rebuild/m)]);
  }, 60_000);

  it('is redriven in the build that is kept beside too, so that it can be switched back to', async () => {
    jest.spyOn(process, 'emitWarning').mockReturnValue();
    expect((await run(rebuildModel, 'requests')).code).toBe(0);
    const ill = await desk.opens();
    const mend = poisoned(ill.id);
    await noted(ill.id);
    expect((await listed()).parked).toEqual([ill.id]);
    mend();
    const { code, told } = await run(redriveParked, 'requests');
    expect([code, told.match(/redriven$/gm)]).toEqual([0, ['redriven', 'redriven']]);
    expect(told).toMatch(/ {2}in requests-\d+-\d+, kept beside {2}redriven$/m);
    expect(await run(parked)).toEqual({ code: 0, told: 'Nothing is parked.\n' });
  });

  it('of another read model, or two at once, is refused by name', async () => {
    await expect(run(redriveParked, 'invoices')).rejects.toThrow('the read models are requests');
    await expect(run(redriveParked, 'requests', 'a', 'b')).rejects.toThrow('name one document');
  });
});

describe('cli rebuild --back', () => {
  it('switches back and forth under queries and commands: none fails, and none goes back behind what was told', async () => {
    const { id } = await desk.opens();
    expect((await run(rebuildModel, 'requests')).code).toBe(0);
    const model = await serving.desk.readModels.model(requests.declaration);
    const name = async (): Promise<string | undefined> => (await model.serving())?.name;
    const logId = serving.desk.store.logId;

    const writing = meanwhile(() => noted(id));
    /** One who follows what is answered, and one who asks for what a command was answered. */
    let told = -1n;
    const following = meanwhile(async () => {
      const answered = await desk.auditor.ask<{ readonly items: readonly Row[] }>('/requests?limit=200');
      const position = positionOf(answered.headers.get('ledgerdesk-position') ?? '', logId);
      expect([answered.status, position >= told]).toEqual([200, true]);
      told = position;
    });
    let least = 0n;
    const asking = meanwhile(async () => {
      const { revision } = await noted(id);
      const row = await revisionOf(id);
      expect(BigInt(row ?? -1)).toBeGreaterThanOrEqual(BigInt(revision));
      expect(BigInt(row ?? -1)).toBeGreaterThanOrEqual(least);
      least = BigInt(row ?? -1);
    });
    const served = [await name()];
    for (let n = 0; n < 20; n++) {
      const { code, told: said } = await run(rebuildModel, 'requests', '--back');
      served.push(await name());
      expect([code, said]).toEqual([0, `requests: ${served.at(-1)} serves again, ${served.at(-2)} is kept beside it\n`]);
      await delay(20);
    }
    const [written, followed, asked] = [await writing(), await following(), await asking()];
    expect(served.map((one) => served.indexOf(one))).toEqual(Array.from({ length: 21 }, (_, n) => n % 2));
    for (const count of [written, followed, asked]) expect(count).toBeGreaterThan(20);

    await listed();
    for (let n = 0; n < 2; n++) {
      const checked = await run(check);
      expect([checked.code, checked.told]).toEqual([0, expect.stringMatching(/^requests: equals a clean rebuild/m)]);
      await run(rebuildModel, 'requests', '--back');
    }
  }, 120_000);

  it('says so where none is kept', async () => {
    expect(await run(rebuildModel, 'clients', '--back')).toEqual({
      code: 1,
      told: expect.stringMatching(/^clients: no build is kept beside clients-\d+-\d+: npm run -s cli -- rebuild clients\n$/),
    });
  });
});
