/** Everything that is ever logged: event → its level and the sentence that an operator reads. Fields go beside it. */
export const EVENTS = {
  'server.starting': ['info', 'the server is starting'],
  'server.listening': ['info', 'a port listens'],
  'server.ready': ['info', 'the server is ready'],
  'server.stopping': ['info', 'the server is stopping'],
  'server.stopped': ['info', 'the server has stopped'],
  'server.reloaded': ['info', 'settings, certificates and keys were read again'],
  'server.reload-failed': ['error', 'settings, certificates or keys could not be read again; the old ones stay'],
  'server.restart-needed': ['warn', 'a changed setting takes effect at the next start'],
  'server.check-unusable': ['error', 'a check cannot be used; the others are evaluated'],
  'process.lost': ['error', 'a process of the server ended; it is started again'],
  'process.back': ['info', 'a process of the server works again'],
  'process.started': ['debug', 'a process of the server was started'],
  'tls.one-ticket-key': ['warn', 'this Node knows one key of session tickets only; a rotation voids those just given'],
  'store.waiting': ['warn', 'the store cannot be reached; waiting for it'],
  'store.lost': ['error', 'the store cannot be reached; requests get 503'],
  'store.back': ['info', 'the store can be reached again'],
  'store.maintenance': ['warn', 'the store is under maintenance; requests get 503'],
  'writer.connection-refused': [
    'error',
    "a connection to the store's writer sent what is not a write of this server's, and was ended",
  ],
  'notify.failed': ['warn', 'systemd could not be told'],
  'request.refused': ['warn', 'a request was refused'],
  'request.failed': ['error', 'a request failed'],
  'connection.broken': ['info', 'a connection sent what is not HTTP, or too slowly'],
  'submit.accepted': ['debug', 'a report is to be settled: its signature is good, and nothing of it is stored yet'],
  'submit.stored': ['info', 'a report was stored'],
  'submit.checked-in': ['debug', 'an unchanged report was confirmed'],
  'submit.repeated': ['info', 'a submission came again; its answer was repeated'],
  'submit.gone': ['info', 'the agent no longer held a submission'],
  'submit.new-epoch': ['warn', 'the first submission of a host since the store was restored'],
  'submit.chain-restarted': ['warn', 'a host went on whose chain was cleared, or lost with the store'],
  'submit.judge-failed': ['error', 'the checks could not be evaluated for a host'],
  'update.answered': ['debug', 'an agent asked for updates'],
  'patch.acknowledged': ['info', 'a host applied a patch'],
  'host.rotated': ['info', 'a host has another key; the old one ends later'],
  'host.renamed': ['info', 'a host has another name'],
  'host.lost-seen': ['warn', 'a host that is marked as lost came'],
  'host.not-renamed': ['warn', 'a host calls itself by a name that it was not given'],
  'enroll.limited': ['warn', 'too many enrolments are asked for from one address; it gets 429 for a while'],
  'enroll.approved': ['info', 'a host enrolled'],
  'enroll.pending': ['warn', 'a host enrolled and waits for approval'],
  'enroll.repeated': ['info', 'an enrolment came again; its answer was repeated'],
  'issue.opened': ['warn', 'an issue opened'],
  'issue.closed': ['info', 'an issue closed'],
  'operator.began': ['info', 'an operator began a command'],
  'operator.ended': ['info', "an operator's command ended"],
  'operator.log-damaged': ['error', 'the operator log was cut off or changed at its end; the next command found it'],
} as const satisfies Record<string, readonly ['debug' | 'info' | 'warn' | 'error', string]>;

export type EventName = keyof typeof EVENTS;

/** Values are short facts (a host, a code, milliseconds): never a payload, never a secret. */
export type EventFields = Record<string, string | number | boolean | undefined>;

export interface Log {
  event(name: EventName, fields?: EventFields): void;
}
