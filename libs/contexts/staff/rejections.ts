import { rejections } from '#platform/decider/rejection.js';

export const texts = {
  'client-already-open': [
    'This client is registered already, with other particulars',
    'Ce client est déjà enregistré, avec d’autres données',
  ],
  'staff-already-open': [
    'This staff member is hired already, with other particulars',
    'Cette personne est déjà embauchée, avec d’autres données',
  ],
  'team-already-open': ['This team is formed already, with other particulars', 'Cette équipe est déjà formée, avec d’autres données'],
  'contact-already-added': ['This contact is known already, with other particulars', 'Ce contact est déjà connu, avec d’autres données'],
  'staff-member-not-found': ['There is no such staff member', 'Cette personne ne fait pas partie du personnel'],
  'staff-member-is-departed': ['The staff member has departed', 'Cette personne a quitté le service'],
  'senior-needs-reason': ['Hiring at senior level needs a reason', 'Une embauche au niveau senior exige un motif'],
  'already-a-member': ['The staff member is in the team already, from {from}', 'Cette personne est déjà dans l’équipe, depuis le {from}'],
  'unknown-skill': ['The skill is not in the setting, which has {known}', 'Compétence absente du paramétrage, qui a {known}'],
  'unknown-category': ['The category is not in the setting, which has {known}', 'Catégorie absente du paramétrage, qui a {known}'],
  'not-self': ['Only the member concerned or a coordinator may do this', 'Réservé à la personne concernée ou à un coordinateur'],
  'absence-ends-before-it-begins': ['The absence must end after it begins', 'L’absence doit finir après son début'],
  'absence-overlaps': ['Another absence covers part of this time', 'Une autre absence couvre une partie de cette période'],
  'absence-already-declared': [
    'This absence is declared already, with other particulars',
    'Cette absence est déjà déclarée, avec d’autres données',
  ],
  'departure-before-hiring': ['The departure is dated before the hiring', 'Le départ est daté d’avant l’embauche'],
  'departure-in-the-future': [
    'The departure is dated after today: record it on its day',
    'Le départ est daté d’après aujourd’hui : à saisir le jour même',
  ],
} as const;

export const reject = rejections(texts);
