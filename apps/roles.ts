/** Every role that a token may carry. Senior is none of them: it is a fact of the staff member's record. */
export const roles = ['client', 'technician', 'coordinator', 'owner', 'billing', 'auditor', 'service', 'administrator'] as const;

/** What is wrong with a set of roles; undefined when nothing is. */
export const rolesRefused = (asked: readonly string[], client: string | undefined): string | undefined => {
  const unknown = asked.filter((role) => !(roles as readonly string[]).includes(role));
  if (asked.length === 0) return `name a role: --role ${roles.join(' | ')}`;
  if (unknown.length > 0) return `${unknown.join(', ')}: no such role; there are ${roles.join(', ')}`;
  if (asked.includes('administrator') && asked.includes('auditor')) return 'administrator and auditor are never one person';
  if (asked.includes('client') && client === undefined) return 'a token of role client names its client: --client <id>';
  if (!asked.includes('client') && client !== undefined) return '--client goes with --role client';
  return undefined;
};
