import { connect } from 'node:net';
import { seconds } from '../core/duration.ts';
import type { EventFields, EventName } from '../core/events.ts';
import { createLog } from '../server/log.ts';

/** Where systemd-cat(1) writes to, too: a stream, each line of which becomes an entry. */
export const JOURNAL = '/run/systemd/journal/stdout';
const PATIENCE = seconds(1);

/** Writes one event to the system's journal, as the server logs its own; does nothing where there is no journal. */
export async function tellJournal(event: EventName, fields: EventFields, socket = JOURNAL): Promise<void> {
  let line = '';
  const keep = (text: string) => {
    line += text;
  };
  createLog({ write: keep }, 'info').event(event, fields);
  // identifier, unit, priority (6: info), whether lines begin with one, and whether to forward to syslog, kmsg, the console
  const head = ['penguindome', '', '6', '0', '0', '0', '0'].map((each) => `${each}\n`).join('');
  await new Promise<void>((resolve) => {
    const journal = connect(socket);
    const done = () => {
      journal.destroy();
      resolve();
    };
    journal.setTimeout(PATIENCE, done);
    journal.once('error', done);
    journal.once('close', done);
    journal.end(head + line);
    // it never answers; that it hangs up as we did is all that is to come
    journal.resume();
    journal.once('finish', done);
  });
}
