// What `npm run test:faults` runs: every fault at full volume, or those named (R1 S8), --short, --volume <n>, --seed <n>
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = (args, env = {}) =>
  spawnSync(process.execPath, args, { stdio: 'inherit', cwd: at('../..'), env: { ...process.env, ...env } }).status === 0;

const asked = process.argv.slice(2);
const named = asked.filter((word) => /^[RS]\d/.test(word));
let held = true;
if (named.length === 0 || named.some((row) => row !== 'S8'))
  held = run([
    ...['--import', new URL('sources.mjs', import.meta.url).href, '--conditions=source', at('main.ts')],
    ...asked.filter((word) => word !== 'S8'),
  ]);
if (named.length === 0 || named.includes('S8'))
  held = run([at('../run.mjs'), 'test/security/fuzz.spec.ts'], { LEDGERDESK_FUZZ: '10000' }) && held;
process.exitCode = held ? 0 : 1;
