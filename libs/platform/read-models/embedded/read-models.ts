import { join } from 'node:path';
import { type SqliteFile } from '#platform/sqlite/door.js';
import { makeFolder } from '#platform/sqlite/folder.js';
import { type Layout as FileLayout, openLaid } from '#platform/sqlite/layout.js';
import { type Build, type Declaration, type ReadModel, type ReadModels } from '../port.js';
import { EmbeddedBuild } from './build.js';
import { Layout } from './layout.js';
import { type Step } from './writing.js';

export interface EmbeddedOptions {
  /** The data folder; `views.db` is made in it. */
  readonly folder: string;
  /** Called within the transaction after each step of a write, for tests to stop it there. */
  readonly failpoint?: (step: Step) => void;
}

// Each build has tables of its own beside these; `unswept` has a row while erased texts may be in the file's free space
const fileLayout: FileLayout = {
  mark: 'LDvw',
  version: 3,
  replaceable: true,
  make: (file) =>
    file.exec(`
      CREATE TABLE builds (build INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, declaration TEXT NOT NULL, log TEXT NOT NULL,
        checkpoint INTEGER NOT NULL, indexed INTEGER NOT NULL);
      CREATE TABLE serving (model TEXT PRIMARY KEY, build INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE leases (model TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
      CREATE TABLE stalled (model TEXT PRIMARY KEY, why TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE unswept (one INTEGER PRIMARY KEY);`),
};

/** Read models in one SQLite file. Any number of processes and threads may open it; each opens its own. */
export class EmbeddedReadModels implements ReadModels {
  /** Counts up when a pointer is moved through this connection. */
  private readonly moves = { count: 0 };

  private constructor(
    private readonly file: SqliteFile,
    private readonly failpoint: (step: Step) => void,
  ) {}

  /**
   * Opens `<folder>/views.db`, or begins it; one of an older layout is emptied.
   * @throws ForeignFile, FileDamaged, DiskFailed; a damaged file can be deleted, it is made again from the log
   */
  static async open({ folder, failpoint = () => {} }: EmbeddedOptions): Promise<EmbeddedReadModels> {
    await makeFolder(folder);
    const file = await openLaid(join(folder, 'views.db'), { durability: 'normal' }, fileLayout);
    // 64 MiB of pages: the upper levels of every index and the pages of a first screen
    file.exec('PRAGMA cache_size = -65536');
    return new EmbeddedReadModels(file, failpoint);
  }

  async model(declaration: Declaration): Promise<ReadModel> {
    return new EmbeddedModel(this.file, declaration, this.failpoint, this.moves);
  }

  async close(): Promise<void> {
    this.file.close();
  }
}

class EmbeddedModel implements ReadModel {
  private readonly known = new Map<number, EmbeddedBuild>();
  private pointer: { readonly seen: string; readonly build: EmbeddedBuild | undefined } | undefined;

  constructor(
    private readonly file: SqliteFile,
    readonly declaration: Declaration,
    private readonly failpoint: (step: Step) => void,
    private readonly moves: { count: number },
  ) {}

  async serving(): Promise<Build | undefined> {
    // SQLite tells of other connections' commits only
    const seen = `${this.file.dataVersion()}/${this.moves.count}`;
    if (this.pointer?.seen !== seen) {
      const row = this.file.row(
        'SELECT b.build, b.declaration, b.log FROM serving AS s JOIN builds AS b USING (build) WHERE s.model = ?',
        this.declaration.name,
      );
      const build = row && this.of(row[0] as number, row[1] as string, row[2] as string);
      this.pointer = { seen, build: build?.version === this.declaration.version ? build : undefined };
    }
    return this.pointer.build;
  }

  async builds(): Promise<readonly Build[]> {
    const rows = await this.file.patient(() =>
      this.file.rows('SELECT build, declaration, log FROM builds WHERE model = ? ORDER BY build', this.declaration.name),
    );
    return rows.map(([build, declaration, log]) => this.of(build as number, declaration as string, log as string));
  }

  async begin(logId: string): Promise<Build> {
    const declaration = JSON.stringify(this.declaration);
    const build = await this.file.transaction(() => {
      const row = this.file.row(
        'INSERT INTO builds (model, declaration, log, checkpoint, indexed) VALUES (?, ?, ?, -1, 0) RETURNING build',
        this.declaration.name,
        declaration,
        logId,
      );
      const made = row?.[0] as number;
      for (const table of new Layout(made, this.declaration).tables()) this.file.exec(table);
      return made;
    });
    return this.of(build, declaration, logId);
  }

  async serve(build: Build): Promise<void> {
    const own = await this.own(build);
    if (build.version !== this.declaration.version) throw new Error(`${build.name} is not of version ${this.declaration.version}`);
    await own.index();
    await this.file.transaction(() =>
      this.file.run(
        'INSERT INTO serving VALUES (?, ?) ON CONFLICT (model) DO UPDATE SET build = excluded.build',
        this.declaration.name,
        own.layout.build,
      ),
    );
    this.moves.count++;
  }

  async drop(build: Build): Promise<void> {
    const { layout } = await this.own(build);
    await this.file.transaction(() => {
      this.file.run('DELETE FROM serving WHERE build = ?', layout.build);
      this.file.run('DELETE FROM builds WHERE build = ?', layout.build);
      for (const drop of layout.drops()) this.file.exec(drop);
    });
    this.known.delete(layout.build);
    this.moves.count++;
  }

  async lease(holder: string, forMilliseconds: number): Promise<boolean> {
    const now = Date.now();
    return this.file.transaction(
      () =>
        this.file.run(
          `INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (model) DO UPDATE SET holder = excluded.holder, until = excluded.until
           WHERE holder = excluded.holder OR until <= ?`,
          this.declaration.name,
          holder,
          now + forMilliseconds,
          now,
        ).changes > 0,
    );
  }

  async release(holder: string): Promise<void> {
    await this.file.transaction(() => this.file.run('DELETE FROM leases WHERE model = ? AND holder = ?', this.declaration.name, holder));
  }

  async stall(why: string | null): Promise<void> {
    const { name } = this.declaration;
    await this.file.transaction(() =>
      why === null
        ? this.file.run('DELETE FROM stalled WHERE model = ?', name)
        : this.file.run('INSERT OR REPLACE INTO stalled VALUES (?, ?)', name, why),
    );
  }

  async stalled(): Promise<string | null> {
    const row = await this.file.patient(() => this.file.row('SELECT why FROM stalled WHERE model = ?', this.declaration.name));
    return (row?.[0] as string | undefined) ?? null;
  }

  private of(build: number, declaration: string, logId: string): EmbeddedBuild {
    let known = this.known.get(build);
    if (!known) {
      // Its own declaration: an older build has the columns of an older version
      known = new EmbeddedBuild(this.file, new Layout(build, JSON.parse(declaration) as Declaration), logId, this.failpoint);
      this.known.set(build, known);
    }
    return known;
  }

  /** Any handle of the build will do, also one that another connection made. */
  private async own(build: Build): Promise<EmbeddedBuild> {
    const own = (await this.builds()).find((one) => one.name === build.name);
    if (!own) throw new Error(`'${this.declaration.name}' has no build ${build.name}`);
    return own as EmbeddedBuild;
  }
}
