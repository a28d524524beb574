import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync, closeSync, readFileSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { EmbeddedLog } from '#platform/event-store/embedded/log.js';
import { positionOf } from '#platform/http/positions.js';
import { randomOf } from '#platform/processors/spec.js';
import { holds, inFolder } from './children.js';
import { readWhole } from './comparing.js';

// So many commands a round, and among so many fsyncs the one that fails
const commands = 250;
const fsyncs = 60;
const files = ['log.db', 'log.db-wal', 'keys.db', 'keys.db-wal'] as const;
const firstPage = 4096;

/** Runs the desk with the nth fsync of its log and keys failing, once or ever after. @returns its lines, and what the disk was asked */
const runDesk = async (folder: string, nth: number, ever: boolean) => {
  const trace = join(folder, '..', 'trace');
  const strace = [
    ...['-f', '--seccomp-bpf', '-y', '-qq', '-e', 'signal=none', '-o', trace, '-e', 'trace=pwrite64,fsync,fdatasync'],
    ...files.flatMap((file) => ['-P', join(folder, file)]),
    ...['-e', `inject=fsync,fdatasync:error=EIO:when=${nth}${ever ? '+' : ''}`],
  ];
  const module = fileURLToPath(new URL('./refused-desk.ts', import.meta.url));
  const desk = spawn('strace', [...strace, process.execPath, ...process.execArgv, module, folder, String(commands)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [told] = await Promise.all([text(desk.stdout), once(desk, 'exit')]);
  return { lines: told.split('\n').slice(0, -1), trace: readFileSync(trace, 'utf8').split('\n') };
};

/** What was written and never synced, file by file, as ranges. */
const unsynced = (trace: readonly string[]): ReadonlyMap<string, (readonly [from: number, to: number])[]> => {
  const ranges = new Map<string, (readonly [number, number])[]>();
  for (const line of trace) {
    const [, call, path = ''] = /^\d+ +(\w+)\(\d+<([^>]*)>/.exec(line) ?? [];
    if (call === 'pwrite64') {
      const [, size, from] = /, (\d+), (\d+)\) += /.exec(line) ?? [];
      ranges.set(path, [...(ranges.get(path) ?? []), [Number(from), Number(from) + Number(size)]]);
    } else if (call !== undefined && / = 0$/.test(line)) ranges.set(path, []);
  }
  return ranges;
};

/** As if power went: of what was never synced nothing reached the disk. Of the write-ahead log the end is lost, of the files what was written is noise. */
const losePower = (folder: string, trace: readonly string[]): void => {
  for (const [path, ranges] of unsynced(trace)) {
    if (!path.startsWith(folder) || !existsSync(path) || ranges.length === 0) continue;
    if (path.endsWith('-wal')) {
      truncateSync(path, Math.min(statSync(path).size, ...ranges.map(([from]) => from)));
      continue;
    }
    const file = openSync(path, 'r+');
    for (const [from, to] of ranges) if (from >= firstPage) writeSync(file, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
    closeSync(file);
  }
};

/** R4, EIO: an fsync fails under a desk that is asked over HTTP, then power goes. Nothing acknowledged is lost, and until the restart what was refused is refused. */
export const main = (failures: number, seed: number): Promise<string> =>
  inFolder(async (place) => {
    const folder = join(place, 'desk');
    const random = randomOf(seed);
    const acknowledged: string[] = [];
    const seen = { 'at the start': 0, 'of the log': 0, 'of the keys': 0 };
    let unseen = 0;
    const prove = async (): Promise<number> => {
      const log = await EmbeddedLog.open({ folder });
      const { events, commands: recorded } = await readWhole(log);
      const there = new Map([...recorded.values()].map(({ stream, revision, position }) => [`${stream}@${revision}`, position]));
      for (const line of acknowledged) {
        const [, stream, revision, position = ''] = line.split(' ');
        const at = there.get(`${stream}@${revision}`);
        holds(at === positionOf(position, log.logId), () => `acknowledged ${stream}@${revision} is at ${at ?? 'no position'}`);
      }
      await log.close();
      return events;
    };
    for (let round = 0; ;) {
      const { lines, trace } = await runDesk(folder, 1 + random(fsyncs), random(2) === 0);
      const wrong = lines.find((line) => line.startsWith('wrong'));
      holds(wrong === undefined, () => `round ${round}: ${wrong}`);
      acknowledged.push(...lines.filter((line) => line.startsWith('ack ')));
      const [last = ''] = lines.slice(-1);
      holds(/^(not-started|refused) /.test(last), () => `round ${round}: the desk ended with '${last}'`);
      holds(trace.some((line) => line.includes('(INJECTED)')) || last === 'refused ', () => `round ${round}: ${last}, and no fsync failed`);
      losePower(folder, trace);
      if (last.startsWith('not-started')) seen['at the start']++;
      else if (last.includes('AddNote') || last.includes('Request') || last.includes('Register')) seen['of the log']++;
      else if (last.includes('AddContact')) seen['of the keys']++;
      else {
        unseen++;
        continue;
      }
      if (++round === failures) break;
      if (round % 10 === 0) await prove();
    }
    const events = await prove();
    const where = Object.entries(seen).map(([what, times]) => `${times} ${what}`);
    return (
      `${failures} failed fsyncs (${where.join(', ')}; ${unseen} more rounds saw none), each followed by a power loss: ${acknowledged.length} commands acknowledged, all there; ` +
      `nothing that was refused was taken before the restart; ${events} events, every chain holds`
    );
  });
