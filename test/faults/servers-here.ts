import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { isOnPath } from '#test/servers/servers.js';

/** What a fault needs of the machine; a server of its own where it is killed. */
export type Needed = 'eventstored' | 'mongod' | 'own mongod' | 'strace' | 'a disk of its own';

/** How a process gets a small disk that nobody else sees, and that goes with it: its folder, its size in MiB, the command. */
export const onSmallDisk = (folder: string, size: number, command: readonly string[]): readonly string[] => [
  ...['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', 'mount -t tmpfs -o "size=$1m" tmpfs "$0" && shift && exec "$@"'],
  ...[folder, String(size), ...command],
];

const runs = (command = '', ...args: readonly string[]): boolean => spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const lack: Readonly<Record<Needed, () => string | undefined>> = {
  eventstored: () => (isOnPath('eventstored') ? undefined : '`eventstored` on PATH'),
  mongod: () => (process.env['MONGODB_URL'] || isOnPath('mongod') ? undefined : '`mongod` on PATH, or MONGODB_URL'),
  'own mongod': () => (isOnPath('mongod') ? undefined : '`mongod` on PATH'),
  strace: () => (runs('strace', '-qq', '-o', '/dev/null', 'true') ? undefined : '`strace` on PATH, allowed to trace'),
  'a disk of its own': () =>
    runs(...onSmallDisk(tmpdir(), 1, ['true'])) ? undefined : '`unshare` on PATH, allowed to mount a tmpfs in a namespace of its own',
};

/** What is not here of what is needed, in words that say what to do. */
export const lacking = (needs: readonly Needed[]): readonly string[] => needs.flatMap((needed) => lack[needed]() ?? []);
