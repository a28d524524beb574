import {
  type Count,
  type Declaration,
  type Document,
  type FiledVersion,
  type KeyValue,
  type PageQuery,
  type Selection,
  type Version,
  type Writes,
} from './port.js';

/** A version as a query finds it: filed, or the document. */
interface Held {
  readonly version: Version;
  readonly parked: boolean;
}

type Value = string | number | null;

/**
 * What the port means, in memory and read through from end to end: the contract suite holds every adapter against it.
 * Short rather than fast; nothing but tests uses it.
 */
export class Reference {
  readonly stored = new Map<string, Document>();
  private readonly filed = new Map<string, FiledVersion>();
  private readonly passed = new Map<string, bigint>();
  checkpoint = -1n;

  constructor(private readonly declaration: Declaration) {}

  write({ filed, documents, parked, checkpoint }: Writes, redriving = false): void {
    for (const version of filed) {
      const at = `${version.id}@${version.position}`;
      if (!this.filed.has(at)) this.filed.set(at, version);
    }
    for (const document of documents) {
      const was = this.stored.get(document.id);
      if (was && (was.position >= document.position || (was.parked !== null && !redriving))) continue;
      const isReached = (this.passed.get(document.id) ?? -1n) <= document.position;
      this.stored.set(document.id, { ...document, parked: isReached ? null : (was?.parked ?? null) });
    }
    for (const { id, why, passed } of parked) {
      const was = this.stored.get(id) ?? emptyOf(id);
      if (was.position >= passed) continue;
      this.stored.set(id, { ...was, parked: why });
      if (passed > (this.passed.get(id) ?? -1n)) this.passed.set(id, passed);
    }
    if (checkpoint > this.checkpoint) this.checkpoint = checkpoint;
  }

  erase(owner: string): void {
    const without = <V extends Version>(version: V): V => {
      if (!version.owners.includes(owner)) return version;
      const row = JSON.parse(version.body) as Record<string, unknown>;
      for (const field of this.declaration.opened) if (field in row) row[field] = null;
      return { ...version, body: JSON.stringify(row), openedWords: [], owners: version.owners.filter((other) => other !== owner) };
    };
    for (const [id, document] of this.stored) this.stored.set(id, without(document));
    for (const [at, version] of this.filed) this.filed.set(at, without(version));
  }

  documents(): Document[] {
    return [...this.stored.values()].sort((a, b) => compare(a.id, b.id));
  }

  versions(): FiledVersion[] {
    return [...this.filed.values()].sort((a, b) => compare(a.id, b.id) || Number(a.position - b.position));
  }

  /** Every body that a query finds, in its order, with the ids of those parked. */
  page({ order, descending, ...selection }: PageQuery): { readonly bodies: string[]; readonly parked: string[] } {
    const keys = this.declaration.orders[order] ?? [];
    const sign = descending ? -1 : 1;
    const found = this.select(selection).sort(({ version: a }, { version: b }) => {
      for (const key of keys) {
        const [x, y] = [valueOf(a, key), valueOf(b, key)];
        // Null comes last in both directions
        const by = x === null || y === null ? compare(x, y) : sign * compare(x, y);
        if (by !== 0) return by;
      }
      return sign * compare(a.id, b.id);
    });
    return { bodies: found.map(({ version }) => version.body), parked: found.filter((one) => one.parked).map(({ version }) => version.id) };
  }

  counts(selection: Selection, by: string): Count[] {
    const counts = new Map<Value, number>();
    for (const { version } of this.select(selection))
      for (const key of elementsOf(version, by)) counts.set(key, (counts.get(key) ?? 0) + 1);
    return [...counts].map(([key, count]) => ({ key, count })).sort((a, b) => b.count - a.count || compare(a.key, b.key));
  }

  private select({ any, range, words, at, now }: Selection): Held[] {
    return this.holding(at).filter(
      ({ version }) =>
        (!at || !now || elementsOf(this.stored.get(version.id) ?? version, now.key).includes(now.value)) &&
        Object.entries(any).every(([key, values]) => elementsOf(version, key).some((value) => values.includes(value))) &&
        Object.entries(range).every(([key, { from, to }]) => this.within(version, key, from, to)) &&
        words.every((word, i) =>
          [...version.words, ...version.openedWords].some((one) => (i === words.length - 1 ? one.startsWith(word) : one === word)),
        ),
    );
  }

  private within(version: Version, key: string, from: string | undefined, to: string | undefined): boolean {
    const value = valueOf(version, key);
    if (from === undefined && to === undefined) return true;
    if (value === null) return false;
    const bound = (text: string): Value => (this.declaration.keys[key] === 'integer' ? Number(text) : text);
    return (from === undefined || compare(value, bound(from)) >= 0) && (to === undefined || compare(value, bound(to)) < 0);
  }

  /** What is in force; of what a crash left both filed and as the document, the filed one. */
  private holding(at: Selection['at']): Held[] {
    const documents = [...this.stored.values()].filter(({ position }) => position >= 0n);
    const asHeld = (document: Document): Held => ({ version: document, parked: document.parked !== null });
    if (!at) return documents.map(asHeld);
    const clocks = [
      ...(at.occurred === undefined ? [] : [{ begin: 'occurred', end: 'occurredTo', instant: at.occurred } as const]),
      ...(at.recorded === undefined ? [] : [{ begin: 'recorded', end: 'recordedTo', instant: at.recorded } as const]),
    ];
    const begun = (version: Version): boolean => clocks.every(({ begin, instant }) => version[begin] <= instant);
    const filed = [...this.filed.values()].filter((version) => begun(version) && clocks.some(({ end, instant }) => version[end] > instant));
    const ids = new Set(filed.map(({ id }) => id));
    return [
      ...filed.map((version) => ({ version, parked: false })),
      ...documents.filter((document) => begun(document) && !ids.has(document.id)).map(asHeld),
    ];
  }
}

const emptyOf = (id: string): Document => ({
  ...{ id, position: -1n, occurred: '', recorded: '', body: '', keys: {}, words: [], openedWords: [], owners: [], state: '' },
  parked: null,
});

const valueOf = (version: Version, key: string): Value => version.keys[key] as Value;

/** The values by which a key matches: an empty list, as any empty key, by null. */
const elementsOf = (version: Version, key: string): readonly Value[] => {
  const value: KeyValue = version.keys[key] ?? null;
  if (!Array.isArray(value)) return [value as Value];
  return value.length === 0 ? [null] : [...new Set(value as readonly string[])];
};

/** Numbers by size, texts by their bytes in UTF-8, null last. */
const compare = (a: Value, b: Value): number => {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return typeof a === 'number' && typeof b === 'number' ? a - b : Buffer.compare(Buffer.from(String(a)), Buffer.from(String(b)));
};
