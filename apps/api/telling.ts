/** Tells on the service's own output what hinders it: once when it was there at two looks in a row, so that nothing fleeting is told, and once when it is over. */
export class Telling {
  private last: readonly string[] = [];
  private readonly told = new Set<string>();
  private looking: Promise<void> | undefined;

  constructor(
    private readonly hindrances: () => Promise<readonly string[]>,
    private readonly say: (line: string) => void = console.warn,
  ) {}

  /** Whoever comes while it is asked waits for the same answer. */
  look(): Promise<void> {
    return (this.looking ??= this.tell().finally(() => (this.looking = undefined)));
  }

  private async tell(): Promise<void> {
    const now = await this.hindrances();
    for (const what of now)
      if (this.last.includes(what) && !this.told.has(what)) {
        this.told.add(what);
        this.say(`Ledgerdesk is not ready: ${what}`);
      }
    for (const what of this.told)
      if (!now.includes(what)) {
        this.told.delete(what);
        this.say(`Over: ${what}`);
      }
    this.last = now;
  }
}
