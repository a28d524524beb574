// How often another process's commits are looked for, in milliseconds
const glance = 10;

/** Wakes those who wait for news of the log: one timer and one look at the file for all of them. */
export class Watch {
  private told = 0;
  private readonly sleepers = new Set<() => void>();
  private timer: NodeJS.Timeout | undefined;

  /** @param changed whether another connection has committed since it was last asked; its failure counts as news */
  constructor(private readonly changed: () => boolean) {}

  /** How often there was news so far. Read it before the look at the log that may come too early. */
  get count(): number {
    return this.told;
  }

  /** There is news. */
  tell(): void {
    this.told++;
    for (const wake of [...this.sleepers]) wake();
  }

  /** Resolves when there was more news than `count`, or the signal aborted. */
  async beyond(count: number, signal: AbortSignal): Promise<void> {
    if (this.told > count || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.sleepers.delete(wake);
        signal.removeEventListener('abort', wake);
        if (this.sleepers.size === 0) {
          clearInterval(this.timer);
          this.timer = undefined;
        }
        resolve();
      };
      this.sleepers.add(wake);
      signal.addEventListener('abort', wake);
      this.timer ??= setInterval(() => this.look(), glance);
    });
  }

  private look(): void {
    try {
      if (!this.changed()) return;
    } catch {
      // Whoever reads next meets the failure itself, and waits out a lock
    }
    this.tell();
  }
}
