// What `npm run sbom` runs: of what the product consists, from the lock file, as CycloneDX, into dist/sbom.cdx.json or the file named.
// The same lock file gives the same bytes (by the same npm): no time and no folder is in it, and its serial number is made of what it says.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const [file = 'dist/sbom.cdx.json'] = process.argv.slice(2);
// Not `--omit dev`: npm 11 then leaves out whatever something of development needs too, jose among it
const asked = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
const {
  serialNumber: _,
  metadata,
  components,
  dependencies,
  ...more
} = JSON.parse(execFileSync('npm', asked, { encoding: 'utf8', maxBuffer: 2 ** 26 }));
const { timestamp: __, component, ...about } = metadata;
// npm calls it after the folder in which it lies
const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
const ofDevelopment = (one) => one.properties?.some((property) => property.name === 'cdx:npm:package:development');
const away = new Set(components.filter(ofDevelopment).map((one) => one['bom-ref']));
const stays = (ref) => !away.has(ref);
const told = {
  ...more,
  metadata: { ...about, component: { ...component, name } },
  components: components.filter((one) => stays(one['bom-ref'])),
  dependencies: dependencies.flatMap(({ ref, dependsOn }) => (stays(ref) ? [{ ref, dependsOn: dependsOn.filter(stays) }] : [])),
};
const digest = createHash('sha256').update(JSON.stringify(told)).digest('hex');
// A UUID of version 8 (RFC 9562): what is in it is the maker's own
const uuid = `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-a${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify({ ...told, serialNumber: `urn:uuid:${uuid}` }, null, 2)}\n`);
console.log(`${told.components.length} packages in ${file}`);
