// What `npm test` runs: types, lint, format, generated documents, then every quick spec. Ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-test-'));
const report = join(folder, 'report.json');
const only = process.argv.slice(2);
let [passed, failed] = [0, 0];

const run = (what, command, args, env = {}) => {
  console.log(`\n— ${what}`);
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status;
};
/** What says that it could not be tried, by exit code 75, has neither passed nor failed. */
const check = (what, command, ...args) => {
  const status = run(what, command, args);
  if (status === 0) passed++;
  else if (status !== 75) failed++;
};

if (only.length === 0) {
  check('types', 'npx', 'tsc', '-p', '.');
  check('lint', 'npx', 'eslint', '.');
  check('format', 'npx', 'prettier', '--check', '--log-level', 'warn', '.');
  check('build', 'npm', 'run', '-s', 'build');
  check('generated documents', 'npm', 'run', '-s', 'cli', '--', 'generate', '--check');
  check('known weaknesses of packages', 'npm', 'run', '-s', 'audit');
}
run('specs', 'npx', ['jest', '--json', `--outputFile=${report}`, ...only], {
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
});
try {
  const told = JSON.parse(readFileSync(report, 'utf8'));
  passed += told.numPassedTests;
  failed += told.numFailedTests + told.numRuntimeErrorTestSuites;
} catch {
  failed++;
}
rmSync(folder, { recursive: true });
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
