import { eachStatus, rejections } from '#platform/decider/rejection.js';

/** One row a rule that refuses: its code, and what a person is told in English and in French. */
export const texts = {
  ...eachStatus('request', {
    new: ['The request is new: nobody is assigned', 'La demande est nouvelle : personne n’est assigné'],
    assigned: ['The request is assigned and not accepted', 'La demande est assignée et pas encore acceptée'],
    'in-progress': ['The request is in progress', 'La demande est en cours'],
    'on-hold': ['The request is on hold', 'La demande est en attente'],
    resolved: ['The request is resolved', 'La demande est résolue'],
    closed: ['The request is closed', 'La demande est close'],
    cancelled: ['The request is cancelled', 'La demande est annulée'],
    merged: ['The request is merged into another', 'La demande est fusionnée avec une autre'],
    other: ['The request is in a state of the tool that it came from', 'La demande est dans un état de son outil d’origine'],
  }),
  ...eachStatus('task', {
    open: ['The task is open: nobody is assigned', 'La tâche est ouverte : personne n’est assigné'],
    assigned: ['The task is assigned', 'La tâche est assignée'],
    done: ['The task is done', 'La tâche est faite'],
    cancelled: ['The task is cancelled', 'La tâche est annulée'],
  }),
  ...eachStatus('problem', {
    documented: ['The problem is documented and not triaged', 'Le problème est décrit et pas encore trié'],
    triaged: ['The problem is triaged: its cause is not known', 'Le problème est trié : sa cause n’est pas connue'],
    diagnosed: ['The problem is diagnosed', 'Le problème est diagnostiqué'],
    resolved: ['The problem is resolved', 'Le problème est résolu'],
  }),
  'request-already-open': ['This request is open already, with other particulars', 'Cette demande est déjà ouverte, avec d’autres données'],
  'task-already-open': ['This task is open already, with other particulars', 'Cette tâche est déjà ouverte, avec d’autres données'],
  'problem-already-open': [
    'This problem is documented already, with other particulars',
    'Ce problème est déjà décrit, avec d’autres données',
  ],
  'problem-not-found': ['There is no such problem', 'Ce problème n’existe pas'],
  'owner-not-found': ['No active staff member is the owner named', 'Le responsable désigné ne fait pas partie du personnel actif'],
  'action-already-assigned': ['This action is assigned already, otherwise', 'Cette action est déjà assignée, autrement'],
  'action-is-open': [
    'The task of the action {action} is neither done nor cancelled',
    'La tâche de l’action {action} n’est ni faite ni annulée',
  ],
  'publisher-identified-cause': [
    'Neither whoever identified the cause nor a deputy of theirs publishes the known error: another person does',
    'Ni qui a identifié la cause ni son suppléant ne publie l’erreur connue : une autre personne le fait',
  ],
  'request-not-found': ['There is no such request', 'Cette demande n’existe pas'],
  'client-not-found': ['There is no such client', 'Ce client n’existe pas'],
  'contact-not-found': ['The client has no such contact', 'Le client n’a pas ce contact'],
  'team-not-found': ['There is no such team', 'Cette équipe n’existe pas'],
  'team-is-disbanded': ['The team is disbanded', 'L’équipe est dissoute'],
  'staff-member-not-found': ['There is no such staff member', 'Cette personne ne fait pas partie du personnel'],
  'unknown-category': ['The category is not in the setting, which has {known}', 'Catégorie absente du paramétrage, qui a {known}'],
  'unknown-hold-reason': [
    'The hold reason is not in the setting, which has {known}',
    'Motif d’attente absent du paramétrage, qui a {known}',
  ],
  'unknown-resolution-code': [
    'The resolution code is not in the setting, which has {known}',
    'Code de résolution absent du paramétrage, qui a {known}',
  ],
  'priority-is-overridden': [
    'The priority was set by hand: only a coordinator lifts it',
    'La priorité a été fixée à la main : seul un coordinateur la lève',
  ],
  'no-rule-chooses': [
    'No routing rule takes it and there is no default team: name the team',
    'Aucune règle ne s’applique et il n’y a pas d’équipe par défaut : nommer l’équipe',
  ],
  'manual-routing-needs-senior': ['Only a senior or a coordinator names the team', 'Seul un senior ou un coordinateur désigne l’équipe'],
  'only-self-when-unassigned': [
    'A technician takes only what is nobody’s, and only for themself; a coordinator assigns anyone',
    'Un technicien ne prend que ce qui n’est à personne, et pour lui-même ; un coordinateur assigne qui il veut',
  ],
  'only-self': [
    'A technician takes it for themself only; a coordinator assigns anyone',
    'Un technicien ne la prend que pour lui-même ; un coordinateur assigne qui il veut',
  ],
  'assignee-departed': ['The one to be assigned has departed', 'La personne à assigner a quitté le service'],
  'assignee-absent': [
    'The one to be assigned is absent until {until}; deputy: {deputy}',
    'La personne à assigner est absente jusqu’au {until} ; suppléant : {deputy}',
  ],
  'assignee-lacks-skill': ['The one to be assigned lacks the skill {skill}', 'La personne à assigner n’a pas la compétence {skill}'],
  'assignee-not-in-team': [
    'The one to be assigned is not in the request’s team',
    'La personne à assigner n’est pas dans l’équipe de la demande',
  ],
  'complex-needs-senior': [
    'Complex work needs a senior, or a coordinator who names a senior as supervisor and a reason',
    'Un travail complexe exige un senior, ou un coordinateur qui nomme un senior comme superviseur et un motif',
  ],
  'only-coordinator-names-supervisor': ['Only a coordinator names a supervisor', 'Seul un coordinateur désigne un superviseur'],
  'supervisor-not-found': ['No active staff member is the supervisor named', 'Le superviseur nommé ne fait pas partie du personnel actif'],
  'supervisor-is-assignee': ['Nobody supervises themself', 'Nul ne se supervise soi-même'],
  'not-the-assignee': [
    'This is for the assignee, or for a coordinator whose role allows it',
    'Réservé à la personne assignée, ou à un coordinateur dont le rôle le permet',
  ],
  'functional-names-no-team': [
    'A functional escalation must name the team that it goes to',
    'Une escalade fonctionnelle doit désigner l’équipe destinataire',
  ],
  'only-functional-names-team': ['Only a functional escalation goes to a team', 'Seule une escalade fonctionnelle va à une équipe'],
  'first-response-already-sent': [
    'The first response was sent already: inform the client instead',
    'La première réponse est déjà envoyée : informer le client à la place',
  ],
  'content-not-found': [
    'No bytes of this SHA-256 and size are there yet for this request: send them first',
    'Aucun contenu de ce SHA-256 et de cette taille pour cette demande : l’envoyer d’abord',
  ],
  'watcher-not-found': [
    'No active staff member and no contact of the client is the watcher named',
    'L’observateur désigné n’est ni du personnel actif ni un contact du client',
  ],
  'no-question-sent': ['No question waits for the client’s answer', 'Aucune question n’attend de réponse du client'],
  'hold-names-nothing': ['This hold must name the {what} that it waits for', 'Cette attente doit nommer ce qu’elle attend : {what}'],
  'hold-names-another': ['Only a hold that waits for a {what} names one', 'Seule une attente de ce motif nomme ce qu’elle attend : {what}'],
  'follow-up-in-the-past': ['The follow-up date has passed', 'La date de relance est passée'],
  'another-hold': ['That hold has ended; another one is in force', 'Cette attente est finie ; une autre est en cours'],
  'self-link': ['A request is not linked to itself', 'Une demande n’est pas liée à elle-même'],
  'request-already-grouped': [
    'The request is grouped under another problem: ungroup it first',
    'La demande est rattachée à un autre problème : la détacher d’abord',
  ],
  'parts-not-distinct': [
    'Each part needs an id of its own, which is not this request’s',
    'Chaque partie a besoin d’un identifiant à elle, autre que celui de la demande',
  ],
  'part-already-open': ['There is a request {part} already', 'Une demande {part} existe déjà'],
  'not-a-part': ['The request named has no such part', 'La demande désignée n’a pas cette partie'],
  'another-assignee': ['Somebody else is assigned by now', 'Une autre personne est assignée entre-temps'],
  'self-merge': ['A request is not merged into itself', 'Une demande n’est pas fusionnée avec elle-même'],
  'merge-into-one-not-open': [
    'Only an open request takes another: the one named is {status}',
    'Seule une demande ouverte en absorbe une autre : celle désignée est {status}',
  ],
  'merge-into-another-client': ['Only requests of the same client are merged', 'Seules les demandes d’un même client sont fusionnées'],
  'merge-into-later': [
    'A request is merged into one that was opened earlier: merge the other way',
    'Une demande est fusionnée avec une plus ancienne : fusionner dans l’autre sens',
  ],
  'needs-senior': ['Only a senior or a coordinator does this', 'Réservé à un senior ou à un coordinateur'],
  'clients-write-public-notes': ['Clients write public notes only', 'Un client n’écrit que des notes publiques'],
  'resolution-needs-code-and-note': ['A resolution needs a code and a note', 'Une résolution exige un code et une note'],
  'not-on-behalf-of-the-contact': [
    'Staff reject a resolution on behalf of the contact only',
    'Le personnel ne refuse une résolution qu’au nom du contact',
  ],
  'only-coordinator-or-client-reopens': [
    'Only a coordinator or the client reopens what is closed',
    'Seul un coordinateur ou le client rouvre ce qui est clos',
  ],
  'reopen-window-passed': [
    'Closed more than {days} days ago: open a linked request',
    'Close depuis plus de {days} jours : ouvrir une demande liée',
  ],
  'satisfaction-already-rated': ['This resolution was rated already, otherwise', 'Cette résolution a déjà été évaluée, autrement'],
} as const;

export const reject = rejections(texts);
