import { Mongo, type MongoOptions } from '#platform/mongodb/door.js';
import { type Build, type Declaration, type ReadModel, type ReadModels } from '../port.js';
import { MongoBuild } from './build.js';
import { Layout } from './layout.js';
import { type BuildRow, Registry } from './registry.js';
import { type Step } from './writing.js';

export interface MongoReadModelsOptions extends MongoOptions {
  /** Called after each step of a write, for tests to stop it there. */
  readonly failpoint?: (step: Step) => void;
}

/** Read models in the database that the address names. Any number of processes may share them. */
export class MongoReadModels implements ReadModels {
  private constructor(
    private readonly mongo: Mongo,
    private readonly failpoint: (step: Step) => void,
  ) {}

  /** @throws Unavailable, or an Error that names MONGODB_URL */
  static async open({ failpoint = () => {}, ...options }: MongoReadModelsOptions): Promise<MongoReadModels> {
    return new MongoReadModels(await Mongo.open(options), failpoint);
  }

  async model(declaration: Declaration): Promise<ReadModel> {
    return new MongoModel(this.mongo, declaration, this.failpoint);
  }

  close(): Promise<void> {
    return this.mongo.close();
  }
}

class MongoModel implements ReadModel {
  private readonly known = new Map<string, MongoBuild>();
  private readonly registry: Registry;

  constructor(
    private readonly mongo: Mongo,
    readonly declaration: Declaration,
    private readonly failpoint: (step: Step) => void,
  ) {
    this.registry = new Registry(mongo);
  }

  async serving(): Promise<Build | undefined> {
    const name = await this.registry.serving(this.declaration.name);
    if (name === undefined) return undefined;
    const row = this.known.has(name) ? undefined : await this.registry.build(name);
    const build = row ? this.of(row) : this.known.get(name);
    return build?.version === this.declaration.version ? build : undefined;
  }

  async builds(): Promise<readonly Build[]> {
    return (await this.registry.builds(this.declaration.name)).map((row) => this.of(row));
  }

  async begin(logId: string): Promise<Build> {
    const { name, version } = this.declaration;
    // Refused before anything is stored
    new Layout('', this.declaration).documentIndexes();
    const made = await this.registry.begin(name, version, JSON.stringify(this.declaration), logId);
    return this.of((await this.registry.build(made)) as BuildRow);
  }

  async serve(build: Build): Promise<void> {
    const own = await this.own(build);
    if (build.version !== this.declaration.version) throw new Error(`${build.name} is not of version ${this.declaration.version}`);
    await own.index();
    await this.registry.serve(this.declaration.name, own.name);
  }

  async drop(build: Build): Promise<void> {
    const own = await this.own(build);
    await this.registry.drop(this.declaration.name, own.name);
    await own.drop();
    this.known.delete(own.name);
  }

  lease(holder: string, forMilliseconds: number): Promise<boolean> {
    return this.registry.lease(this.declaration.name, holder, forMilliseconds);
  }

  release(holder: string): Promise<void> {
    return this.registry.release(this.declaration.name, holder);
  }

  stall(why: string | null): Promise<void> {
    return this.registry.stall(this.declaration.name, why);
  }

  stalled(): Promise<string | null> {
    return this.registry.stalled(this.declaration.name);
  }

  private of({ _id, declaration, log }: BuildRow): MongoBuild {
    const name = _id.slice('build/'.length);
    let known = this.known.get(name);
    if (!known) {
      // Its own declaration: an older build has the keys of an older version
      known = new MongoBuild(this.mongo, this.registry, new Layout(name, JSON.parse(declaration) as Declaration), log, this.failpoint);
      this.known.set(name, known);
    }
    return known;
  }

  /** Any handle of the build will do, also one that another connection made. */
  private async own(build: Build): Promise<MongoBuild> {
    const row = await this.registry.build(build.name);
    if (row?.model !== this.declaration.name) throw new Error(`'${this.declaration.name}' has no build ${build.name}`);
    return this.of(row);
  }
}
