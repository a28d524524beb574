// What `npm run audit` runs: asks the registry for known weaknesses of what the product consists of.
// Ends with 0 when there is none that is high or critical, 1 when there is, 75 (try again) when it could not be asked.
import { spawnSync } from 'node:child_process';

const asked = ['audit', '--json', '--omit', 'dev', '--package-lock-only', '--fetch-retries', '0', '--fetch-timeout', '20000'];
const { stdout, stderr } = spawnSync('npm', asked, { encoding: 'utf8', timeout: 60_000, maxBuffer: 2 ** 26 });
const told = (() => {
  try {
    return JSON.parse(stdout);
  } catch {
    return {};
  }
})();
const found = told.metadata?.vulnerabilities;
if (!found) {
  const why = /^npm (?:warn audit|error) (.+)$/m.exec(stderr ?? '')?.[1] ?? told.message ?? 'no answer';
  console.log(`NOT AUDITED: the registry tells nothing of known weaknesses here (${why})`);
  process.exit(75);
}
for (const { name, severity, via } of Object.values(told.vulnerabilities ?? {}))
  console.log(`${severity}  ${name}: ${via.map((one) => one.title ?? `through ${one}`).join(', ')}`);
console.log(`${found.total} known weaknesses, ${found.high + found.critical} of them high or critical`);
process.exitCode = found.high + found.critical > 0 ? 1 : 0;
