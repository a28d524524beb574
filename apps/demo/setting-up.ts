import { AddContact, AssignLiaison, RegisterClient } from '#contexts/staff/client.js';
import { HireStaffMember } from '#contexts/staff/staff-member.js';
import { AddTeamMember, FormTeam, NameTeamLead } from '#contexts/staff/team.js';
import { type Acting } from './acting.js';
import { type Story } from './agenda.js';
import { day, dayOf, minute } from './office.js';
import { claire, clients, type Contact, david, type Gathered, type Hired, nightShift, staff, teams } from './people.js';

/** The first Monday before opening time: who works here, in which teams, and for whom. */
export async function* settingUp(life: Acting, begin: number): Story {
  for (const member of staff.filter(({ days }) => days >= 0)) {
    await hire(life, begin, member);
    yield life.now + minute;
  }
  for (const team of [...teams, nightShift]) {
    await form(life, team, dayOf(begin - 60 * day));
    yield life.now + minute;
  }
  for (const { id, name, zone, language, liaison, contacts } of clients) {
    await life.does(claire, RegisterClient, id, { name, zone, language });
    for (const contact of contacts) await knows(life, contact);
    await life.does(claire, AssignLiaison, id, { member: liaison.id });
    yield life.now + minute;
  }
}

/** The first coordinator is hired by the other one. */
export const hire = async (life: Acting, begin: number, member: Hired): Promise<void> => {
  const { id, name, level, days, skills } = member;
  const hired = { name, level, hiredOn: dayOf(begin - days * day), skills };
  const years = `Senior since before this desk had a register: ${Math.floor(days / 365)} years of service`;
  await life.does(member === claire ? david : claire, HireStaffMember, id, level === 'senior' ? { ...hired, reason: years } : hired);
};

const form = async (life: Acting, { id, name, categories, lead, members }: Gathered, from: string): Promise<void> => {
  await life.does(claire, FormTeam, id, { name, categories });
  for (const member of members) await life.does(claire, AddTeamMember, id, { member: member.id, from });
  await life.does(claire, NameTeamLead, id, { member: lead.id, from });
};

const knows = async (life: Acting, contact: Contact): Promise<void> => {
  const { id, client, name, language } = contact;
  const plain = name.normalize('NFD').replace(/[^A-Za-z ]/g, '');
  const mailbox = plain.toLowerCase().replaceAll(' ', '.');
  const telephone = language === 'en' ? '+44 20 7946 0100' : '+33 1 99 00 01 00';
  await life.does(claire, AddContact, client, { contact: id, name, language, email: `${mailbox}@${domainOf(client)}.example`, telephone });
};
const domainOf = (client: string): string => clients.find(({ id }) => id === client)?.key ?? 'client';
