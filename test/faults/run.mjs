// What `npm run test:faults` runs: every fault at full volume, or those named (R1 S8), --short, --volume <n>, --seed <n>
// S5 and S8 are specs that the quick suite runs with less
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const run = (args, env = {}) =>
  spawnSync(process.execPath, args, { stdio: 'inherit', cwd: at('../..'), env: { ...process.env, ...env } }).status === 0;

const asked = process.argv.slice(2);
const named = asked.filter((word) => /^[RS]\d/.test(word));
let held = true;
const specs = {
  S5: [[at('../run.mjs'), 'test/security/limits.spec.ts', 'test/security/slow-sockets.spec.ts'], { LEDGERDESK_SOCKETS: '10000' }],
  S8: [[at('../run.mjs'), 'test/security/fuzz.spec.ts'], { LEDGERDESK_FUZZ: '10000' }],
};
if (named.length === 0 || named.some((row) => !(row in specs)))
  held = run([
    ...['--import', new URL('sources.mjs', import.meta.url).href, '--conditions=source', at('main.ts')],
    ...asked.filter((word) => !(word in specs)),
  ]);
for (const [row, [args, env]] of Object.entries(specs)) if (named.length === 0 || named.includes(row)) held = run(args, env) && held;
process.exitCode = held ? 0 : 1;
