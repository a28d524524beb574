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
  'unknown-course': ['The course is not in the setting, which has {known}', 'Formation absente du paramétrage, qui a {known}'],
  'course-already-recorded': ['The course is recorded already, as completed on {on}', 'Formation déjà enregistrée, terminée le {on}'],
  'course-in-the-future': ['The course is dated after today', 'La formation est datée d’après aujourd’hui'],
  'absence-not-found': ['There is no such absence', 'Cette absence n’existe pas'],
  'deputy-not-found': ['The deputy is no staff member', 'Le suppléant ne fait pas partie du personnel'],
  'deputy-is-departed': ['The deputy has departed', 'Le suppléant a quitté le service'],
  'deputy-is-self': ['Nobody stands in for themself', 'Personne ne se supplée soi-même'],
  'deputy-ends-before-beginning': ['The deputy’s time must end after it begins', 'La suppléance doit finir après son début'],
  'deputy-already-appointed': [
    'The same deputy is appointed already for part of this time: withdraw that first',
    'Ce suppléant est déjà désigné pour une partie de cette période : à retirer d’abord',
  ],
  'already-senior': ['The staff member is senior already', 'Cette personne est déjà senior'],
  'reclassification-pending': ['A reclassification is asked for already', 'Un reclassement est déjà demandé'],
  'no-reclassification-pending': ['No reclassification is asked for', 'Aucun reclassement n’est demandé'],
  'reclassification-needs-another': [
    'Neither the member, nor whoever asked, nor a deputy of theirs decides upon a reclassification',
    'Ni la personne, ni le demandeur, ni leur suppléant ne décide d’un reclassement',
  ],
  'service-too-short': ['It takes {months} months of service, reached on {from}', 'Il faut {months} mois de service, atteints le {from}'],
  'courses-missing': ['Courses are missing: {missing}', 'Il manque des formations : {missing}'],
  'contact-not-found': ['The client has no such contact', 'Le client n’a pas ce contact'],
  'team-is-disbanded': ['The team is disbanded', 'L’équipe est dissoute'],
  'team-has-open-requests': [
    'Open requests are routed to the team: {count}. Route them to another first',
    'Des demandes ouvertes sont adressées à l’équipe : {count}. Les réorienter d’abord',
  ],
  'not-a-member': ['The person is not in the team', 'Cette personne n’est pas dans l’équipe'],
} as const;

export const reject = rejections(texts);
