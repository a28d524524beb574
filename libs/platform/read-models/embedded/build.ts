import { DiskFailed, DiskFull, FileDamaged, type SqliteFile } from '#platform/sqlite/door.js';
import {
  type Build,
  type Count,
  type Document,
  type FiledVersion,
  type Page,
  type PageQuery,
  Unstorable,
  type Selection,
  type Writes,
} from '../port.js';
import { countsOf } from './counting.js';
import { Dictionary } from './dictionary.js';
import { eraseSome, sweep } from './erasing.js';
import { type Layout } from './layout.js';
import { pageOf } from './paging.js';
import { documentColumns, documentOf, emptyDocument, filedColumns, filedOf } from './rows.js';
import { Dropped, type Step, Writing } from './writing.js';

/** How many are read at once where all are read. */
const lot = 500;

/** Rows a transaction: nobody else who writes waits longer than these take. */
const rowsAtOnce = 1_000;

/** A large lot in parts, each whole for the things that it is about; the checkpoint comes with the last. */
function* partsOf({ filed, documents, parked, checkpoint }: Writes): Generator<Writes> {
  const none = { filed: [], documents: [], parked: [], checkpoint: -1n };
  let rest = { filed, documents };
  if (filed.length + documents.length > rowsAtOnce) {
    const filedOf = new Map<string, FiledVersion[]>(documents.map(({ id }) => [id, []]));
    rest = { filed: filed.filter((version) => filedOf.get(version.id)?.push(version) === undefined), documents: [] };
    let part: { readonly filed: FiledVersion[]; readonly documents: Document[] } = { filed: [], documents: [] };
    for (const document of documents) {
      part.documents.push(document);
      part.filed.push(...(filedOf.get(document.id) ?? []));
      if (part.filed.length + part.documents.length < rowsAtOnce) continue;
      yield { ...none, ...part };
      part = { filed: [], documents: [] };
    }
    yield { ...none, ...part };
  }
  yield { ...rest, parked, checkpoint };
}

const isOfTheFile = (e: unknown): boolean =>
  e instanceof DiskFull || e instanceof DiskFailed || e instanceof FileDamaged || e instanceof Dropped;

/** A build in `views.db`: tables of its own, and a row in `builds`. */
export class EmbeddedBuild implements Build {
  private readonly codes: Dictionary;
  private readonly writing: Writing;
  private indexed = false;

  constructor(
    private readonly file: SqliteFile,
    readonly layout: Layout,
    readonly logId: string,
    failpoint: (step: Step) => void,
  ) {
    this.codes = new Dictionary(file, layout.codes);
    this.writing = new Writing(file, layout, this.codes, failpoint);
  }

  get name(): string {
    return `${this.layout.declaration.name}-${this.version}-${this.layout.build}`;
  }

  get version(): number {
    return this.layout.declaration.version;
  }

  async checkpoint(): Promise<bigint> {
    const row = await this.file.patient(() =>
      this.file.row('SELECT CAST(checkpoint AS TEXT) FROM builds WHERE build = ?', this.layout.build),
    );
    return row ? BigInt(row[0] as string) : -1n;
  }

  async load(ids: readonly string[]): Promise<ReadonlyMap<string, Document>> {
    return this.file.reading(() => {
      const documents = new Map<string, Document>();
      for (const id of ids) {
        const document = this.byId(id);
        if (document) documents.set(id, document);
      }
      return documents;
    });
  }

  async write(writes: Writes, redriving = false): Promise<void> {
    try {
      for (const part of partsOf(writes)) await this.file.transaction(() => this.writing.write(part, redriving));
    } catch (e) {
      // Codes made in a transaction that was rolled back do not exist
      this.codes.forget();
      throw isOfTheFile(e) ? e : new Unstorable((e as Error).message, { cause: e });
    }
  }

  async parked(): Promise<readonly { readonly id: string; readonly why: string; readonly position: bigint }[]> {
    const rows = await this.file.patient(() =>
      this.file.rows(
        `SELECT id, parked, CAST(position AS TEXT) FROM ${this.layout.documents} WHERE parked IS NOT NULL
         UNION ALL SELECT id, why, '-1' FROM ${this.layout.waiting} ORDER BY 1`,
      ),
    );
    return rows.map(([id, why, position]) => ({ id: id as string, why: why as string, position: BigInt(position as string) }));
  }

  async page(query: PageQuery): Promise<Page> {
    await this.ready();
    return this.file.reading(() => pageOf(this.file, this.layout, this.codes, query));
  }

  async counts(selection: Selection, by: string): Promise<readonly Count[]> {
    await this.ready();
    return this.file.reading(() => countsOf(this.file, this.layout, this.codes, selection, by));
  }

  async find(idOrNumber: string): Promise<Document | undefined> {
    const { documents, declaration } = this.layout;
    return this.file.reading(() => {
      const document = this.byId(idOrNumber);
      if (document) return document;
      for (const key of declaration.lookups) {
        const row = this.file.row(`SELECT ${documentColumns(this.layout)} FROM ${documents} WHERE k_${key} = ? LIMIT 1`, idOrNumber);
        if (row) return documentOf(this.layout, this.codes, row);
      }
      return undefined;
    });
  }

  async *documents(): AsyncGenerator<Document> {
    let after = '';
    for (;;) {
      const some = await this.file.reading(() => [
        ...this.file
          .rows(`SELECT ${documentColumns(this.layout)} FROM ${this.layout.documents} WHERE id > ? ORDER BY id LIMIT ${lot}`, after)
          .map((row) => documentOf(this.layout, this.codes, row)),
        ...this.file
          .rows(`SELECT id, why FROM ${this.layout.waiting} WHERE id > ? ORDER BY id LIMIT ${lot}`, after)
          .map(([id, why]) => emptyDocument(id as string, why as string)),
      ]);
      if (some.length === 0) return;
      const sorted = some.sort((a, b) => Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))).slice(0, lot);
      yield* sorted;
      after = sorted.at(-1)?.id ?? after;
    }
  }

  async *versions(): AsyncGenerator<FiledVersion> {
    if (!this.layout.declaration.history) return;
    let id = '';
    let position = -1n;
    for (;;) {
      const some = await this.file.reading(() =>
        this.file
          .rows(
            `SELECT ${filedColumns(this.layout)} FROM ${this.layout.versions} WHERE (id, position) > (?, ?) ORDER BY id, position LIMIT ${lot}`,
            id,
            position,
          )
          .map((row) => filedOf(this.layout, this.codes, row)),
      );
      const last = some.at(-1);
      if (!last) return;
      yield* some;
      ({ id, position } = last);
    }
  }

  async erase(owner: string): Promise<void> {
    while (await this.file.transaction(() => eraseSome(this.file, this.layout, owner)));
    await sweep(this.file);
  }

  /** Makes the indexes, one transaction each; once made, writes keep them. */
  async index(): Promise<void> {
    const { file, layout } = this;
    const { build } = layout;
    const isIndexed = (): boolean => file.row('SELECT indexed FROM builds WHERE build = ?', build)?.[0] === 1;
    if (isIndexed()) {
      this.indexed = true;
      return;
    }
    for (const index of layout.indexes()) await file.transaction(() => file.exec(index));
    await file.transaction(() => {
      if (isIndexed()) return;
      for (const fill of layout.fills()) file.exec(fill);
      file.run('UPDATE builds SET indexed = 1 WHERE build = ?', build);
    });
    this.indexed = true;
  }

  /** A build that was never served may still be asked, to compare it: it is made ready then. */
  private async ready(): Promise<void> {
    if (!this.indexed) await this.index();
  }

  private byId(id: string): Document | undefined {
    const row = this.file.row(`SELECT ${documentColumns(this.layout)} FROM ${this.layout.documents} WHERE id = ?`, id);
    if (row) return documentOf(this.layout, this.codes, row);
    const waiting = this.file.row(`SELECT why FROM ${this.layout.waiting} WHERE id = ?`, id);
    return waiting && emptyDocument(id, waiting[0] as string);
  }
}
