import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDesk, type Places } from '#apps/desk.js';
import { randomOf } from '#platform/processors/spec.js';
import { writeHistory } from '#test/bench/history.js';
import { envOf } from '#test/servers/servers.js';
import { ended, holds } from './children.js';
import { type InPlaces } from './places.js';
import { spread } from './spread.js';

const within = 5_000;
const perRequest = 10;
// The quick suite restarts a small desk; servers take longer to be given a large one
const fewRestarts = 5;
const sizes = { inFolder: { few: 20_000, many: 1_000_000 }, onServers: { few: 2_000, many: 200_000 } };
const senders = 4;
const root = fileURLToPath(new URL('../../', import.meta.url));

/** The product as it is built for its users, in a place of its own: no other build changes under the proof. */
const built = (): string => {
  mkdirSync(join(root, 'dist'), { recursive: true });
  const to = mkdtempSync(join(root, 'dist/faults-'));
  const { imports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly imports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  // The aliases lead into this build instead of the usual one
  const here = Object.entries(imports).map(([alias, at]) => [alias, (typeof at === 'string' ? at : at.default).replace('./dist/', './')]);
  writeFileSync(join(to, 'package.json'), JSON.stringify({ type: 'module', imports: Object.fromEntries(here) as object }));
  const not = ['**/*.spec.ts', '**/spec.ts', '**/contract-suite.ts'].flatMap((pattern) => ['--ignore', pattern]);
  const swc = join(root, 'node_modules/.bin/swc');
  execFileSync(swc, ['apps', 'libs', '-d', to, '--copy-files', '--quiet', ...not], { cwd: root, stdio: 'inherit' });
  return to;
};

interface Started {
  readonly api: ChildProcess;
  readonly url: string;
  /** Until it was ready, in milliseconds. */
  readonly took: number;
}

/** Starts it, and asks until it is ready. */
const start = async (main: string, places: Places): Promise<Started> => {
  const begun = performance.now();
  const env = { ...envOf(places), LEDGERDESK_COMMANDS_A_MINUTE: 'unlimited', PORT: '0' };
  const api = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(api.stdout)) {
    const url = /serves (http\S+)/.exec(line)?.[1];
    if (url === undefined) continue;
    api.stdout.resume();
    while ((await fetch(`${url}/readyz`)).status !== 200) await delay(10);
    return { api, url, took: performance.now() - begun };
  }
  throw new Error('it ended before it was ready');
};

interface Acknowledged {
  readonly id: string;
  readonly body: string;
  readonly answer: string;
}

const restarting = async (main: string, places: Places, restarts: number, random: (below: number) => number): Promise<string> => {
  const desk = await openDesk(places);
  const { few, many } = sizes[places.eventStore === undefined ? 'inFolder' : 'onServers'];
  const events = await writeHistory(desk, (restarts < fewRestarts ? few : many) / perRequest, () => perRequest);
  const { token } = await desk.issuer.mint('cora', ['coordinator'], null, 36_000);
  await desk.close();
  const send = async (url: string, id: string, body: string): Promise<string> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': id };
    const answered = await fetch(`${url}/clients/${id}/register-client`, { method: 'POST', headers, body });
    const answer = `${answered.status} ${await answered.text()}`;
    holds(answered.status === 201, () => `registering a client was answered ${answer}`);
    return answer;
  };

  let last: Acknowledged | undefined;
  let commands = 0;
  const took: Record<'SIGTERM' | 'SIGKILL', number[]> = { SIGTERM: [], SIGKILL: [] };
  let before: 'SIGTERM' | 'SIGKILL' | undefined;
  for (let n = 0; n <= restarts; n++) {
    const { api, url, took: milliseconds } = await start(main, places);
    const by = n % 2 === 0 ? 'SIGKILL' : 'SIGTERM';
    try {
      // The first start is no restart
      if (before) took[before].push(milliseconds);
      if (last) {
        const again = await send(url, last.id, last.body);
        holds(again === last.answer, () => `restart ${n}: a command was answered ${last?.answer}, and is answered ${again}`);
      }
      let ending = false;
      const working = Array.from({ length: senders }, async () => {
        while (!ending) {
          const id = randomUUID();
          const body = JSON.stringify({ name: `Client ${commands}`, zone: 'Europe/Paris', language: 'fr' });
          const answer = await send(url, id, body);
          last = { id, body, answer };
          commands++;
        }
      });
      const worked = Promise.allSettled(working);
      await delay(500 + random(1_500));
      if (by === 'SIGTERM') {
        ending = true;
        for (const { status, ...how } of await worked) holds(status === 'fulfilled', () => String((how as PromiseRejectedResult).reason));
      }
      api.kill(by);
      const how = await ended(api);
      // Those whose answer was cut off have ended too
      ending = true;
      await worked;
      holds(how === (by === 'SIGTERM' ? 0 : by), () => `restart ${n}: it ended by ${how} on ${by}`);
      before = by;
    } finally {
      api.kill('SIGKILL');
    }
  }
  const all = Object.values(took).flat();
  holds(
    Math.max(...all) <= within,
    () => `ready after ${all.map((one) => (one / 1000).toFixed(1)).join(', ')} s, not within ${within / 1000} s`,
  );
  const times = Object.entries(took).flatMap(([by, of]) => (of.length === 0 ? [] : [`${of.length} after ${by} in ${spread(of)}`]));
  return `${restarts} restarts with ${events + commands} events and more: ready ${times.join(', ')}; ${commands} commands acknowledged, the last before each restart answered the same after it`;
};

/** R16: restarts of a desk with a million events, ended by SIGTERM and kill -9 in turn, under commands: ready within 5 s, and every command answered before gets the same answer. */
export const main = async (restarts: number, seed: number, inPlaces: InPlaces): Promise<string> => {
  const product = built();
  try {
    return await inPlaces((places) => restarting(join(product, 'apps/api/main.js'), places, restarts, randomOf(seed)));
  } finally {
    rmSync(product, { recursive: true });
  }
};
