import { jest } from '@jest/globals';
import { type Subcommand } from '#apps/cli/arguments.js';

/** Runs a subcommand in this process, in an environment that names a desk: how it ended, and what it wrote to either output. */
export const ran = async (command: Subcommand, env: NodeJS.ProcessEnv, args: readonly string[]) => {
  const [written, complained] = [process.stdout, process.stderr].map((to) => jest.spyOn(to, 'write').mockReturnValue(true));
  const textOf = (of: typeof written): string => (of?.mock.calls ?? []).map(([text]) => String(text)).join('');
  const before = process.env;
  process.env = { ...before, ...env };
  try {
    const code = await command.run(args);
    return { code, told: textOf(written), warnings: textOf(complained) };
  } finally {
    written?.mockRestore();
    complained?.mockRestore();
    process.env = before;
  }
};
