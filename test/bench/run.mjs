// Builds the product and the benchmarks into a folder of their own, so that no other build changes under a measurement, and starts them
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = `${root}dist/bench`;
rmSync(built, { recursive: true, force: true });
mkdirSync(built, { recursive: true });
// The aliases lead into this build instead of the usual one
const { imports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
const here = Object.entries(imports).map(([alias, to]) => [alias, (to.default ?? to).replace('./dist/', './')]);
writeFileSync(`${built}/package.json`, JSON.stringify({ type: 'module', imports: Object.fromEntries(here) }));
const not = ['**/*.spec.ts', '**/spec.ts', '**/contract-suite.ts'].flatMap((pattern) => ['--ignore', pattern]);
execFileSync(
  'node_modules/.bin/swc',
  ['apps', 'libs', 'test/bench', 'test/servers/servers.ts', '-d', built, '--copy-files', '--quiet', ...not],
  {
    cwd: root,
    stdio: 'inherit',
  },
);
process.chdir(root);
await import(`${built}/test/bench/main.js`);
