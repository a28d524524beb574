// What `npm run test:faults` runs: every fault at full volume, or those named (R1 R9), --short, --volume <n>, --seed <n>
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const args = ['--import', new URL('sources.mjs', import.meta.url).href, '--conditions=source', at('main.ts'), ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit', cwd: at('../..') }).status ?? 1;
