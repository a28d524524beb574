import { registerDecorator, ValidateIf } from 'class-validator';
import { JSONSchema } from 'class-validator-jsonschema';

const form = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/** Any RFC 3339 instant as the one form in which instants are kept (UTC, milliseconds); undefined when it is none. */
export const instantOf = (text: unknown): string | undefined => {
  if (typeof text !== 'string' || !form.test(text)) return undefined;
  const at = new Date(text);
  // JavaScript takes 30 February for 1 March
  const noDay = Number.isNaN(at.getTime()) || new Date(`${text.slice(0, 19)}Z`).toISOString().slice(0, 19) !== text.slice(0, 19);
  if (noDay) return undefined;
  // Its offset can lead out of the years 0 to 9999, whose instants alone sort as text
  const instant = at.toISOString();
  return instant.length === 24 ? instant : undefined;
};

/** An RFC 3339 instant with its offset; bodies are brought to UTC with milliseconds before they are decided upon. */
export const IsInstant = (): PropertyDecorator => (target, property) => {
  registerDecorator({
    name: 'isInstant',
    target: target.constructor,
    propertyName: property as string,
    validator: {
      validate: (value) => instantOf(value) !== undefined,
      defaultMessage: () => `${String(property)} must be an RFC 3339 instant with its offset`,
    },
  });
  JSONSchema({ type: 'string', format: 'date-time' })(target, property as string);
};

/** A calendar day that there is, YYYY-MM-DD; where it meets an instant it is a day of UTC. */
export const IsDay = (): PropertyDecorator => (target, property) => {
  registerDecorator({
    name: 'isDay',
    target: target.constructor,
    propertyName: property as string,
    validator: {
      validate: (value) => typeof value === 'string' && value.length === 10 && instantOf(`${value}T00:00:00Z`) !== undefined,
      defaultMessage: () => `${String(property)} must be a calendar day, YYYY-MM-DD`,
    },
  });
  JSONSchema({ type: 'string', format: 'date' })(target, property as string);
};

/** May be left out; null is refused. `IsOptional` takes null too: it stands where null makes the thing's field empty. */
export const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);
