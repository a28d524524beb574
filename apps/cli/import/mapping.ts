import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AnySchema, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type channels, type Degree, type kinds, type Priority, type Status } from '#contexts/requests/contract/request.js';
import { UsageError } from '../arguments.js';
import { type TimeReader, timeReader } from './times.js';

/** What a source's word for a state means: a status, or why it waits. */
export type Means = Exclude<Status, 'on-hold' | 'merged'> | { readonly status: 'on-hold'; readonly hold: string };
interface Worded<W> {
  readonly column: string;
  readonly words: Readonly<Record<string, W>>;
}
/** The columns whose cells are taken as they are. */
export const plainColumns = ['team', 'assignee', 'client', 'contact', 'category', 'application', 'code', 'resolvedBy'] as const;
export const timeColumns = ['resolvedAt', 'closedAt'] as const;

/** How another tool's export is read as requests: docs/mapping.md, mapping.schema.json. */
export interface Mapping {
  readonly source: string;
  readonly kind: 'snapshot' | 'activity';
  readonly requestKind: (typeof kinds)[number];
  readonly delimiter: string;
  readonly encoding: 'utf8' | 'utf16le' | 'latin1';
  readonly missing: string | readonly string[];
  readonly columns: { readonly case: string; readonly at: string } & {
    readonly [K in 'order' | 'by' | 'activity' | 'subject' | (typeof plainColumns)[number] | (typeof timeColumns)[number]]?: string;
  } & {
    readonly status?: Worded<Means>;
    readonly priority?: Worded<Priority>;
    readonly impact?: Worded<Degree>;
    readonly urgency?: Worded<Degree>;
    readonly channel?: Worded<(typeof channels)[number]>;
  };
  readonly activities: Readonly<Record<string, Means>>;
  readonly final: readonly { readonly columns: readonly string[]; readonly states: readonly string[]; readonly from: string }[];
  readonly personal: readonly string[];
  readonly time: TimeReader;
}
type Written = Omit<Mapping, 'time'> & { readonly zone: string; readonly timeFormats: readonly string[] };

const schema = createRequire(import.meta.url)('#mapping.schema.json') as AnySchema;

/** @throws UsageError that names every place where the file is no mapping, and what is expected there */
export const readMapping = async (path: string): Promise<Mapping> => {
  let written: unknown;
  try {
    written = JSON.parse(await readFile(path, 'utf8'));
  } catch (e) {
    const missing = (e as { readonly code?: string }).code === 'ENOENT';
    throw new UsageError(missing ? `${path}: there is no such mapping file` : `${path} cannot be read as JSON: ${(e as Error).message}`);
  }
  const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: true, strictRequired: false, strictTypes: false });
  const fits = ajv.compile(schema);
  if (!fits(written)) throw new UsageError(`${path} is not a mapping (docs/mapping.md):\n${told(fits.errors ?? [])}`);
  const { zone, timeFormats, ...rest } = written as Written;
  const mapping = { ...rest, activities: rest.activities ?? {}, final: rest.final ?? [], personal: rest.personal ?? [] };
  const open = mapping.personal.filter((name) => openlyMapped(mapping).has(name));
  if (open.length > 0) throw new UsageError(`${path}: ${open.join(', ')} cannot be personal: what it is mapped to is stored openly`);
  try {
    return { ...mapping, time: timeReader(timeFormats, zone) };
  } catch (e) {
    throw new UsageError(`${path}: ${(e as Error).message}`);
  }
};

/** Every column that the mapping names, with what for. */
export const namedColumns = ({
  columns,
  final,
  personal,
}: Pick<Mapping, 'columns' | 'final' | 'personal'>): ReadonlyMap<string, string> => {
  const named = new Map<string, string>();
  for (const name of personal) named.set(name, 'personal');
  for (const group of final) for (const name of [...group.columns, group.from]) named.set(name, 'final');
  for (const [as, of] of Object.entries(columns)) named.set(typeof of === 'string' ? of : of.column, as);
  return named;
};

const openlyMapped = (mapping: Pick<Mapping, 'columns' | 'final'>): ReadonlySet<string> => {
  const { subject: _, ...columns } = mapping.columns;
  return new Set(namedColumns({ columns, final: mapping.final, personal: [] }).keys());
};

/** One line a place; of several complaints about one place the most telling. */
const told = (errors: readonly ErrorObject[]): string => {
  const places = new Map<string, string>();
  for (const { instancePath, keyword, params, message = '' } of errors) {
    const { additionalProperty, allowedValues, missingProperty } = params as {
      readonly additionalProperty?: string;
      readonly allowedValues?: readonly string[];
      readonly missingProperty?: string;
    };
    const path = [instancePath, additionalProperty ?? missingProperty].filter((part) => part !== undefined && part !== '').join('/');
    if (additionalProperty !== undefined) places.set(path, 'is not known here');
    else if (missingProperty !== undefined) places.set(path, places.get(path) ?? 'is missing');
    else if (keyword === 'false schema') places.set(path, 'does not go with this kind of mapping');
    else if (allowedValues) places.set(path, `must be one of ${allowedValues.join(', ')}`);
    else if (keyword !== 'anyOf' && keyword !== 'if' && !places.has(path)) places.set(path, message);
  }
  return [...places]
    .map(([path, why]) => `  ${path === '' ? 'the whole' : path.replace(/^\//, '').replaceAll('/', '.')}: ${why}`)
    .join('\n');
};
