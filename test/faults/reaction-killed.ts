import { randomUUID } from 'node:crypto';
import { openDesk } from '#apps/desk.js';
import { aggregates } from '#apps/contexts.js';
import { type Done } from '#platform/decider/aggregate.js';
import { brokenLink } from '#platform/decider/chain.js';
import { randomOf } from '#platform/processors/spec.js';
import { child, ended, holds } from './children.js';
import { type InPlaces } from './places.js';
import { told } from './stores.js';

const steps = ['met', 'sent', 'answered'] as const;
const cora = {
  id: 'cora',
  roles: ['coordinator'],
  senior: false,
  client: null,
  onBehalfOf: null,
  is: (role: string) => role === 'coordinator',
};
const around = { by: cora, issuer: 'local', method: 'test', correlation: 'c', source: 'api' as const };

/** R9 of reactions: the process killed by -9 between a fact, the command that follows, and the note of its answer; each command has its effect once. */
export const main = (kills: number, seed: number, inPlaces: InPlaces): Promise<string> =>
  inPlaces(async (places) => {
    const random = randomOf(seed);
    // Holds must be due when they are met
    const desk = await openDesk({ ...places, now: () => new Date(Date.now() - 3_600_000) });
    const does = (name: string, id: string, body: object): Promise<Done> => {
      const aggregate = aggregates.find(({ commands }) => commands.has(name));
      const command = aggregate?.commands.get(name);
      if (!aggregate || !command) throw new Error(`there is no command ${name}`);
      return desk.executor.execute(aggregate, command, id, Object.assign(new command(), body), around);
    };
    const [client, contact, staff] = [randomUUID(), randomUUID(), randomUUID()];
    await does('RegisterClient', client, { name: 'Acme', zone: 'UTC', language: 'en' });
    await does('AddContact', client, { contact, name: 'Zoe', language: 'en' });
    const hire = (id: string) => does('HireStaffMember', id, { name: 'Ann', level: 'entry', hiredOn: '2026-01-05' });
    await hire(staff);
    const opened = async (): Promise<string> => {
      const id = randomUUID();
      await does('OpenRequest', id, { kind: 'incident', client, contact, subject: 'It hangs', channel: 'phone' });
      return id;
    };
    /** Stream → the event types that must come once, and how often. */
    const expected = new Map<string, Readonly<Record<string, number>>>();
    const facts: Readonly<Record<string, () => Promise<unknown>>> = {
      split: async () => {
        const parts = Array.from({ length: 2 }, (_, n) => ({ request: randomUUID(), subject: `Part ${n}` }));
        for (const { request } of parts) expected.set(`request-${request}`, { RequestOpened: 1 });
        await does('SplitRequest', await opened(), { parts });
      },
      actions: async () => {
        const [problem, action] = [randomUUID(), randomUUID()];
        await does('DocumentProblem', problem, { subject: 'Printers', text: 'All of them' });
        await does('TriageProblem', problem, { severity: 'P2', owner: staff });
        expected.set(`task-${action}`, { TaskOpened: 1, TaskAssigned: 1 });
        await does('AssignAction', problem, { action, text: 'Look', staff, due: new Date(Date.now() + 1e6).toISOString() });
      },
      replies: async () => {
        const id = await opened();
        await does('InformClient', id, { text: 'Which?', question: true, channel: 'mail' });
        await does('HoldRequest', id, { hold: 'client' });
        expected.set(`request-${id}`, { RequestResumed: 1 });
        await does('RecordReply', id, { text: 'That', channel: 'mail' });
      },
      departures: async () => {
        const member = randomUUID();
        await hire(member);
        for (let n = 0; n < 2; n++) {
          const id = await opened();
          await does('AssignToStaff', id, { to: member });
          expected.set(`request-${id}`, { RequestUnassigned: 1 });
        }
        await does('RecordDeparture', member, { on: '2026-01-06' });
      },
      disbandments: async () => {
        const team = randomUUID();
        await does('FormTeam', team, { name: 'Night shift', categories: [] });
        const id = await opened();
        await does('RouteRequest', id, { team });
        // To the team, and away from it
        expected.set(`request-${id}`, { RequestRouted: 2 });
        await does('DisbandTeam', team, {});
      },
      holds: async () => {
        const id = await opened();
        expected.set(`request-${id}`, { RequestResumed: 1 });
        await does('HoldRequest', id, { hold: 'vendor', until: new Date(Date.now() - 1_800_000).toISOString() });
      },
    };
    // From here on reactions answer: before they are deployed nothing follows
    holds((await ended(child('reacting', [told(places), '', '']))) === 0, () => 'reactions could not be deployed');

    const names = Object.keys(facts);
    const killed = new Map<string, number>();
    for (let kill = 0; kill < kills;) {
      const [name = '', step] = [names[kill % names.length], steps[Math.floor(kill / names.length) % steps.length] ?? 'met'];
      await facts[name]?.();
      const by = await ended(child('reacting', [told(places), name, step, 1 + random(2)]));
      holds(by === 'SIGKILL' || by === 0, () => `reactions failed (${by})`);
      // It came to the step less often than that
      if (by === 0) continue;
      kill++;
      killed.set(step, (killed.get(step) ?? 0) + 1);
    }
    holds((await ended(child('reacting', [told(places), '', '']))) === 0, () => 'reactions failed at the end');

    const last = new Map<string, string>();
    const types = new Map<string, string[]>();
    const answered = new Set<string>();
    let sent = 0;
    for await (const event of desk.store.readAll()) {
      const { stream, type, metadata } = event;
      const data = event.data as Readonly<Record<string, string>>;
      holds(brokenLink(event, last.get(stream) ?? '') === undefined, () => `${stream} is broken`);
      last.set(stream, metadata['hash'] as string);
      types.set(stream, [...(types.get(stream) ?? []), type]);
      if (type !== 'CommandAnswered') continue;
      sent++;
      holds(!answered.has(data['command'] ?? ''), () => `${data['name']} of ${data['source']} was answered twice`);
      // Who departed and which team is no more are met by way of their requests too, so one of the two finds it done
      holds(
        data['outcome'] === 'done' || (data['outcome'] === 'already-so' && /^Un(assign|route)Request$/.test(data['name'] ?? '')),
        () => `${data['name']} of ${data['source']}: ${JSON.stringify(data)}`,
      );
      answered.add(data['command'] ?? '');
    }
    let effects = 0;
    for (const [stream, of] of expected)
      for (const [type, times] of Object.entries(of)) {
        const found = (types.get(stream) ?? []).filter((one) => one === type).length;
        holds(found === times, () => `${stream} has ${type} ${found} times`);
        effects++;
      }
    await desk.close();
    const at = steps.map((step) => `${killed.get(step) ?? 0} when ${step}`).join(', ');
    return `${kills} kills of reactions (${at}): ${sent} commands sent and answered once, ${effects} effects, each there once`;
  });
