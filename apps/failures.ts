import { SettingWrong } from '#platform/addresses.js';
import { LogsDiffer } from '#platform/event-store/copying.js';
import { LogDamaged, LogFull, LogMovedOn, LogReadOnly } from '#platform/event-store/port.js';
import { TokenKeyUnreadable } from '#platform/http/embedded/tokens.js';
import { DiskFailed, DiskFull, FileDamaged } from '#platform/sqlite/door.js';
import { ForeignFile } from '#platform/sqlite/layout.js';
import { Unavailable } from '#platform/unavailable.js';
import { VaultsDiffer } from '#platform/vault/copying.js';
import { KeyMissing } from '#platform/vault/sealing.js';
import { DeskIncomplete } from './desk.js';

const complete = [
  LogDamaged,
  LogFull,
  LogReadOnly,
  DiskFull,
  DiskFailed,
  TokenKeyUnreadable,
  KeyMissing,
  DeskIncomplete,
  SettingWrong,
  Unavailable,
  LogMovedOn,
  LogsDiffer,
  VaultsDiffer,
];

/** A failure that people meet, in a line that says what to do; undefined for one that nobody foresaw. */
export const toldOf = (e: unknown, folder: string): string | undefined => {
  const { code, message } = e as NodeJS.ErrnoException;
  if (complete.some((known) => e instanceof known)) return message;
  if (e instanceof FileDamaged || e instanceof ForeignFile)
    return message.includes('views.db')
      ? `${message}. Nothing is lost: remove it, and it is made again from the log`
      : `${message}. Nothing was changed: keep a copy of the folder, then restore the file from its backup`;
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `${folder} cannot be written: give this user the right to it, or set LEDGERDESK_DATA (${message})`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `the disk is full: free space and run it again; what was acknowledged is kept (${message})`;
    case 'EEXIST':
    case 'ENOTDIR':
      return `${folder} is not a folder: set LEDGERDESK_DATA to one`;
    case 'ENOENT':
      return message;
    default:
      return undefined;
  }
};

/** Why a port could not be listened on, and what to do; undefined for what is no failure of listening. */
export const listeningToldOf = (e: unknown, host: string, port: string): string | undefined => {
  const { code, syscall, hostname } = e as NodeJS.ErrnoException & { readonly hostname?: string };
  if (syscall !== 'listen' && !(syscall === 'getaddrinfo' && hostname === host)) return undefined;
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: stop what listens there, or set PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${host} is not an address of this machine: set HOST`;
    case 'EACCES':
      return `port ${port} may not be used by this user: set PORT above 1023`;
    default:
      return undefined;
  }
};

/** @throws Error that names PORT */
export const portIn = (port: string): number => {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error(`PORT=${port} is not a port: 0 to 65535`);
  return Number(port);
};

/** How long a process may take to end, in milliseconds: the longest wait of a read, and what a server that hangs adds. docker/compose.yaml gives more. */
export const longestEnd = 40_000;

/** Ends the process when the work, which answers what is under way, is done, or takes too long: nothing acknowledged hangs on it. */
export const endAfter = async (work: Promise<void>): Promise<never> => {
  const late = setTimeout(() => {
    console.error(`Not everything came to an end within ${longestEnd / 1000} s; what was acknowledged is kept`);
    process.exit(1);
  }, longestEnd);
  await work;
  clearTimeout(late);
  process.exit(0);
};
