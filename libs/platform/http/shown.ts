import { type Person } from '#platform/decider/aggregate.js';
import { type JsonObject, type StoredEvent } from '#platform/event-store/port.js';
import { type Collection, type Listed } from '#platform/read-models/collection.js';

/** Clients see what is theirs now, and of its past what was theirs then. */
export const mayRead = ({ client }: Collection, state: object, person: Person): boolean =>
  person.client === null || (client !== undefined && (state as JsonObject)[client.key] === person.client);

/** Whether a field is none of the person's business: not to be shown, asked for, ordered or counted by. */
export const isHidden = ({ client }: Listed, person: Person, field: string): boolean =>
  person.client !== null && (client?.hidden.includes(field) ?? true);

/** What the person may see of a thing, or of an event's data. */
export const shownOf = <T>(collection: Listed, person: Person, all: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  person.client === null ? all : Object.fromEntries(Object.entries(all).filter(([field]) => !isHidden(collection, person, field)));

/** Whether an event has a form that clients may see. */
export const isPublic = ({ client }: Collection, { type, data }: StoredEvent): boolean => client?.shows(type, data) ?? false;
