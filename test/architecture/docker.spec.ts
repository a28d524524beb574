import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { longestEnd } from '#apps/failures.js';

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly stop_grace_period?: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(root + path, 'utf8');
const [compose, dockerfile, example] = ['docker/compose.yaml', 'docker/Dockerfile', 'docker/example.env'].map(read) as [
  string,
  string,
  string,
];
const { services, volumes } = parse(compose, { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
};
const service = (name: string): Service => {
  const found = services[name];
  if (!found) throw new Error(`docker/compose.yaml has no service ${name}`);
  return found;
};
const sources = ['apps', 'libs'].flatMap((folder) =>
  readdirSync(root + folder, { recursive: true, encoding: 'utf8' }).flatMap((name) =>
    name.endsWith('.ts') && !name.endsWith('spec.ts') ? [read(`${folder}/${name}`)] : [],
  ),
);
/** The last stage: what runs. */
const runs = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
const instruction = (name: string): string => new RegExp(`^${name} ((?:.*\\\\\\n)*.*)`, 'm').exec(runs)?.[1] ?? '';
const apps = ['api', 'projector'] as const;
const commandOf = (app: (typeof apps)[number]): readonly string[] =>
  service(app).command ?? (JSON.parse(instruction('CMD')) as readonly string[]);

describe('the files in docker/', () => {
  it.each(apps)('%s is started by node itself, from a file that the build makes', (app) => {
    const [node, built = '', ...more] = commandOf(app);
    expect([node, more]).toEqual(['node', []]);
    expect(existsSync(root + built.replace(/^dist\//, '').replace(/\.js$/, '.ts'))).toBe(true);
    expect(read('package.json')).toContain(`"node ${built}"`);
  });

  it.each(apps)('%s listens where its port is published and its health is asked, on a path that it serves', (app) => {
    const { environment, healthcheck, ports = [] } = service(app);
    const [, port, path] = /127\.0\.0\.1:(\d+)(\/\w+)/.exec(healthcheck?.test.join(' ') ?? '') ?? [];
    expect(port).toBe(environment?.['PORT']);
    expect(environment?.['HOST']).toBe('0.0.0.0');
    expect(dockerfile).toMatch(new RegExp(`^EXPOSE .*\\b${port}\\b`, 'm'));
    for (const published of ports) expect(published).toMatch(new RegExp(`^127\\.0\\.0\\.1:.*:${port}$`));
    const serving = app === 'api' ? read('apps/api/health.ts') : read('apps/projector/main.ts');
    expect(serving).toContain(app === 'api' ? `@Get('${path?.slice(1)}')` : `server.get('${path}'`);
  });

  it.each(apps)('every setting of %s is one that the code reads', (app) => {
    for (const setting of Object.keys(service(app).environment ?? {}))
      expect([setting, sources.some((source) => source.includes(`env['${setting}']`))]).toEqual([setting, true]);
    expect(service(app).environment).toMatchObject({ EVENTSTORE_URL: expect.any(String), MONGODB_URL: expect.any(String) });
  });

  it('the api leaves folding to the projector, and both share the folder of the token key', () => {
    expect(service('api').environment?.['LEDGERDESK_PROJECTOR']).toBe('apart');
    const folders = apps.map((app) =>
      service(app).volumes?.find((volume) => volume.endsWith(`:${service(app).environment?.['LEDGERDESK_DATA']}`)),
    );
    expect(folders[0]).toBeDefined();
    expect(folders[1]).toBe(folders[0]);
  });

  it('the image runs as a user without rights, is pinned, checks its health, and has neither compiler nor tests', () => {
    expect(instruction('USER')).toBe('node');
    expect(runs.indexOf('\nUSER')).toBeLessThan(runs.indexOf('\nCMD'));
    expect(dockerfile).toMatch(/^ARG NODE=node:\d+\.\d+\.\d+-\S*slim$/m);
    expect(instruction('HEALTHCHECK')).toMatch(/"node", "-e", "fetch\(.*\/livez/);
    expect(dockerfile).toMatch(/npm ci --ignore-scripts/);
    expect(dockerfile).toMatch(/npm prune --omit=dev --ignore-scripts/);
    for (const compiler of ['@swc/cli', '@swc/core']) {
      expect(dockerfile).toContain(`'dependencies.${compiler}'`);
      expect(sources.filter((source) => source.includes(`'${compiler}`))).toEqual([]);
    }
    for (const [, path = ''] of dockerfile.matchAll(/^COPY ((?!--from)\S+)/gm))
      expect([path, existsSync(root + path)]).toEqual([path, true]);
    for (const app of apps)
      expect([service(app).user, service(app).build]).toEqual([undefined, { context: '..', dockerfile: 'docker/Dockerfile' }]);
  });

  it('whoever builds the image sends no data folder, no .env and no installed package', () => {
    const [all, ...rest] = read('docker/Dockerfile.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(all).toBe('*');
    const sent = rest.flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : []));
    expect(sent.sort()).toEqual(['.swcrc', 'apps', 'libs', 'package-lock.json', 'package.json']);
  });

  it('what is under way may take as long as the processes allow themselves', () => {
    for (const app of apps) expect(Number(/^(\d+)s$/.exec(service(app).stop_grace_period ?? '')?.[1]) * 1000).toBeGreaterThan(longestEnd);
  });

  it('holds no secret: every password comes from a variable that must be set, or from a file that is not committed', () => {
    for (const [name, { environment = {} }] of Object.entries(services))
      for (const [setting, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|TOKEN|_URL$/.test(setting))
          expect([name, setting, value]).toEqual([name, setting, expect.stringMatching(/^\$\{\w+:\?[^}]+\}$/)]);
    for (const [, value] of example.matchAll(/^\w*PASSWORD\w*=(.*)$/gm)) expect(value).toBe('');
    for (const text of [compose, dockerfile, example]) expect(text).not.toMatch(/:\/\/[^\s:/@]+:(?!\$\{)[^\s@/]+@/);
    expect(read('.gitignore').split('\n')).toContain('.env');
    expect(existsSync(`${root}docker/example.env`)).toBe(true);
  });

  it('asks for nothing that the example does not name', () => {
    for (const [, variable] of compose.matchAll(/\$\{(\w+)[:}]/g)) expect(example).toMatch(new RegExp(`^(# )?${variable}=`, 'm'));
  });

  it('every service waits for ones that there are and that tell their health, every volume is declared and used', () => {
    for (const [name, { depends_on = {} }] of Object.entries(services))
      for (const [other, { condition }] of Object.entries(depends_on)) {
        expect([name, other, Object.keys(services).includes(other)]).toEqual([name, other, true]);
        if (condition === 'service_healthy') expect([other, service(other).healthcheck?.test.length]).toEqual([other, expect.any(Number)]);
        // A service of a profile that was not chosen would else be missed
        const profiles = services[name]?.profiles ?? [];
        if (!profiles.every((profile) => service(other).profiles?.includes(profile)) || profiles.length === 0)
          expect([name, other, depends_on[other]?.required]).toEqual([name, other, false]);
      }
    const named = Object.values(services).flatMap(({ volumes: used = [] }) => used.map((volume) => volume.split(':')[0]));
    expect([...new Set(named)].sort()).toEqual(Object.keys(volumes).sort());
  });

  it.each([
    ['single', 1],
    ['cluster', 3],
  ])('the profile %s has %i of each server, and the example addresses them all', (profile, count) => {
    const of = (image: string) =>
      Object.entries(services).flatMap(([name, one]) =>
        one.profiles?.includes(profile) && one.image.startsWith(image) && one.healthcheck ? [name] : [],
      );
    for (const [image, setting, port] of [
      ['eventstore/eventstore:23.10.', 'EVENTSTORE_URL', 2113],
      ['mongo:', 'MONGODB_URL', 27017],
    ] as const) {
      const nodes = of(image);
      expect(nodes).toHaveLength(count);
      const addresses = [...example.matchAll(new RegExp(`${setting}=.*@([^/?]+)`, 'g'))].map(([, hosts]) => hosts);
      expect(addresses).toContain(nodes.map((node) => `${node}:${port}`).join(','));
    }
  });
});
