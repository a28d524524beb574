import { type Actor, idFor } from './acting.js';

/** Everybody in the demonstration is made up. */

export type Language = 'en' | 'fr';

export interface Hired extends Actor {
  readonly name: string;
  readonly level: 'entry' | 'senior';
  /** For how many days they had been there when the month began; fewer than none: hired in it. */
  readonly days: number;
  readonly skills: readonly string[];
}

const hired = (key: string, name: string, level: Hired['level'], days: number, skills: readonly string[], role: Actor['role']): Hired => ({
  ...{ id: idFor(`staff/${key}`), name, level, days, skills, role },
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
const client = ({ people, ...rest }: Omit<Served, 'id' | 'contacts'> & { readonly people: readonly string[] }): Served => {
  const id = idFor(`client/${rest.key}`);
  const contacts = people.map((name): Contact => ({
    ...{ id: idFor(`contact/${rest.key}/${name}`), role: 'client', client: id, name, language: rest.language },
  }));
  return { id, contacts, ...rest };
};

export const clients: readonly Served[] = [
  client({
    ...{ key: 'northgate', name: 'Northgate Insurance', zone: 'Europe/London', language: 'en', liaison: emma, weight: 5 },
    ...{ applications: ['Claims', 'Billing'], people: ['Alice Turner', 'Ben Cole', 'Ruth Hall'] },
  }),
  client({
    ...{ key: 'armorique', name: 'Mutuelle Armorique', zone: 'Europe/Paris', language: 'fr', liaison: ines, weight: 5 },
    ...{ applications: ['Contrats', 'Paie'], people: ['Yann Le Goff', 'Maëlle Kerven', 'Anne Prigent'] },
  }),
  client({
    ...{ key: 'harbour', name: 'Harbour Logistics', zone: 'Europe/London', language: 'en', liaison: marek, weight: 4 },
    ...{ applications: ['Freight', 'Billing'], people: ['Tom Becker', 'Sarah Lind'] },
  }),
  client({
    ...{ key: 'vercors', name: 'Transports Vercors', zone: 'Europe/Paris', language: 'fr', liaison: hugo, weight: 3 },
    ...{ applications: ['Tournées', 'Facturation'], people: ['Julien Blanc', 'Sophie Arnaud'] },
  }),
  client({
    ...{ key: 'saint-aubin', name: 'Ville de Saint-Aubin', zone: 'Europe/Paris', language: 'fr', liaison: claire, weight: 4 },
    ...{ applications: ['État civil', 'Paie'], people: ['Martine Royer', 'Karim Aziz', 'Paul Renaud'] },
  }),
  client({
    ...{ key: 'keller', name: 'Keller Medical', zone: 'Europe/Zurich', language: 'en', liaison: oliver, weight: 3 },
    ...{ applications: ['Lab results', 'Billing'], people: ['Nina Keller', 'Stefan Roth'] },
  }),
  client({
    ...{ key: 'lin', name: 'Coopérative du Lin', zone: 'Europe/Brussels', language: 'fr', liaison: quentin, weight: 2 },
    ...{ applications: ['Stocks', 'Comptabilité'], people: ['Luc Delvaux', 'Bénédicte Maes'] },
  }),
  client({
    ...{ key: 'prairie', name: 'Prairie Foods', zone: 'America/Toronto', language: 'en', liaison: priya, weight: 2 },
    ...{ applications: ['Orders', 'Accounting'], people: ['Dana Whitfield', 'Marc Tremblay'] },
  }),
];
