// Builds the product and the benchmarks into a folder of their own, so that no other build changes under a measurement, and starts them
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = `${root}dist/bench`;
rmSync(built, { recursive: true, force: true });
mkdirSync(built, { recursive: true });
const aliases = ['platform', 'contexts', 'apps', 'test'].map((name) => [
  `#${name}/*.js`,
  `./${{ platform: 'libs/', contexts: 'libs/' }[name] ?? ''}${name}/*.js`,
]);
writeFileSync(`${built}/package.json`, JSON.stringify({ type: 'module', imports: Object.fromEntries(aliases) }));
const sources = ['apps', 'libs', 'test/bench'];
execFileSync('node_modules/.bin/swc', [...sources, '-d', built, '--quiet', '--ignore', '**/*.spec.ts,**/spec.ts,**/contract-suite.ts'], {
  cwd: root,
  stdio: 'inherit',
});
process.chdir(root);
await import(`${built}/test/bench/main.js`);
