import { type Declaration } from '../port.js';

type Index = Readonly<Record<string, 1>>;

/** The tie of an order: the id, which filed versions keep beside their own. */
export type Tie = '_id' | 'id';

/** How an order is read: whether its first key is null, then its keys. */
export interface Order {
  readonly isNull: string;
  readonly fields: readonly string[];
}

const plainWord = /^[A-Za-z][A-Za-z0-9_-]*$/;

/** Where a build's declaration lies in its collections: fields and indexes. */
export class Layout {
  constructor(
    readonly name: string,
    readonly declaration: Declaration,
  ) {
    // Dots, dollars and the names of an object's own properties mean something to the server or to JavaScript
    for (const word of [declaration.name, ...Object.keys(declaration.keys), ...Object.keys(declaration.orders)])
      if (!plainWord.test(word) || word in {}) throw new Error(`'${word}' cannot name a read model, a key or an order`);
  }

  get documents(): string {
    return `${this.name}.documents`;
  }

  get filed(): string {
    return `${this.name}.filed`;
  }

  /** @throws when the declaration does not have it */
  field(key: string): string {
    if (!Object.hasOwn(this.declaration.keys, key)) throw new Error(`'${this.declaration.name}' has no key '${key}'`);
    return `keys.${key}`;
  }

  /** @throws when the declaration does not have it */
  order(order: string): Order {
    const keys = Object.hasOwn(this.declaration.orders, order) ? this.declaration.orders[order] : undefined;
    if (!keys) throw new Error(`'${this.declaration.name}' has no order '${order}'`);
    return { isNull: `isNull.${keys[0]}`, fields: keys.map((key) => this.field(key)) };
  }

  /** The first keys of orders: that one is empty is kept beside it, for null comes last in both directions. */
  get firsts(): string[] {
    return [...new Set(Object.values(this.declaration.orders).map(([first]) => first))];
  }

  documentIndexes(): Index[] {
    const { declaration } = this;
    const usual = this.along(declaration.defaultOrder, '_id');
    return [
      ...Object.keys(declaration.orders).map((order) => this.along(order, '_id')),
      ...declaration.filters.map((key): Index => ({ [this.field(key)]: 1, ...usual })),
      ...declaration.lookups.map((key): Index => ({ [this.field(key)]: 1 })),
      { words: 1 },
      { owners: 1 },
      { parked: 1 },
    ];
  }

  filedIndexes(): Index[] {
    const usual = this.along(this.declaration.defaultOrder, 'id');
    return [{ occurredCell: 1, ...usual }, { recordedCell: 1, ...usual }, { id: 1, position: 1 }, { owners: 1 }];
  }

  private along(order: string, tie: Tie): Index {
    const { isNull, fields } = this.order(order);
    return Object.fromEntries([isNull, ...fields, tie].map((field) => [field, 1] as const));
  }
}
