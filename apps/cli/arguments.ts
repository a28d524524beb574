/** What the operator asked cannot be done as asked: told in a line, exit 2. */
export class UsageError extends Error {}

/** One subcommand: its usage line, and what it does with its arguments; resolves to the exit code. */
export interface Subcommand {
  readonly usage: string;
  readonly about: string;
  run(args: readonly string[]): Promise<number>;
}
