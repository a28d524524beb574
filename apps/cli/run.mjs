// Starts the command line; builds it first when a source is newer than what was built
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const built = `${root}dist/apps/cli/main.js`;

const newest = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true }).reduce((latest, entry) => {
    return entry.isFile() && entry.name.endsWith('.ts')
      ? Math.max(latest, statSync(`${entry.parentPath ?? entry.path}/${entry.name}`).mtimeMs)
      : latest;
  }, 0);

const stale = () =>
  !existsSync(built) || ['apps', 'libs'].some((folder) => existsSync(root + folder) && newest(root + folder) > statSync(built).mtimeMs);

if (existsSync(`${root}node_modules/@swc/cli`) && stale())
  execFileSync('npm', ['run', '-s', 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
await import(built);
