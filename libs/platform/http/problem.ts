import { type Rejection, type Texts } from '#platform/decider/rejection.js';

type Told = readonly [title: string, next: string, nextForAQuery?: string];
/** What every refusal of the platform says: what it is, and what to do next. */
const platform = {
  'bad-request': [
    400,
    ['The request is not well-formed', 'Mend what is named and send it again.'],
    ['La requête est mal formée', 'Corriger ce qui est nommé et renvoyer.'],
  ],
  'invalid-body': [
    400,
    ['The body does not fit the command', 'Mend the fields named in `errors`; /docs shows the schema.'],
    ['Le corps ne convient pas à la commande', 'Corriger les champs nommés dans `errors` ; /docs montre le schéma.'],
  ],
  'invalid-query': [
    400,
    ['A query parameter does not fit', 'Mend the parameters named in `errors`; /docs lists them.'],
    ['Un paramètre de la requête ne convient pas', 'Corriger les paramètres nommés dans `errors` ; /docs les énumère.'],
  ],
  'no-valid-token': [
    401,
    [
      'A valid token is needed',
      'Send `Authorization: Bearer <token>`: of the issuer that the desk is set to, else `npm run -s cli -- token` prints one.',
    ],
    [
      'Un jeton valide est nécessaire',
      'Envoyer `Authorization: Bearer <jeton>` : de l’émetteur réglé, sinon `npm run -s cli -- token` en imprime un.',
    ],
  ],
  'member-departed': [
    401,
    ['The token names somebody who has left', 'Nothing can be done with this token any more.'],
    ['Le jeton désigne une personne qui est partie', 'Ce jeton ne permet plus rien.'],
  ],
  forbidden: [
    403,
    ['That is not for whoever asks', 'Ask somebody who may: `errors` says what it needs.'],
    ['Ce n’est pas permis à qui le demande', 'S’adresser à une personne autorisée : `errors` dit ce qu’il faut.'],
  ],
  'not-found': [
    404,
    ['There is no such thing', 'Look at the id: it may be mistyped, or not open yet.'],
    ['Cela n’existe pas', 'Vérifier l’identifiant : mal saisi, ou pas encore ouvert.'],
  ],
  'not-yet-opened': [
    404,
    ['It had not begun by then', 'Ask for a later instant or revision.'],
    ['Cela n’avait pas encore commencé', 'Demander un instant ou une révision plus tardifs.'],
  ],
  'occurred-in-the-future': [
    409,
    ['What is stated to have occurred lies in the future', 'State an instant that has passed.'],
    ['L’instant déclaré est dans le futur', 'Déclarer un instant passé.'],
  ],
  contended: [
    503,
    ['Others kept changing the same thing', 'Nothing was recorded; send it again.'],
    ['D’autres modifiaient la même chose sans cesse', 'Rien n’a été enregistré ; renvoyer.'],
  ],
  'position-of-another-log': [
    410,
    ['The position belongs to another log', 'The log was replaced or restored: read afresh, without the position.'],
    ['La position vient d’un autre journal', 'Le journal a été remplacé ou restauré : relire sans la position.'],
  ],
  'stale-revision': [
    412,
    ['It has changed since it was read', 'Read it again, look at what changed, and send with its new ETag.'],
    ['Cela a changé depuis la lecture', 'Relire, voir ce qui a changé, et renvoyer avec le nouvel ETag.'],
  ],
  'body-too-large': [
    413,
    ['The body is too large', '256 KiB, or see `errors`.'],
    ['Le corps est trop grand', '256 Kio, ou voir `errors`.'],
  ],
  'content-differs': [400, ['The SHA-256 is another', 'Send the file named.'], ['Le SHA-256 est un autre', 'Envoyer le fichier nommé.']],
  'not-json': [
    415,
    ['Only application/json is taken', 'Send JSON and say so in Content-Type.'],
    ['Seul application/json est accepté', 'Envoyer du JSON et l’indiquer dans Content-Type.'],
  ],
  'not-octet-stream': [
    415,
    ['A file is taken as application/octet-stream only', 'Say so in Content-Type; its own type is said when it is attached.'],
    [
      'Un fichier n’est accepté que comme application/octet-stream',
      'L’indiquer dans Content-Type ; son propre type est dit en l’attachant.',
    ],
  ],
  'person-forgotten': [
    410,
    ['The person was forgotten', 'Nothing about them is kept.'],
    ['La personne est oubliée', 'Rien n’en est gardé.'],
  ],
  'key-reused': [
    422,
    ['The Idempotency-Key was used with another body', 'Use a new key for a new command.'],
    ['La clé Idempotency-Key a servi avec un autre corps', 'Prendre une nouvelle clé pour une nouvelle commande.'],
  ],
  'rate-limited': [
    429,
    ['Too many commands in a minute', 'Nothing was recorded; send it again after the seconds that Retry-After says.'],
    ['Trop de commandes en une minute', 'Rien n’a été enregistré ; renvoyer après les secondes indiquées par Retry-After.'],
  ],
  'not-there-yet': [
    503,
    ['The read model has not reached the position yet', 'Ask again in a moment, or wait longer with `Prefer: wait=5`.'],
    ['Le modèle de lecture n’a pas encore atteint la position', 'Redemander dans un instant, ou attendre avec `Prefer: wait=5`.'],
  ],
  'not-ready': [
    503,
    ['The service is not ready', '/readyz says what it waits for.'],
    ['Le service n’est pas prêt', '/readyz dit ce qui manque.'],
  ],
  'log-read-only': [
    503,
    ['The log takes no more writes since a write failed', 'Look at the disk, then start the service again; nothing acknowledged is lost.'],
    ['Le journal n’accepte plus d’écriture depuis un échec', 'Examiner le disque puis redémarrer ; rien d’accepté n’est perdu.'],
  ],
  'data-damaged': [
    503,
    ['What is stored is damaged', 'Give the trace id to whoever runs the service: its log names the file and what to do.'],
    [
      'Les données enregistrées sont endommagées',
      'Donner l’identifiant de trace à l’exploitant : son journal nomme le fichier et la marche à suivre.',
    ],
  ],
  'log-moved': [
    503,
    ['The log was moved, and takes no more writes here', 'Ask whoever runs the service to set EVENTSTORE_URL to where it goes on.'],
    [
      'Le journal a été déplacé et n’accepte plus d’écriture ici',
      'Demander à l’exploitant de régler EVENTSTORE_URL sur son nouvel emplacement.',
    ],
  ],
  'server-unavailable': [
    503,
    [
      'A server that the service stands on does not answer',
      'Send it again in a moment with the same Idempotency-Key: it may have been recorded, and is never recorded twice.',
      'Ask again in a moment.',
    ],
    [
      'Un serveur dont dépend le service ne répond pas',
      'Renvoyer dans un instant avec la même Idempotency-Key : ce fut peut-être enregistré, et ne l’est jamais deux fois.',
      'Redemander dans un instant.',
    ],
  ],
  'disk-full': [
    507,
    ['The disk is full: nothing was recorded', 'Free space on the data folder’s disk and send it again.'],
    ['Le disque est plein : rien n’a été enregistré', 'Libérer de la place sur le disque des données et renvoyer.'],
  ],
  internal: [
    500,
    ['The service failed', 'Report the trace id to whoever runs the service.'],
    ['Le service a échoué', 'Communiquer l’identifiant de trace à l’exploitant.'],
  ],
} as const satisfies Record<string, readonly [status: number, english: Told, french: Told]>;

export type PlatformCode = keyof typeof platform;

export interface ProblemOptions {
  /** Place → what is wrong there. */
  readonly errors?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A refusal on its way to the caller, as RFC 9457 problem details. */
export class Problem extends Error {
  readonly status: number;
  constructor(
    readonly code: PlatformCode,
    readonly options: ProblemOptions = {},
  ) {
    super(code);
    this.status = platform[code][0];
  }
}

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly traceId: string;
}

export type Language = 'en' | 'fr';

/** The one of our two languages that the caller prefers (RFC 9110, 12.5.4); English when neither is named. */
export const languageOf = (acceptLanguage: string | undefined): Language => {
  const preferred = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const q = parameters.map((x) => /^\s*q=([0-9.]+)/.exec(x)?.[1]).find((x) => x !== undefined);
      return { language: tag.split('-')[0], q: q === undefined ? 1 : Number(q) };
    })
    .filter(({ language, q }) => (language === 'en' || language === 'fr') && q > 0)
    .sort((a, b) => b.q - a.q);
  return preferred[0]?.language === 'fr' ? 'fr' : 'en';
};

const typeOf = (code: string): string => `urn:ledgerdesk:problem:${code}`;

/** A platform problem in the caller's language. */
export const problemDetails = ({ code, options }: Problem, language: Language, traceId: string, isQuery = false): ProblemDetails => {
  const [status, english, french] = platform[code];
  const [title, next, nextForAQuery = next]: Told = language === 'fr' ? french : english;
  const { errors, extra } = options;
  return { ...extra, type: typeOf(code), title, status, code, detail: isQuery ? nextForAQuery : next, traceId, ...(errors && { errors }) };
};

const refusedDetail: Readonly<Record<Language, string>> = {
  en: 'A rule refused; nothing was recorded. GET the thing to see how it stands.',
  fr: 'Une règle a refusé ; rien n’a été enregistré. La ressource montre son état actuel.',
};

/** What a rejection says in the caller's language; `{places}` of its text are filled with what the rule found. */
export const rejectionTitle = ({ reject: code, words }: Rejection, texts: Texts, language: Language): string => {
  const text = texts[code]?.[language === 'fr' ? 1 : 0] ?? code;
  return text.replace(/\{(\w+)\}/g, (_, word: string) => words[word] ?? '');
};

export const rejectionDetails = (rejection: Rejection, texts: Texts, language: Language, traceId: string): ProblemDetails => {
  const { reject: code, words } = rejection;
  const title = rejectionTitle(rejection, texts, language);
  return { ...words, type: typeOf(code), title, status: 409, code, detail: refusedDetail[language], traceId };
};
