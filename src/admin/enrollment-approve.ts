import { Command } from 'commander';
import { type Enrollment, identityOf } from '../core/enrollment.ts';
import { OperatorError } from '../core/errors.ts';
import { type Host, isSameName } from '../core/host.ts';
import type { Namesake, Store } from '../store/port.ts';
import { beginsWith } from './begins-with.ts';
import { closeDuplicate } from './close-duplicate.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { identityLogOf } from './identity-log-of.ts';
import { showTime } from './show-time.ts';

export function enrollmentApprove(context: AdminContext): Command {
  return new Command('approve')
    .description('lets a machine in that waits for it, after showing who it says it is')
    .argument('<key-or-host>', 'the beginning of its key, or its host name')
    .option('--yes', 'without asking')
    .addHelpText('after', EXAMPLES)
    .action((wanted: string, options: { yes?: boolean }) => approve(context, wanted, options));
}

const EXAMPLES = `
Compare the key with what \`penguindome-agent status\` shows on the machine itself.
Write -- before a key that begins with a hyphen.

Examples:
  penguindome enrollment list --pending
  penguindome enrollment approve lap-17
  penguindome enrollment approve --yes 5fK2mQ`;

async function approve(context: AdminContext, wanted: string, options: { yes?: boolean }): Promise<void> {
  const store = await context.store();
  const enrollment = choose(await store.enrollments.list(), wanted);
  const namesakes = await store.hosts.namesakes(enrollment.hostname);
  refuseAmbiguousName(enrollment, namesakes);
  const [named] = namesakes;
  const holder = named && (await store.hosts.find(named.hostname));
  refuseTakenName(enrollment, holder);
  refuseTakenPlace(enrollment, await store.hosts.findById(enrollment.host_id));
  context.concerns([enrollment.hostname]);
  if (!context.output.wantsJson) printApplicant(context, enrollment, holder);
  await confirm(context, 'Let it in?', options);
  await letIn(context, store, enrollment, holder !== undefined);
  const { hostname, host_id, key_id } = enrollment;
  if (context.output.wantsJson) context.output.json({ hostname, host_id, key_id, status: 'approved' });
  else context.output.line(`${hostname} may report now`);
}

function choose(enrollments: Enrollment[], wanted: string): Enrollment {
  const named = enrollments.filter(
    ({ key_id, hostname }) => isSameName(hostname, wanted) || beginsWith(key_id, wanted),
  );
  const [pending, ...others] = named.filter(({ status }) => status === 'pending');
  if (pending !== undefined && others.length === 0) return pending;
  if (pending !== undefined) {
    const keys = [pending, ...others].map(
      ({ key_id, hostname, address }) => `  ${key_id}  ${hostname}, from ${address}`,
    );
    throw new OperatorError(`cannot tell which one is meant; give more of the key:\n${keys.join('\n')}`);
  }
  const [known] = named;
  if (known === undefined) {
    throw new OperatorError(
      `cannot find an enrolment of ${wanted || '""'}; \`penguindome enrollment list --pending\` shows what waits`,
    );
  }
  throw new OperatorError(`cannot approve ${known.hostname}: its key ${known.key_id} is ${known.status} already`);
}

/** Which of the v1 hosts would it take over? They stay apart, as the original has them, until one is gone. */
function refuseAmbiguousName({ key_id }: Enrollment, [first, ...others]: Namesake[]): void {
  if (first === undefined || first.host_id !== undefined || others.length === 0) return;
  const names = [first, ...others].map(({ hostname }) => hostname).join(' and ');
  throw new OperatorError(
    `cannot approve ${key_id}: ${names} are hosts known from the original client whose names differ in case only. ` +
      'Give all but one of these machines another name, forget what is left of the old ones (penguindome hosts forget NAME), and approve it then.',
  );
}

/** One key, one host: a second machine under a known name takes the first one's place only when that one is ended. */
function refuseTakenName({ key_id }: Enrollment, holder: Host | undefined): void {
  if (holder?.identity === undefined || holder.identity.keys.some(({ id }) => id === key_id)) return;
  const { hostname } = holder;
  throw new OperatorError(
    `cannot approve ${key_id}: ${hostname} is another machine's name already. ` +
      `If this one takes its place, say so: penguindome enrollment replace ${hostname} -- ${key_id}. ` +
      `If not, revoke this key (penguindome enrollment revoke ${key_id}), give the machine another name and enrol it anew.`,
  );
}

/** It asked for the place of a host that has got another name since. */
function refuseTakenPlace({ hostname, key_id, host_id }: Enrollment, holder: Host | undefined): void {
  if (holder === undefined || isSameName(holder.hostname, hostname)) return;
  throw new OperatorError(
    `cannot approve ${key_id}: it asked for the place of ${host_id}, which is named ${holder.hostname} now. ` +
      `Revoke this key (penguindome enrollment revoke ${key_id}), and enrol the machine anew.`,
  );
}

function printApplicant({ output }: AdminContext, enrollment: Enrollment, holder: Host | undefined): void {
  const { hostname, key_id, machine_id_digest, address, enrolled_at } = enrollment;
  const facts: [string, string][] = [
    ['host name', hostname],
    ['key', key_id],
    ['machine id', machine_id_digest === undefined ? 'not told' : `${machine_id_digest} (a digest)`],
    ['came from', address],
    ['asked at', showTime(enrolled_at)],
  ];
  for (const [name, value] of facts) output.line(`${name.padEnd(11)} ${value}`);
  if (holder !== undefined && holder.identity === undefined) {
    output.line();
    output.line(
      `${holder.hostname} is known from the original client, with its history, which this machine takes over.`,
    );
    output.line('Whoever has the key that all original clients share could have asked under this name: make sure.');
  }
}

/** The host first: stopped half way, it can be approved again. */
async function letIn(context: AdminContext, store: Store, enrollment: Enrollment, adopt: boolean): Promise<void> {
  const { hostname, key_id, host_id } = enrollment;
  const at = context.clock.now();
  await identityLogOf(await context.settings()).append({ event: 'approved', key_id, host_id, hostname, at });
  if (!(await store.hosts.attach(hostname, identityOf(enrollment, at), { adopt }))) {
    throw new OperatorError(`cannot approve ${key_id}: another machine took the name ${hostname} just now; look again`);
  }
  await store.enrollments.approve(key_id, at);
  await closeDuplicate(store, hostname, at);
}
