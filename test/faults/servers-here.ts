import { isOnPath } from '#test/servers/servers.js';

/** A server that a fault needs; its own where it is killed. */
export type Server = 'eventstored' | 'mongod' | 'own mongod';

const lack: Readonly<Record<Server, () => string | undefined>> = {
  eventstored: () => (isOnPath('eventstored') ? undefined : '`eventstored` on PATH'),
  mongod: () => (process.env['MONGODB_URL'] || isOnPath('mongod') ? undefined : '`mongod` on PATH, or MONGODB_URL'),
  'own mongod': () => (isOnPath('mongod') ? undefined : '`mongod` on PATH'),
};

/** What is not here of what is needed, in words that say what to do. */
export const lacking = (needs: readonly Server[]): readonly string[] => needs.flatMap((server) => lack[server]() ?? []);
