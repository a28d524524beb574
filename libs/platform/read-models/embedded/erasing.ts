import { type SqliteFile } from '#platform/sqlite/door.js';
import { type Layout } from './layout.js';
import { wordsIn } from './rows.js';

/** Things a transaction, so that it stays short. */
const some = 100;
// How long sweeping waits for others who read, in milliseconds
const patience = 10_000;

/**
 * Takes an owner's opened texts out of some of the things that list it, documents and filed versions.
 * Within a transaction. @returns whether there were any: call again until there are none
 */
export const eraseSome = (file: SqliteFile, layout: Layout, owner: string): boolean => {
  const ids = file.rows(`SELECT id FROM ${layout.owners} WHERE owner = ? LIMIT ${some}`, owner).map(([id]) => id as string);
  for (const id of ids) {
    for (const table of layout.declaration.history ? [layout.documents, layout.versions] : [layout.documents])
      for (const [num, body, owners, words, opened] of file.rows(
        `SELECT num, body, owners, words, opened FROM ${table} WHERE id = ?`,
        id,
      )) {
        const listed = JSON.parse(owners as string) as string[];
        if (!listed.includes(owner)) continue;
        file.run(
          `UPDATE ${table} SET body = ?, owners = ?, opened = '' WHERE num = ?`,
          withoutFields(body as string, layout.declaration.opened),
          JSON.stringify(listed.filter((other) => other !== owner)),
          num as number,
        );
        if (table === layout.versions) continue;
        const plain = new Set(wordsIn(words as string));
        for (const word of wordsIn(opened as string))
          if (!plain.has(word)) file.run(`DELETE FROM ${layout.words} WHERE word = ? AND num = ?`, word, num as number);
      }
    file.run(`DELETE FROM ${layout.owners} WHERE owner = ? AND id = ?`, owner, id);
  }
  if (ids.length > 0) file.run('INSERT OR IGNORE INTO unswept VALUES (1)');
  return ids.length > 0;
};

/**
 * Leaves nothing of what was erased in the file's free space, by writing the file anew. SQLite's secure_delete would
 * cost every write and still miss what moved from page to page before it was deleted.
 */
export const sweep = async (file: SqliteFile): Promise<void> => {
  const isDue = await file.patient(() => file.row('SELECT 1 FROM unswept') !== undefined);
  if (!isDue) return;
  await file.patient(() => file.exec('VACUUM'));
  if (!(await file.checkpoint(patience)))
    throw new Error(`${file.path} is being read by another process, so what was erased is still in it: erase again`);
  await file.transaction(() => file.run('DELETE FROM unswept'));
};

const withoutFields = (body: string, fields: readonly string[]): string => {
  const row = JSON.parse(body) as Record<string, unknown>;
  for (const field of fields) if (field in row) row[field] = null;
  return JSON.stringify(row);
};
