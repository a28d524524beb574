import { type SqliteFile } from '#platform/sqlite/door.js';
import { none } from '../port.js';

/** Where a stream ends; of one without events the key is missing. */
export interface Head {
  readonly key?: number;
  readonly revision: bigint;
}

/**
 * Where streams end, remembered for as long as no other connection commits: SQLite tells that far faster than it finds
 * a stream. Most looks at a stream find nothing new, and most appends come from where the last one was seen.
 */
export class Heads {
  private readonly known = new Map<string, Head>();
  private version: bigint | undefined;

  /** @param most how many streams are remembered */
  constructor(
    private readonly file: SqliteFile,
    private readonly most = 20_000,
  ) {}

  /** What the file says at this moment. */
  of(stream: string): Head {
    this.refresh();
    return this.at(stream);
  }

  /** Forgets what another connection may have changed. */
  refresh(): void {
    const version = this.file.dataVersion();
    if (version === this.version) return;
    this.known.clear();
    this.version = version;
  }

  /** As it was when last refreshed: within a write transaction nobody else can change it. */
  at(stream: string): Head {
    const known = this.known.get(stream);
    if (known) return known;
    // Committed later than the version was asked for, it is forgotten at the next look: never too old
    const row = this.file.row('SELECT key, (SELECT max(revision) FROM events WHERE stream = key) FROM streams WHERE name = ?', stream);
    const head = row ? { key: row[0] as number, revision: BigInt(row[1] ?? none) } : { revision: none };
    this.set(stream, head);
    return head;
  }

  /** What this connection has committed. */
  set(stream: string, head: Head): void {
    if (this.known.size >= this.most) this.known.clear();
    this.known.set(stream, head);
  }
}
