import * as problemEvents from '#contexts/requests/contract/problem.js';
import * as requestEvents from '#contexts/requests/contract/request.js';
import * as taskEvents from '#contexts/requests/contract/task.js';
import { clientStatus, problems, requests, tasks, workload } from '#contexts/requests/index.js';
import * as problem from '#contexts/requests/problem.js';
import * as assigning from '#contexts/requests/request/assigning.js';
import * as ending from '#contexts/requests/request/ending.js';
import * as opening from '#contexts/requests/request/opening.js';
import * as relating from '#contexts/requests/request/relating.js';
import * as sorting from '#contexts/requests/request/sorting.js';
import * as talking from '#contexts/requests/request/talking.js';
import * as waiting from '#contexts/requests/request/waiting.js';
import * as task from '#contexts/requests/task.js';
import * as settingEvents from '#contexts/settings/contract/setting.js';
import { settings } from '#contexts/settings/index.js';
import * as setting from '#contexts/settings/setting.js';
import * as client from '#contexts/staff/client.js';
import * as clientEvents from '#contexts/staff/contract/client.js';
import * as staffEvents from '#contexts/staff/contract/staff-member.js';
import * as teamEvents from '#contexts/staff/contract/team.js';
import { clients, staffMembers, teams } from '#contexts/staff/index.js';
import * as reclassification from '#contexts/staff/reclassification.js';
import * as staffMember from '#contexts/staff/staff-member.js';
import * as team from '#contexts/staff/team.js';
import { type AnyCommand } from '#platform/decider/aggregate.js';
import { type View } from '#platform/http/views.js';
import { type Collection } from '#platform/read-models/collection.js';

export interface Served {
  readonly duty: string;
  /** What of it the product does not carry yet. */
  readonly without?: string;
  readonly commands: readonly AnyCommand[];
  readonly events: readonly { readonly type: string; readonly version: number }[];
  readonly reads: readonly (Collection | View)[];
  /** Spec file → full titles as they are written in it (`describe it`). */
  readonly tests: Readonly<Record<string, readonly string[]>>;
}
export interface NotServed {
  readonly duty: string;
  /** What has to be there first. */
  readonly waitsFor: string;
}

export const isServed = (row: Served | NotServed): row is Served => 'commands' in row;

const specs = {
  opening: 'libs/contexts/requests/request/opening.spec.ts',
  sorting: 'libs/contexts/requests/request/sorting.spec.ts',
  assigning: 'libs/contexts/requests/request/assigning.spec.ts',
  waiting: 'libs/contexts/requests/request/waiting.spec.ts',
  talking: 'libs/contexts/requests/request/talking.spec.ts',
  relating: 'libs/contexts/requests/request/relating.spec.ts',
  ending: 'libs/contexts/requests/request/ending.spec.ts',
  problem: 'libs/contexts/requests/problem.spec.ts',
  importing: 'libs/contexts/requests/importing.spec.ts',
  task: 'libs/contexts/requests/task.spec.ts',
  setting: 'libs/contexts/settings/setting.spec.ts',
  client: 'libs/contexts/staff/client.spec.ts',
  staffMember: 'libs/contexts/staff/staff-member.spec.ts',
  team: 'libs/contexts/staff/team.spec.ts',
  reclassification: 'libs/contexts/staff/reclassification.spec.ts',
  journey: 'test/journeys/journey.spec.ts',
  queries: 'test/journeys/queries.spec.ts',
  views: 'test/journeys/views.spec.ts',
  problems: 'test/journeys/problems.spec.ts',
  reactions: 'test/journeys/reactions.spec.ts',
  settings: 'test/journeys/settings.spec.ts',
  correcting: 'test/journeys/correcting.spec.ts',
  files: 'test/journeys/files.spec.ts',
} as const;

/** The duties of an application support technician, as job descriptions state them: the first is number 1. */
export const duties: readonly (Served | NotServed)[] = [
  {
    duty: 'Takes what clients ask for: help, or a service',
    commands: [opening.OpenRequest, talking.LogCall, sorting.CorrectRequest, relating.SplitRequest],
    events: [requestEvents.RequestOpened, requestEvents.CallLogged, requestEvents.RequestCorrected, requestEvents.RequestSplit],
    reads: [requests],
    tests: {
      [specs.opening]: ['OpenRequest takes a request of the contact, with what is left out filled in'],
      [specs.talking]: ['LogCall is kept of what is %s'],
      [specs.relating]: ['SplitRequest says of each part which request it becomes; what is left goes on'],
      [specs.correcting]: [
        'a request whose client was taken down wrongly is the other client’s at once: to read, to list and to write to; to the former one it does not exist',
      ],
      [specs.sorting]: ['CorrectRequest puts right what is %s'],
    },
  },
  {
    duty: 'Ranks requests by what they matter',
    commands: [sorting.CategoriseRequest, sorting.PrioritiseRequest, sorting.OverridePriority],
    events: [requestEvents.RequestCategorised, requestEvents.RequestPrioritised, requestEvents.PriorityOverridden],
    reads: [requests, settings],
    tests: {
      [specs.sorting]: [
        'CategoriseRequest sorts a request that is %s',
        'PrioritiseRequest ranks impact %s, urgency %s as %s',
        'OverridePriority holds the priority that the matrix gave, so that nobody but a coordinator changes it',
      ],
      [specs.queries]: ['queries over HTTP the queue orders by %s, both ways, with what is empty last in both'],
    },
  },
  {
    duty: 'Sends requests to the people who can deal with them',
    commands: [
      ...[assigning.RouteRequest, assigning.AssignToStaff, assigning.AcceptRequest, assigning.UnassignRequest, assigning.EscalateRequest],
      ...[staffMember.GrantSkill, team.FormTeam, team.AddTeamMember],
    ],
    events: [
      ...[requestEvents.RequestRouted, requestEvents.RequestAssigned, requestEvents.RequestAccepted, requestEvents.RequestUnassigned],
      ...[requestEvents.RequestEscalated, staffEvents.SkillGranted, teamEvents.TeamFormed, teamEvents.TeamMemberAdded],
    ],
    reads: [requests, workload, teams, staffMembers],
    tests: {
      [specs.assigning]: [
        'RouteRequest without a team: the rules choose %s: by client and category, else by client, else by category',
        'RouteRequest without a team: the rules choose suggests whoever has the fewest open requests, ties by id, and says among whom',
        'AssignToStaff lets a coordinator assign anyone to what is %s',
        'AcceptRequest begins the work',
        'UnassignRequest makes what is %s nobody’s: new',
        'EscalateRequest to a team clears the assignee of what is %s: new',
      ],
      [specs.staffMember]: ['GrantSkill adds a skill of the setting'],
      [specs.team]: [
        'FormTeam makes a group to which requests are routed',
        'AddTeamMember puts an active member into the team from a date',
      ],
      [specs.reactions]: [
        'what the desk does by itself takes the open requests of who departed back to the team, also one that was assigned to them too late',
      ],
    },
  },
  {
    duty: 'Keeps a database of requests, and follows each until it is over',
    commands: [
      ...[waiting.HoldRequest, waiting.ResumeRequest, relating.LinkRequests, relating.UnlinkRequests],
      ...[relating.MergeRequest, relating.UnmergeRequest, talking.AddWatcher, talking.RemoveWatcher, ending.CancelRequest],
    ],
    events: [
      ...[requestEvents.RequestPutOnHold, requestEvents.RequestResumed, requestEvents.RequestsLinked, requestEvents.RequestsUnlinked],
      ...[requestEvents.RequestMerged, requestEvents.RequestUnmerged, requestEvents.WatcherAdded, requestEvents.WatcherRemoved],
      ...[requestEvents.RequestCancelled, requestEvents.RequestStatusImported, requestEvents.AttributesImported],
      ...[requestEvents.ActivityImported],
    ],
    reads: [requests],
    tests: {
      [specs.journey]: [
        'the whole way of a request, over HTTP tells in its history every event: who, when, why, and what it changed',
        'the whole way of a request, over HTTP stands in the queue and its counts as of each step',
      ],
      [specs.queries]: ['queries over HTTP the queue selects by %s, and counts the same'],
      [specs.waiting]: ['HoldRequest stops what is %s, and keeps the status left', 'ResumeRequest leads back to %s, the status left'],
      [specs.relating]: [
        'LinkRequests links what is %s',
        'UnlinkRequests undoes a link of what is %s',
        'MergeRequest is for the assignee, a senior and a coordinator',
        'UnmergeRequest leads back to %s, the status left',
      ],
      [specs.ending]: ['CancelRequest withdraws what is %s'],
      [specs.importing]: [
        'a row of another tool is the whole state after its events, whatever was before',
        'a row of another tool of a log of activities tells what was done, and moves the status only when it means one',
      ],
      [specs.talking]: ['AddWatcher lets a staff member watch what is %s', 'RemoveWatcher takes one off what is %s, and leaves the others'],
      [specs.reactions]: ['what the desk does by itself brings a hold back when its date has come, and not before'],
    },
  },
  {
    duty: 'Keeps clients informed, and is who they talk to',
    commands: [talking.SendFirstResponse, talking.InformClient, talking.RecordReply, client.AssignLiaison],
    events: [...[requestEvents.FirstResponseSent, requestEvents.ClientInformed, requestEvents.ReplyRecorded, clientEvents.LiaisonAssigned]],
    reads: [clientStatus, requests, clients],
    tests: {
      [specs.talking]: [
        'SendFirstResponse tells the contact that what is %s was taken up',
        'InformClient tells the contact of what is %s',
        'RecordReply answers the open question',
      ],
      [specs.client]: ['AssignLiaison names an active member who looks after the client'],
      [specs.views]: [
        'views that join collections GET /clients/{id}/status tells the client how each of its requests stands, what changed last first, and nothing of the desk',
      ],
      [specs.reactions]: [
        'what the desk does by itself goes on with what waited for the client when they answer, and says in its journal that it did',
      ],
    },
  },
  {
    duty: 'Helps and advises, in writing and by word of mouth',
    commands: [opening.GiveAdvice, talking.InformClient, talking.LogCall],
    events: [requestEvents.RequestOpened, requestEvents.RequestResolved, requestEvents.ClientInformed, requestEvents.CallLogged],
    reads: [requests],
    tests: {
      [specs.opening]: ['GiveAdvice opens a question and resolves it, by whoever gave the answer'],
      [specs.talking]: ['InformClient is attested by its sender when spoken: %s', 'LogCall is kept of what is %s'],
      [specs.problems]: ['requests of one cause are asked and answered in one act, once'],
    },
  },
  {
    duty: 'Solves problems',
    commands: [ending.ResolveRequest, ending.CloseRequest, problem.IdentifyRootCause, problem.PublishKnownError, problem.ResolveProblem],
    events: [
      ...[requestEvents.RequestResolved, requestEvents.RequestClosed, problemEvents.RootCauseIdentified],
      ...[problemEvents.KnownErrorPublished, problemEvents.ProblemResolved],
    ],
    reads: [requests, problems],
    tests: {
      [specs.ending]: ['ResolveRequest ends what is %s', 'CloseRequest ends it, for the client, the assignee and a coordinator'],
      [specs.problem]: [
        'IdentifyRootCause says of what is %s what the cause is: diagnosed',
        'PublishKnownError tells the desk how to live with it',
        'ResolveProblem ends it',
      ],
      [specs.problems]: [
        'requests of one cause have a problem that is triaged, diagnosed by one, published by another, and resolved when nothing is left to do',
      ],
    },
  },
  {
    duty: 'Writes production problems down, so that something is done about them',
    commands: [problem.DocumentProblem, problem.TriageProblem, problem.AssignAction, relating.GroupRequest, relating.UngroupRequest],
    events: [
      ...[problemEvents.ProblemDocumented, problemEvents.ProblemTriaged, problemEvents.ActionAssigned],
      ...[requestEvents.RequestGrouped, requestEvents.RequestUngrouped],
    ],
    reads: [problems, tasks, requests],
    tests: {
      [specs.problem]: [
        'DocumentProblem writes it down under the key of whoever does',
        'TriageProblem says how bad it is, and who sees to it',
        'AssignAction gives somebody something to do about what is %s',
      ],
      [specs.relating]: [
        'GroupRequest puts what is %s under a problem',
        'UngroupRequest takes what is %s out of its problem, which need not be open any more',
      ],
      [specs.problems]: ['requests of one cause are grouped, linked and merged, and found from the other side'],
    },
  },
  { duty: 'Checks that what the systems produce is complete and right', waitsFor: 'outputs' },
  { duty: 'Asks other departments', waitsFor: 'outputs' },
  { duty: 'Has what is wrong corrected', waitsFor: 'outputs' },
  { duty: 'Delivers reports and data to the clients they are for', waitsFor: 'outputs' },
  { duty: 'Keeps distribution lists', waitsFor: 'outputs' },
  { duty: 'Plans what goes in and comes out, and knows how scheduled jobs stand', waitsFor: 'production' },
  { duty: 'Gives people access by the procedures, and keeps it right', waitsFor: 'access' },
  { duty: 'Examines contracts for what is wrong or missing', waitsFor: 'contracts' },
  { duty: 'Sees that production keeps to the contracts', waitsFor: 'production and contracts' },
  { duty: 'Bills clients for what subcontractors did', waitsFor: 'contracts' },
  {
    duty: 'Keeps records, reports, journals and accounts',
    without: 'Accounts of money come with contracts.',
    commands: [talking.LogTime, talking.LogCall, talking.AddNote],
    events: [requestEvents.TimeLogged, requestEvents.CallLogged, requestEvents.NoteAdded],
    reads: [requests, workload],
    tests: {
      [specs.talking]: [
        'LogTime counts the time spent on what is %s',
        'LogCall is logged again when it is sent again',
        'AddNote is added to what is %s',
      ],
      [specs.views]: ['views that join collections GET /workload counts the minutes of other days, by the day on which they were spent'],
      [specs.queries]: ['queries over HTTP as CSV takes filters and orders, and is not capped'],
    },
  },
  { duty: 'Writes manuals, training material, newsletters and memos', waitsFor: 'knowledge' },
  { duty: 'Trains users', waitsFor: 'knowledge' },
  { duty: 'Takes part in testing and introducing systems, and talks with programmers about changes', waitsFor: 'changes' },
  {
    duty: 'Stands between the centre and the clients assigned to them',
    commands: [client.RegisterClient, client.AddContact, client.RemoveContact, client.AssignLiaison],
    events: [clientEvents.ClientRegistered, clientEvents.ContactAdded, clientEvents.ContactRemoved, clientEvents.LiaisonAssigned],
    reads: [clients, clientStatus],
    tests: {
      [specs.client]: [
        'RegisterClient begins to serve a client',
        'AddContact makes a person of the client known, each particular sealed under their own identity key',
        'RemoveContact takes the person off the client’s record',
        'AssignLiaison is already so for the same member',
      ],
      [specs.queries]: ['queries over HTTP the other collections clients: with their contacts, history and differences'],
    },
  },
  {
    duty: 'Keeps schedules, procedures and deadlines',
    without: 'Schedules of jobs come with production, written procedures with knowledge.',
    commands: [
      ...[waiting.HoldRequest, task.OpenTask, problem.AssignAction, staffMember.DeclareAbsence, staffMember.CancelAbsence],
      ...[setting.ProposeSetting, setting.PublishSetting, setting.WithdrawSetting],
    ],
    events: [
      ...[requestEvents.RequestPutOnHold, taskEvents.TaskOpened, problemEvents.ActionAssigned, staffEvents.AbsenceDeclared],
      ...[staffEvents.AbsenceCancelled, settingEvents.SettingProposed, settingEvents.SettingPublished, settingEvents.SettingWithdrawn],
    ],
    reads: [requests, tasks, workload, settings],
    tests: {
      [specs.waiting]: ['HoldRequest again with another date changes the date'],
      [specs.reactions]: ['what the desk does by itself brings a hold back when its date has come, and not before'],
      [specs.task]: ['OpenTask takes a team and when it is due'],
      [specs.problem]: ['AssignAction gives somebody something to do about what is %s'],
      [specs.staffMember]: [
        'DeclareAbsence says when a member is away, for the member and a coordinator',
        'CancelAbsence says that the member is not away after all, for the member and a coordinator',
      ],
      [specs.setting]: [
        'ProposeSetting says what a setting shall be, and leaves what is in force as it was shipped',
        'PublishSetting puts the proposal in force as the next version',
        'WithdrawSetting takes the proposal back, for %s',
      ],
    },
  },
  {
    duty: 'Works under a coordinator',
    commands: [
      ...[assigning.AssignToStaff, assigning.EscalateRequest, sorting.OverridePriority, team.NameTeamLead],
      ...[staffMember.AppointDeputy, staffMember.WithdrawDeputy, staffMember.WithdrawSkill, staffMember.RecordDeparture],
      ...[team.RemoveTeamMember, team.DisbandTeam],
    ],
    events: [
      ...[requestEvents.RequestAssigned, requestEvents.RequestEscalated, requestEvents.PriorityOverridden, teamEvents.TeamLeadNamed],
      ...[staffEvents.DeputyAppointed, staffEvents.DeputyWithdrawn, staffEvents.SkillWithdrawn, staffEvents.StaffMemberDeparted],
      ...[teamEvents.TeamMemberRemoved, teamEvents.TeamDisbanded],
    ],
    reads: [workload, requests, teams, staffMembers],
    tests: {
      [specs.assigning]: [
        'AssignToStaff of complex work to one who is not senior happens when a coordinator names a supervisor and a reason',
        'EscalateRequest up the line changes the level alone of what is %s',
      ],
      [specs.sorting]: ['OverridePriority sets the priority of what is %s by hand'],
      [specs.team]: [
        'NameTeamLead names an active member from a day on, today when none is said',
        'RemoveTeamMember takes a member out from a day on, today when none is said',
        'DisbandTeam ends a team to which no open request is routed',
      ],
      [specs.staffMember]: [
        'AppointDeputy names who stands in, for the member and a coordinator',
        'WithdrawDeputy ends whatever they were appointed for, for the member and a coordinator',
        'WithdrawSkill takes a skill back',
        'RecordDeparture ends the membership, and with it skills, absences, deputies and what was asked',
      ],
      [specs.views]: [
        'views that join collections GET /workload tells of each member what is in hand, held, logged this week, and when they are away; the most loaded first',
      ],
    },
  },
  {
    duty: 'Grows from entry to senior in two years, with courses',
    commands: [
      ...[staffMember.HireStaffMember, staffMember.RecordCourse, reclassification.RequestReclassification],
      ...[reclassification.ApproveReclassification, reclassification.DeclineReclassification],
    ],
    events: [
      ...[staffEvents.StaffMemberHired, staffEvents.CourseRecorded, staffEvents.ReclassificationRequested],
      ...[staffEvents.ReclassificationApproved, staffEvents.ReclassificationDeclined],
    ],
    reads: [staffMembers],
    tests: {
      [specs.staffMember]: [
        'HireStaffMember makes a person a member of the staff',
        'RecordCourse keeps a course of the setting that the member completed, today at the latest',
      ],
      [specs.reclassification]: [
        'RequestReclassification counts months of service to the day: hired on %s',
        'RequestReclassification needs every course: courses-missing',
        'ApproveReclassification makes the member senior',
        'DeclineReclassification leaves the member at entry level',
      ],
    },
  },
  { duty: 'As a senior, looks at needs as a whole', waitsFor: 'changes' },
  {
    duty: 'Keeps files',
    commands: [talking.AttachFile],
    events: [requestEvents.FileAttached],
    reads: [requests],
    tests: {
      [specs.talking]: [
        'AttachFile puts a file whose bytes are there to what is %s',
        'AttachFile is refused before its bytes are there, and when they are more or fewer: content-not-found',
        'AttachFile is shown to the client',
      ],
      [specs.files]: [
        'files of requests the bytes first of a file of %i bytes come back as they went',
        'files of requests who may is whoever may send to the request: of another client’s there is none',
        'files of requests what is answered stands in the request and its history, for the client too',
      ],
    },
  },
  {
    duty: 'Makes routine reports and calculations',
    commands: [talking.LogTime],
    events: [requestEvents.TimeLogged],
    reads: [requests, workload, clientStatus],
    tests: {
      [specs.talking]: ['LogTime adds to the time of others, and counts again when it is sent again'],
      [specs.queries]: [
        'queries over HTTP the queue counts by %s, the most first, then by key, nobody as null',
        'queries over HTTP the queue answers for any instant of the past, by both clocks, with the filters of today',
        'queries over HTTP as CSV has the fields as header, tags and attributes as JSON, and no cell that is a formula',
      ],
      [specs.views]: ['views that join collections GET /workload is the same as CSV'],
    },
  },
  {
    duty: 'Answers for how right and how quick the results are',
    without: 'Clocks that measure against what was agreed come with service levels.',
    commands: [ending.RejectResolution, ending.ReopenRequest, ending.RateSatisfaction],
    events: [requestEvents.ResolutionRejected, requestEvents.RequestReopened, requestEvents.SatisfactionRated],
    reads: [requests],
    tests: {
      [specs.ending]: [
        'RejectResolution leaves nothing of the resolution',
        'ReopenRequest takes up again what is resolved, for the client and everybody on the desk',
        'RateSatisfaction rates the resolution of what is %s, for every contact of the client',
      ],
      [specs.journey]: [
        'the whole way of a request, over HTTP says on what each decision stood: facts as stream@revision, settings by version, the rule of the routing',
      ],
    },
  },
  { duty: 'Keeps up with the products', waitsFor: 'knowledge' },
  {
    duty: 'Does whatever else goes with it',
    commands: [task.OpenTask, task.AssignTask, task.CompleteTask, task.CancelTask],
    events: [taskEvents.TaskOpened, taskEvents.TaskAssigned, taskEvents.TaskCompleted, taskEvents.TaskCancelled],
    reads: [tasks],
    tests: {
      [specs.task]: [
        'OpenTask may be about a %s, and is sealed then under the key of whoever opens it',
        'AssignTask lets a technician take it',
        'CompleteTask is for the assignee',
        'CancelTask ends what is %s',
      ],
      [specs.problems]: ['requests of one cause are told in the lists of problems and tasks, now and as of then, by number and as CSV'],
    },
  },
];

const pathOf = (read: Collection | View): string => ('path' in read ? read.path : `/${read.aggregate.collection}`);

const rowOf = (row: Served | NotServed, i: number): readonly string[] => {
  if (!isServed(row)) return [];
  const shown = Object.entries(row.tests).flatMap(([spec, titles]) => [
    `  - [${spec}](../${spec})`,
    ...titles.map((title) => `    - ${title}`),
  ]);
  return [
    `## ${i + 1}. ${row.duty}`,
    '',
    ...(row.without === undefined ? [] : [row.without, '']),
    `- commands: ${row.commands.map(({ name }) => `\`${name}\``).join(', ')}`,
    `- events: ${row.events.map(({ type, version }) => `[${type}](events.md#${type.toLowerCase()}-v${version})`).join(', ')}`,
    `- read in: ${row.reads.map((read) => `\`GET ${pathOf(read)}\``).join(', ')}`,
    '- shown by:',
    ...shown,
    '',
  ];
};

/** docs/duties.md. */
export const dutiesPage = (): string => {
  const waiting = duties.flatMap((row, i) => (isServed(row) ? [] : [`- ${i + 1}. ${row.duty}; waits for ${row.waitsFor}`]));
  return [
    '# The duties that the product serves',
    '',
    'Generated by `npm run generate` from [apps/cli/duties.ts](../apps/cli/duties.ts), which knows commands, events and read models by the code; [test/duties.spec.ts](../test/duties.spec.ts) fails when a test named here is not there.',
    '',
    `Of the ${duties.length} duties that job descriptions of application support technicians state, ${duties.length - waiting.length} are served: done through commands, seen in read models, proved from history (\`/history\` of each thing). In the titles of tests, \`%s\` stands for each case.`,
    '',
    ...duties.flatMap(rowOf),
    '## Not served yet',
    '',
    ...waiting,
    '',
  ].join('\n');
};
