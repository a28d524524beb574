import { type Actor, idFor } from './acting.js';

/** Everybody in the demonstration is made up. */

export type Language = 'en' | 'fr';

interface Hired extends Actor {
  readonly key: string;
  readonly name: string;
  readonly level: 'entry' | 'senior';
  /** For how many days they had been there when the month began; fewer than none: hired in it. */
  readonly days: number;
  readonly skills: readonly string[];
}

const hired = (key: string, name: string, level: Hired['level'], days: number, skills: readonly string[], role: Actor['role']): Hired => ({
  ...{ id: idFor(`staff/${key}`), key, name, level, days, skills, role },
});

export const claire = hired('claire', 'Claire Fontaine', 'senior', 3_120, ['desktop'], 'coordinator');
export const david = hired('david', 'David Okafor', 'senior', 2_260, ['network'], 'coordinator');
export const emma = hired('emma', 'Emma Walsh', 'senior', 1_930, ['desktop'], 'technician');
export const hugo = hired('hugo', 'Hugo Lambert', 'entry', 410, ['desktop'], 'technician');
export const ines = hired('ines', 'Inès Benali', 'entry', 812, ['desktop', 'network'], 'technician');
export const jack = hired('jack', 'Jack Morton', 'entry', 1_040, ['desktop'], 'technician');
export const lea = hired('lea', 'Léa Girard', 'entry', -7, ['desktop'], 'technician');
export const marek = hired('marek', 'Marek Nowak', 'senior', 2_500, ['network', 'desktop'], 'technician');
export const nadia = hired('nadia', 'Nadia Haddad', 'entry', 560, ['network'], 'technician');
export const oliver = hired('oliver', 'Oliver Grant', 'senior', 2_870, ['database'], 'technician');
export const priya = hired('priya', 'Priya Raman', 'senior', 1_480, ['database', 'network'], 'technician');
export const quentin = hired('quentin', 'Quentin Marchal', 'entry', 905, ['database', 'network'], 'technician');
export const staff: readonly Hired[] = [claire, david, emma, hugo, ines, jack, lea, marek, nadia, oliver, priya, quentin];

/** Of no team and no record: who looks after the machine, and who looks at everything. */
export const administrator: Actor = { id: idFor('administrator'), role: 'administrator' };
export const auditor = idFor('auditor');

export interface Gathered {
  readonly id: string;
  readonly name: string;
  readonly categories: readonly string[];
  readonly lead: Actor;
  readonly members: readonly Actor[];
}
const team = (key: string, name: string, categories: readonly string[], ...[lead, ...others]: readonly [Actor, ...Actor[]]): Gathered => ({
  ...{ id: idFor(`team/${key}`), name, categories, lead, members: [lead, ...others] },
});

export const serviceDesk = team('service-desk', 'Service desk', ['desktop', 'other'], emma, hugo, ines, jack);
export const network = team('network', 'Network and access', ['network'], marek, nadia);
export const applications = team('applications', 'Applications and data', ['database'], oliver, priya, quentin);
export const teams: readonly Gathered[] = [serviceDesk, network, applications];
/** Given up on the first day of the month. */
export const nightShift = team('night-shift', 'Night shift', ['other'], hugo);

export const teamFor = (category: string | null): Gathered =>
  teams.find(({ categories }) => category !== null && categories.includes(category)) ?? serviceDesk;

export interface Contact extends Actor {
  readonly client: string;
  readonly name: string;
  readonly language: Language;
}
export interface Served {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly zone: string;
  readonly language: Language;
  readonly liaison: Actor;
  readonly applications: readonly string[];
  readonly contacts: readonly Contact[];
  /** How much it asks, beside the others. */
  readonly weight: number;
}
const client = (
  key: string,
  name: string,
  zone: string,
  language: Language,
  liaison: Actor,
  weight: number,
  applications: readonly string[],
  ...people: readonly string[]
): Served => {
  const id = idFor(`client/${key}`);
  const contacts = people.map((person): Contact => ({
    ...{ id: idFor(`contact/${key}/${person}`), role: 'client', client: id, name: person, language },
  }));
  return { id, key, name, zone, language, liaison, weight, applications, contacts };
};

export const clients: readonly Served[] = [
  client(
    'northgate',
    'Northgate Insurance',
    'Europe/London',
    'en',
    emma,
    5,
    ['Claims', 'Billing'],
    'Alice Turner',
    'Ben Cole',
    'Ruth Hall',
  ),
  client(
    'armorique',
    'Mutuelle Armorique',
    'Europe/Paris',
    'fr',
    ines,
    5,
    ['Contrats', 'Paie'],
    'Yann Le Goff',
    'Maëlle Kerven',
    'Anne Prigent',
  ),
  client('harbour', 'Harbour Logistics', 'Europe/London', 'en', marek, 4, ['Freight', 'Billing'], 'Tom Becker', 'Sarah Lind'),
  client('vercors', 'Transports Vercors', 'Europe/Paris', 'fr', hugo, 3, ['Tournées', 'Facturation'], 'Julien Blanc', 'Sophie Arnaud'),
  client(
    'saint-aubin',
    'Ville de Saint-Aubin',
    'Europe/Paris',
    'fr',
    claire,
    4,
    ['État civil', 'Paie'],
    'Martine Royer',
    'Karim Aziz',
    'Paul Renaud',
  ),
  client('keller', 'Keller Medical', 'Europe/Zurich', 'en', oliver, 3, ['Lab results', 'Billing'], 'Nina Keller', 'Stefan Roth'),
  client('lin', 'Coopérative du Lin', 'Europe/Brussels', 'fr', quentin, 2, ['Stocks', 'Comptabilité'], 'Luc Delvaux', 'Bénédicte Maes'),
  client('prairie', 'Prairie Foods', 'America/Toronto', 'en', priya, 2, ['Orders', 'Accounting'], 'Dana Whitfield', 'Marc Tremblay'),
];

export const nameOf = (id: string): string => staff.find((one) => one.id === id)?.name ?? 'the desk';
