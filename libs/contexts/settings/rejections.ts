import { rejections } from '#platform/decider/rejection.js';

export const texts = {
  'setting-is-in-force': ['Nothing is proposed for this setting', 'Rien n’est proposé pour ce paramètre'],
  'setting-is-proposed': [
    'Something else is proposed already: publish or withdraw that first',
    'Autre chose est déjà proposé : à publier ou à retirer d’abord',
  ],
  'value-does-not-fit': [
    'The value is not of this setting’s schema at {at}, which has to fit {schema}',
    'La valeur ne suit pas le schéma de ce paramètre à {at}, qui doit être conforme à {schema}',
  ],
  'team-not-found': ['There is no such team: {team}', 'Cette équipe n’existe pas : {team}'],
  'team-is-disbanded': ['The team is disbanded: {team}', 'L’équipe est dissoute : {team}'],
  'client-not-found': ['There is no such client: {client}', 'Ce client n’existe pas : {client}'],
  'unknown-category': [
    'The category {category} is not in the setting, which has {known}',
    'Catégorie {category} absente du paramétrage, qui a {known}',
  ],
  'unknown-skill': [
    'The skill {skill} is not in the setting, which has {known}',
    'Compétence {skill} absente du paramétrage, qui a {known}',
  ],
  'publisher-is-proposer': [
    'Neither the proposer nor a deputy of theirs publishes it: another person does',
    'Ni l’auteur de la proposition ni son suppléant ne publie : une autre personne le fait',
  ],
  'not-the-proposer': ['Only the proposer or a coordinator may withdraw it', 'Réservé à l’auteur de la proposition ou à un coordinateur'],
} as const;

export const reject = rejections(texts);
