import { type Cell, type Cells, type SqliteFile } from '#platform/sqlite/door.js';
import { type Document, type FiledVersion, type Parked, type Writes } from '../port.js';
import { cellOf } from '../cells.js';
import { codesIn, type Dictionary, empty } from './dictionary.js';
import { type Layout } from './layout.js';
import { keyCells, millisecondsOf, wordsIn, wordText } from './rows.js';

export type Step = 'filed' | 'documents' | 'parked' | 'checkpoint';

export class Dropped extends Error {}

const marks = (count: number): string => Array<string>(count).fill('?').join(', ');

/** Writes one build. Every method is called within a transaction. */
export class Writing {
  private readonly insertDocument: string;
  private readonly insertVersion: string;
  private readonly readOld: string;
  private readonly updates = new Map<string, string>();
  /** Per column of `readOld` after the first three: its name. */
  private readonly compared: readonly string[];

  constructor(
    private readonly file: SqliteFile,
    private readonly layout: Layout,
    private readonly codes: Dictionary,
    private readonly failpoint: (step: Step) => void,
  ) {
    const keys = layout.columns.map((c) => c.name);
    this.compared = [...keys, 'words', 'opened', 'owners'];
    const document = ['id', 'position', 'occ', 'rec', ...this.compared, 'body', 'state'];
    this.insertDocument = `INSERT INTO ${layout.documents} (${document.join(', ')}) VALUES (${marks(document.length)}) RETURNING num`;
    const version = ['id', 'position', 'occ', 'occ_to', 'rec', 'rec_to', 'occ_cell', 'rec_cell', ...this.compared, 'body'];
    this.insertVersion = `INSERT INTO ${layout.versions} (${version.join(', ')}) VALUES (${marks(version.length)}) ON CONFLICT DO NOTHING`;
    this.readOld = `SELECT num, CAST(position AS TEXT), parked, ${this.compared.join(', ')} FROM ${layout.documents} WHERE id = ?`;
  }

  write({ filed, documents, parked, checkpoint }: Writes, redriving: boolean): void {
    const { file, layout } = this;
    const build = file.row('SELECT indexed FROM builds WHERE build = ?', layout.build);
    if (!build) throw new Dropped(`build ${layout.build} of '${layout.declaration.name}' was dropped`);
    const owned = new Set<string>();
    const ahead = this.fileAll(filed, owned);
    this.failpoint('filed');
    const waiting = new Set(file.rows(`SELECT id FROM ${layout.waiting}`).map(([id]) => id));
    const written = new Map<string, bigint>();
    for (const document of documents)
      if ((redriving || !waiting.has(document.id)) && this.document(document, build[0] === 1, owned, redriving))
        written.set(document.id, document.position);
    if (layout.declaration.history) this.markOvertaken(ahead, written);
    this.failpoint('documents');
    for (const one of parked) this.park(one);
    this.failpoint('parked');
    file.run('UPDATE builds SET checkpoint = max(checkpoint, ?) WHERE build = ?', checkpoint, layout.build);
    this.failpoint('checkpoint');
  }

  /** @returns the last position filed of each id */
  private fileAll(filed: readonly FiledVersion[], owned: Set<string>): Map<string, bigint> {
    const ahead = new Map<string, bigint>();
    if (filed.length > 0 && !this.layout.declaration.history) throw new Error(`'${this.layout.declaration.name}' keeps no history`);
    for (const version of filed) {
      const occ = millisecondsOf(version.occurred);
      const occTo = millisecondsOf(version.occurredTo);
      const rec = millisecondsOf(version.recorded);
      const recTo = millisecondsOf(version.recordedTo);
      this.file.run(
        this.insertVersion,
        version.id,
        version.position,
        occ,
        occTo,
        rec,
        recTo,
        cellOf(occ, occTo),
        cellOf(rec, recTo),
        ...this.compareCells(version),
        version.body,
      );
      if (version.position > (ahead.get(version.id) ?? -1n)) ahead.set(version.id, version.position);
      this.own(version.owners, version.id, owned);
    }
    return ahead;
  }

  private compareCells(version: Document | FiledVersion): Cell[] {
    const cells = keyCells(this.layout, this.codes, version.keys);
    cells.push(wordText(version.words), wordText(version.openedWords), JSON.stringify(version.owners));
    return cells;
  }

  /** @returns whether it was taken */
  private document(document: Document, indexed: boolean, owned: Set<string>, redriving: boolean): boolean {
    const { file } = this;
    const old = file.row(this.readOld, document.id);
    if (old && (BigInt(old[1] as string) >= document.position || (old[2] !== null && !redriving))) return false;
    const cells = this.compareCells(document);
    const occ = millisecondsOf(document.occurred);
    const rec = millisecondsOf(document.recorded);
    if (!old) {
      const num = file.row(
        this.insertDocument,
        document.id,
        document.position,
        occ,
        rec,
        ...cells,
        document.body,
        document.state,
      )?.[0] as number;
      if (indexed) {
        this.index(num, new Set(), new Set([...document.words, ...document.openedWords]));
        this.list(num, document.id, cells);
      }
    } else {
      const changed = this.compared.map((_, i) => i).filter((i) => old[i + 3] !== cells[i]);
      // Only what changed is set: SQLite rewrites every index that has a column in SET
      const names = changed.map((i) => `${this.compared[i] as string} = ?, `).join('');
      file.run(
        this.updateOf(names),
        ...changed.map((i) => cells[i] as Cell),
        document.position,
        occ,
        rec,
        document.body,
        document.state,
        old[0] as number,
      );
      if (indexed && changed.length > 0) this.reindex(old, document, cells, changed);
    }
    this.own(document.owners, document.id, owned);
    if (redriving) this.unpark(document.id);
    return true;
  }

  private updateOf(names: string): string {
    let update = this.updates.get(names);
    if (update === undefined)
      this.updates.set(
        names,
        (update = `UPDATE ${this.layout.documents} SET ${names}position = ?, occ = ?, rec = ?, body = ?, state = ? WHERE num = ?`),
      );
    return update;
  }

  private reindex(old: Cells, document: Document, cells: readonly Cell[], changed: readonly number[]): void {
    const names = new Set(changed.map((i) => this.compared[i] as string));
    if (names.has('words') || names.has('opened')) {
      const at = this.layout.columns.length + 3;
      this.index(
        old[0] as number,
        new Set([...wordsIn(old[at] as string), ...wordsIn(old[at + 1] as string)]),
        new Set([...document.words, ...document.openedWords]),
      );
    }
    const { listFilters, sorted } = this.layout;
    if (listFilters.some((key) => names.has(`c_${key}`)) || sorted.some((name) => names.has(name)))
      this.list(old[0] as number, document.id, cells, true);
  }

  private index(num: number, was: ReadonlySet<string>, is: ReadonlySet<string>): void {
    const { words } = this.layout;
    for (const word of was) if (!is.has(word)) this.file.run(`DELETE FROM ${words} WHERE word = ? AND num = ?`, word, num);
    for (const word of is) if (!was.has(word)) this.file.run(`INSERT OR IGNORE INTO ${words} VALUES (?, ?)`, word, num);
  }

  private list(num: number, id: string, cells: readonly Cell[], again = false): void {
    const { layout, file } = this;
    const order = layout.sorted.map((name) => cells[this.compared.indexOf(name)] as Cell);
    for (const key of layout.listFilters) {
      const codes = codesIn(cells[this.compared.indexOf(`c_${key}`)] as string);
      if (again) file.run(`DELETE FROM ${layout.list(key)} WHERE num = ?`, num);
      for (const code of codes.length > 0 ? codes : [empty])
        file.run(`INSERT INTO ${layout.list(key)} VALUES (?, ?, ${marks(order.length)}, ?)`, num, code, ...order, id);
    }
  }

  /** Once a batch for each pair: an owner's documents and versions are found by their id. */
  private own(owners: readonly string[], id: string, owned: Set<string>): void {
    for (const owner of owners) {
      const pair = `${owner}\n${id}`;
      if (owned.has(pair)) continue;
      owned.add(pair);
      this.file.run(`INSERT OR IGNORE INTO ${this.layout.owners} VALUES (?, ?)`, owner, id);
    }
  }

  /** Keeps the list of ids whose filed versions have reached or passed their document; it is empty but after a crash. */
  private markOvertaken(ahead: ReadonlyMap<string, bigint>, written: ReadonlyMap<string, bigint>): void {
    const { file, layout } = this;
    const some = file.row(`SELECT 1 FROM ${layout.overtaken} LIMIT 1`) !== undefined;
    const suspects = new Set<string>(some ? written.keys() : []);
    for (const [id, position] of ahead) if ((written.get(id) ?? -1n) <= position) suspects.add(id);
    for (const id of suspects) {
      file.run(`DELETE FROM ${layout.overtaken} WHERE id = ?`, id);
      file.run(
        `INSERT INTO ${layout.overtaken} SELECT ?1 WHERE (SELECT max(position) FROM ${layout.versions} WHERE id = ?1)
         >= coalesce((SELECT position FROM ${layout.documents} WHERE id = ?1), -1)`,
        id,
      );
    }
  }

  private park({ id, why, passed }: Parked): void {
    const { file, layout } = this;
    const { documents, waiting } = layout;
    if (file.row(`SELECT 1 FROM ${documents} WHERE id = ?`, id))
      file.run(
        `UPDATE ${documents} SET parked = ?2, passed = max(coalesce(passed, -1), ?3) WHERE id = ?1 AND position < ?3`,
        ...[id, why, passed],
      );
    else
      file.run(
        `INSERT INTO ${waiting} VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET why = excluded.why, passed = max(passed, excluded.passed)`,
        ...[id, why, passed],
      );
  }

  /** Of a document that was brought further: the mark goes where nothing is left that was passed over. */
  private unpark(id: string): void {
    const { file, layout } = this;
    const { documents, waiting } = layout;
    file.run(`UPDATE ${documents} SET parked = w.why, passed = w.passed FROM ${waiting} AS w WHERE w.id = ?1 AND ${documents}.id = ?1`, id);
    file.run(`DELETE FROM ${waiting} WHERE id = ?`, id);
    file.run(`UPDATE ${documents} SET parked = NULL, passed = NULL WHERE id = ? AND passed <= position`, id);
  }
}
