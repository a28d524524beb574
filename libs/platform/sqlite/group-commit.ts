interface Waiting<Ask, Answer> {
  readonly ask: Ask;
  readonly weight: number;
  readonly done: (answer: Answer) => void;
  readonly failed: (e: unknown) => void;
}

/**
 * Asks that come while a commit is on its way, or in the same turn of the event loop, share the next commit:
 * one fsync for all of them, and each gets its own answer. docs/decisions/0003-group-commit.md
 */
export class GroupCommit<Ask, Answer> {
  private waiting: Waiting<Ask, Answer>[] = [];
  private running = false;
  private readonly idlers: (() => void)[] = [];

  /**
   * @param commit answers in the order of the asks, each a value or the Error of that ask alone; throws when all failed
   * @param most the summed weight of a group; an ask that is heavier goes alone
   */
  constructor(
    private readonly commit: (asks: readonly Ask[]) => Promise<readonly (Answer | Error)[]>,
    private readonly most: number,
  ) {}

  add(ask: Ask, weight: number): Promise<Answer> {
    return new Promise((done, failed) => {
      this.waiting.push({ ask, weight, done, failed });
      if (this.running) return;
      this.running = true;
      // After the turn's input and microtasks: whoever was woken together is collected together
      setImmediate(() => void this.run());
    });
  }

  /** When nothing waits any more. */
  async idle(): Promise<void> {
    if (this.running) await new Promise<void>((resolve) => this.idlers.push(resolve));
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.next();
      try {
        const answers = await this.commit(group.map(({ ask }) => ask));
        group.forEach(({ done, failed }, i) => {
          const answer = answers[i] as Answer | Error;
          if (answer instanceof Error) failed(answer);
          else done(answer);
        });
      } catch (e) {
        for (const { failed } of group) failed(e);
      }
      // Those who were just answered may have more to write: let them join the next group
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.running = false;
    for (const resolve of this.idlers.splice(0)) resolve();
  }

  private next(): Waiting<Ask, Answer>[] {
    let weight = 0;
    const over = this.waiting.findIndex((one) => (weight += one.weight) > this.most);
    if (over < 0) {
      const all = this.waiting;
      this.waiting = [];
      return all;
    }
    return this.waiting.splice(0, Math.max(over, 1));
  }
}
