/** What goes on step by step: it yields the instant (milliseconds since 1970) at which it wants to go on. */
export type Story = AsyncGenerator<number, void, void>;

/** Many stories, told one step at a time in the order of their instants. */
export class Agenda {
  private waiting: { readonly at: number; readonly story: Story }[] = [];

  /** Of two at the same instant the one added first comes first. */
  add(at: number, story: Story): void {
    const after = this.waiting.findIndex((other) => other.at > at);
    this.waiting.splice(after < 0 ? this.waiting.length : after, 0, { at, story });
  }

  /** Tells them up to an instant; what would go on after it does not. @param turn told the instant before each step */
  async run(until: number, turn: (at: number) => void): Promise<void> {
    for (let next = this.waiting.shift(); next && next.at < until; next = this.waiting.shift()) {
      turn(next.at);
      const { done, value } = await next.story.next();
      if (!done) this.add(Math.max(value, next.at), next.story);
    }
    this.waiting = [];
  }
}
