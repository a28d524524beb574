import { createHash } from 'node:crypto';

/** Chance that can be repeated: the same name gives the same choices on every machine. */
export class Chance {
  private state: number;

  constructor(name: string) {
    this.state = createHash('sha256').update(name).digest().readUInt32LE(0);
  }

  /** mulberry32: 32 bits of state suffice here, since nobody attacks a demonstration. */
  private unit(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Whether something happens that does so with this probability, 0 to 1. */
  of(probability: number): boolean {
    return this.unit() < probability;
  }

  /** A whole number, from and to included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.unit() * (to - from + 1));
  }

  /** One of them, each as likely. @throws Error when there is none */
  pick<T>(from: readonly T[]): T {
    return this.weighted(from, () => 1);
  }

  /** One of them, likelier the more it weighs. @throws Error when there is none */
  weighted<T>(from: readonly T[], weight: (one: T) => number): T {
    let left = this.unit() * from.reduce((sum, one) => sum + weight(one), 0);
    for (const one of from) if ((left -= weight(one)) < 0) return one;
    throw new Error('there is nothing to choose from');
  }
}
