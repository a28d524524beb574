import { Unavailable } from '#platform/unavailable.js';

/** Lets so many calls be in flight at once; the others wait in the order in which they came, and no deadline runs for them. */
export class InFlight {
  private readonly waiting: { readonly go: () => void; readonly fail: (e: Unavailable) => void }[] = [];

  constructor(private free: number) {}

  async take<T>(call: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((go, fail) => this.waiting.push({ go, fail }));
    try {
      return await call();
    } catch (e) {
      // Nobody answered for as long as one is patient: those behind were not sent, and need not wait as long again
      if (e instanceof Unavailable) for (const { fail } of this.waiting.splice(0)) fail(e);
      throw e;
    } finally {
      const next = this.waiting.shift();
      if (next) next.go();
      else this.free++;
    }
  }
}
