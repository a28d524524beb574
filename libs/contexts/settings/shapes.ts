import { Ajv2020 } from 'ajv/dist/2020.js';
import { type JsonObject } from '#platform/event-store/port.js';
import { type Settings } from './contract/setting.js';

type Schema = JsonObject;
const most = 500;

/** Lower case, digits and hyphens. */
const word = { type: 'string', pattern: '^[a-z][a-z0-9-]{0,79}$' };
const id = { type: 'string', pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' };
const orNull = (text: typeof word): Schema => ({ ...text, type: ['string', 'null'] });
const whole = (minimum: number, maximum: number): Schema => ({ type: 'integer', minimum, maximum });
/** Words that differ, one at least. */
const words: Schema = { type: 'array', items: word, uniqueItems: true, minItems: 1, maxItems: most };
/** Words, each with something. */
const eachWith = (inner: Schema): Schema => ({ type: 'object', propertyNames: word, additionalProperties: inner, maxProperties: most });
/** These fields and no others. */
const fields = (properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
  additionalProperties: false,
});
const threeOf = (inner: Schema): Schema => fields({ high: inner, medium: inner, low: inner });

/** What each setting may hold, as JSON Schema. */
export const schemas: Readonly<Record<keyof Settings, Schema>> = {
  'resolution-codes': words,
  skills: words,
  categories: eachWith(orNull(word)),
  'hold-reasons': words,
  'priority-matrix': threeOf(threeOf(whole(1, 5))),
  courses: eachWith({ enum: ['senior', null] }),
  deadlines: fields({ reopenDays: whole(0, 3650), reclassificationMonths: whole(0, 600) }),
  'routing-rules': fields({
    rules: {
      type: 'array',
      items: {
        ...fields({ client: orNull(id), category: orNull(word), team: id }),
        // What names neither would never be tried: that is the default team
        not: { properties: { client: { const: null }, category: { const: null } } },
      },
      maxItems: most,
    },
    defaultTeam: orNull(id),
  }),
};

const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, ownProperties: true, verbose: true });

/** Where in a value, and what would have to stand there. */
interface Misfit {
  readonly at: string;
  readonly schema: string;
}

/** The first place where a value is none of the setting's; undefined where it fits. */
export const misfitIn = (name: string, value: unknown): Misfit | undefined => {
  // Compiled once, when first asked
  const fits = ajv.getSchema(name) ?? ajv.addSchema(schemas[name as keyof Settings], name).getSchema(name);
  if (!fits || fits(value)) return undefined;
  const [first] = fits.errors ?? [];
  return { at: `value${first?.instancePath ?? ''}`, schema: JSON.stringify(first?.parentSchema) };
};
