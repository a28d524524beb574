/** Bytes under a name, never overwritten; what is destroyed leaves a tombstone. Two instances: keys, and content. */
export interface Vault {
  /**
   * Stores the bytes unless the name is taken; durable when it resolves.
   * `held`: the name was taken and keeps its bytes. `destroyed`: the name has a tombstone and stays empty for ever.
   */
  put(name: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<'stored' | 'held' | 'destroyed'>;
  /** @returns the bytes, `destroyed` for a tombstone, undefined for a name never used. */
  get(name: string): Promise<Uint8Array | 'destroyed' | undefined>;
  /** As `get`, piece by piece. */
  stream(name: string): Promise<AsyncIterable<Uint8Array> | 'destroyed' | undefined>;
  /** Removes the bytes beyond recovery and leaves a tombstone, also for a name never used. Again: nothing happens. */
  destroy(name: string): Promise<void>;
  /** Every name ever used, in order, with whether it was destroyed. */
  names(): AsyncIterable<{ readonly name: string; readonly destroyed: boolean }>;
  close(): Promise<void>;
}
