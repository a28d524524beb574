import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What the desk answered, as JSON. */
export type Told = Readonly<Record<string, unknown>>;

export interface Followed {
  /** All that was printed. */
  readonly told: string;
  readonly answers: readonly Told[];
}

/** Does everything that a page says to run under a mark, in one shell, as one would type it. */
export const follow = (page: string, mark: string, env: NodeJS.ProcessEnv): Followed => {
  const blocks = [...readFileSync(page, 'utf8').matchAll(new RegExp(`<!-- ${mark} -->\\s+\`\`\`sh\\n([^]*?)\`\`\``, 'g'))];
  const commands = blocks.map(([, block]) => block as string).join('\n');
  const told = execFileSync('bash', ['-euo', 'pipefail', '-c', commands], { env, encoding: 'utf8', maxBuffer: 2 ** 26 });
  return { told, answers: told.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Told] : [])) };
};

/** The rule, or the kind, of each problem among the answers. */
export const refusals = (answers: readonly Told[]): readonly unknown[] =>
  answers.flatMap((answer) => ('traceId' in answer ? [answer['code']] : []));
