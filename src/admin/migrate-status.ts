import { Command } from 'commander';
import type { Host } from '../core/host.ts';
import type { Store } from '../store/port.ts';
import type { AdminContext } from './context.ts';
import { type Moving, readMoving, showMoving } from './migrate-moving.ts';
import { showAge, showTime } from './show-time.ts';

/** The issue of a host that has enrolled, and whose original client still reports. */
const STILL_RUNS = 'downgraded-identity';

export function migrateStatus(context: AdminContext): Command {
  return new Command('status')
    .description('the hosts that still run the original client, and how many have come over')
    .addHelpText('after', EXAMPLES)
    .action(() => showStatus(context));
}

const EXAMPLES = `
KNOWN SINCE is the first change that was recorded of a host; MOVING how far migrate host has come with it. A host that has enrolled, and
whose original client still reports too, is listed as well: that client is refused, and is to be removed there.

Examples:
  penguindome migrate status
  penguindome migrate status --json | jq -r '.v1[].hostname'
  penguindome migrate status --json | jq -r '.v1[] | select(.moving.state == "waits") | .hostname'`;

interface Row {
  hostname: string;
  /** of the first change that was recorded of it */
  since: Date | null;
  last_seen: Date | null;
  suspended: boolean;
  /** how far `migrate host` has come; null: it was not said */
  moving: Moving | null;
}

interface Status {
  /** whether hosts may speak v1 at all */
  v1_enabled: boolean;
  v1: Row[];
  /** how many have enrolled */
  v2: number;
  /** those of them whose original client still reports */
  still_running: string[];
}

async function showStatus(context: AdminContext): Promise<void> {
  const { v1 } = await context.settings();
  const status = await readStatus(await context.store(), v1.enabled, context.clock.now());
  if (context.output.wantsJson) context.output.json(status);
  else printStatus(context, status);
}

async function readStatus(store: Store, v1_enabled: boolean, now: Date): Promise<Status> {
  const status: Status = { v1_enabled, v1: [], v2: 0, still_running: [] };
  const movingOf = await readMoving(store, now);
  for await (const host of store.hosts.list()) {
    if (host.identity === undefined) status.v1.push(await rowOf(store, host, movingOf(host)));
    else status.v2++;
  }
  for await (const { hostname } of store.issues.listOpen({ names: [STILL_RUNS] })) status.still_running.push(hostname);
  return status;
}

async function rowOf(
  store: Store,
  { hostname, submitted_at, suspended }: Host,
  moving: Moving | undefined,
): Promise<Row> {
  return {
    hostname,
    since: (await store.trail.since(hostname)) ?? null,
    last_seen: submitted_at ?? null,
    suspended: suspended === true,
    moving: moving ?? null,
  };
}

function printStatus({ output, clock }: AdminContext, { v1_enabled, v1, v2, still_running }: Status): void {
  const now = clock.now();
  if (v1.length > 0) {
    output.table(
      ['HOST', 'KNOWN SINCE', 'LAST SEEN', 'MOVING'],
      v1.map(({ hostname, since, last_seen, suspended, moving }) => [
        suspended ? `${hostname} (suspended)` : hostname,
        showTime(since ?? undefined),
        showAge(last_seen ?? undefined, now),
        showMoving(moving, now),
      ]),
    );
    output.line();
  }
  for (const hostname of still_running) {
    output.line(`${hostname} has enrolled, and its original client still reports: remove it there`);
  }
  output.line(`${v1.length} still speak v1, ${v2} have enrolled.`);
  if (v1.length > 0 && !v1_enabled)
    output.note('v1 is off: they are refused (penguindome settings set v1.enabled true)');
  if (v1.length === 0 && v1_enabled && v2 > 0 && still_running.length === 0) {
    output.note('nobody needs v1 any more: penguindome settings set v1.enabled false');
  }
}
