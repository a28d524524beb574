import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly hasInstallScript?: boolean;
}
const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const { packages } = read<{ readonly packages: Readonly<Record<string, Locked>> }>('package-lock.json');
const locked = Object.entries(packages).filter(([path]) => path !== '');
const shipped = locked.filter(([, { dev, devOptional }]) => !dev && !devOptional);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Licences that ask for no more than their own text; what is not listed is looked at by somebody first. */
const permissive = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0'],
  ...['Apache-2.0 AND MIT', '(BSD-3-Clause AND Apache-2.0)', '(MIT OR CC0-1.0)'],
]);
/** Packages with a script that would run when they are installed, each of which works without. */
const withScript = new Set(['@photostructure/sqlite', '@scarf/scarf', '@swc/core', 'protobufjs']);

/** Runs one of our scripts. @returns its exit code and what it said */
const run = (script: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  new Promise<{ readonly code: number; readonly said: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      [`test/security/${script}.mjs`, ...args],
      { env: { ...process.env, NODE_OPTIONS: '', ...env } },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, said: stdout + stderr }),
    );
  });

describe('what the product consists of', () => {
  it('is locked: exact versions, each with the hash of what is installed', () => {
    const { dependencies, devDependencies } = read<Readonly<Record<string, Readonly<Record<string, string>>>>>('package.json');
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
      expect([name, packages[`node_modules/${name}`]?.version]).toEqual([name, version]);
    }
    expect(shipped.length).toBeGreaterThan(100);
    for (const [path, { integrity }] of locked) expect([path, integrity]).toEqual([path, expect.stringMatching(/^sha512-/)]);
  });

  it('has licences that ask for nothing', () => {
    expect(
      shipped.filter(([, { license }]) => !permissive.has(license ?? '')).map(([path, { license }]) => `${nameOf(path)}: ${license}`),
    ).toEqual([]);
  });

  it('runs no script when it is installed that it needs: `npm ci --ignore-scripts` is enough', () => {
    expect(
      shipped.filter(([path, { hasInstallScript }]) => hasInstallScript && !withScript.has(nameOf(path))).map(([path]) => path),
    ).toEqual([]);
  });

  describe('as `npm run sbom` tells it', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'ledgerdesk-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('is CycloneDX, complete, and the same again', async () => {
      const files = ['a.json', 'b.json'].map((name) => join(folder, name));
      for (const file of files)
        expect(await run('sbom', [file])).toEqual({ code: 0, said: expect.stringContaining(' packages in ') as unknown });
      const [first = '', second] = files.map((file) => readFileSync(file, 'utf8'));
      expect(second).toBe(first);
      const bom = JSON.parse(first) as {
        readonly components: readonly {
          readonly name: string;
          readonly version: string;
          readonly hashes: readonly { readonly alg: string }[];
        }[];
      };
      expect(bom).toMatchObject({
        bomFormat: 'CycloneDX',
        specVersion: expect.stringMatching(/^1\.\d$/) as unknown,
        serialNumber: expect.stringMatching(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/) as unknown,
        metadata: { component: { name: 'ledgerdesk', type: 'application' } },
      });
      const told = bom.components.map(({ name, version }) => `${name}@${version}`);
      expect(told.sort()).toEqual([...new Set(shipped.map(([path, { version }]) => `${nameOf(path)}@${version}`))].sort());
      for (const { name, hashes } of bom.components) expect([name, hashes[0]?.alg]).toEqual([name, 'SHA-512']);
    }, 60_000);
  });

  describe('as `npm run audit` asks the registry', () => {
    const advisory = (severity: string) => ({
      fastify: [
        {
          id: 1,
          url: 'https://advisories.example/1',
          title: 'A weakness',
          severity,
          vulnerable_versions: '*',
          cwe: [],
          cvss: { score: 0 },
        },
      ],
    });
    /** What a registry that answers so is understood to say. */
    const against = async (status: number, body: object) => {
      // npm keeps what it was told of a weakness
      const cache = mkdtempSync(join(tmpdir(), 'ledgerdesk-'));
      const registry = createServer((request, answer) => {
        const isAsked = request.url === '/-/npm/v1/security/advisories/bulk';
        request.resume();
        const name = decodeURIComponent(request.url ?? '').slice(1);
        const version = packages[`node_modules/${name}`]?.version ?? '';
        const published = { name, versions: { [version]: { name, version } } };
        answer.writeHead(isAsked ? status : 200, { 'content-type': 'application/json' }).end(JSON.stringify(isAsked ? body : published));
      }).listen(0, '127.0.0.1');
      await once(registry, 'listening');
      const { port } = registry.address() as AddressInfo;
      try {
        return await run('audit', [], { npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_cache: cache });
      } finally {
        rmSync(cache, { recursive: true });
        registry.close();
        registry.closeAllConnections();
      }
    };

    it('passes when nothing is known', async () => {
      expect(await against(200, {})).toEqual({ code: 0, said: '0 known weaknesses, 0 of them high or critical\n' });
    }, 60_000);

    it.each(['high', 'critical'])(
      'fails for one that is %s, and names it',
      async (severity) => {
        const { code, said } = await against(200, advisory(severity));
        expect(code).toBe(1);
        expect(said).toContain(`${severity}  fastify: A weakness\n`);
      },
      60_000,
    );

    it('tells of one that is low, and passes', async () => {
      expect(await against(200, advisory('low'))).toEqual({
        code: 0,
        said: expect.stringContaining('low  fastify: A weakness\n') as unknown,
      });
    }, 60_000);

    it.each([405, 500])(
      'says that it could not ask a registry that answers %d, and does not pass',
      async (status) => {
        expect(await against(status, {})).toEqual({ code: 75, said: expect.stringMatching(/^NOT AUDITED: .*\n$/) as unknown });
      },
      60_000,
    );

    it('says so when nobody answers', async () => {
      expect(await run('audit', [], { npm_config_registry: 'http://127.0.0.1:9/' })).toMatchObject({ code: 75 });
    }, 60_000);
  });
});
