import { Command } from 'commander';
import { OperatorError } from '../core/errors.ts';
import { type Host, type HostId, isValid } from '../core/host.ts';
import { fitsPattern } from '../core/name-pattern.ts';
import type { OrderTarget } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import { MOST_TARGETS } from '../wire/v2/order.ts';
import { confirm } from './confirm.ts';
import type { AdminContext } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { findHost } from './find-host.ts';

export type Target = Pick<OrderTarget, 'host_id' | 'hostname'>;

/** Whom an order is for, as it was typed. */
export interface Selected {
  host?: string[];
  all?: true;
  yes?: true;
}

/** Hosts apart by how they are told: by signed orders, or (known only from v1) as the original client is. */
export interface Targets {
  v2: Target[];
  v1: string[];
}

/** A command that orders something of hosts which are chosen by name or pattern. */
export function targetingCommand(verb: string): Command {
  return new Command(verb)
    .option('--host <host...>', "names, or patterns such as 'lap-*'")
    .option('--all', 'every host')
    .option('--yes', 'without asking: patterns and --all ask first');
}

/**
 * The hosts that are meant. Whoever typed no single name is asked, so that they see whom they hit.
 * @param what behind "… on 12 hosts": `Run it`
 * @throws OperatorError where a name or a pattern means none, or nobody was named
 */
export async function selectTargets(context: AdminContext, selected: Selected, what: string): Promise<Targets> {
  const { host: names = [], all } = selected;
  if (names.length > 0 === (all === true)) {
    throw new OperatorError('cannot tell which hosts are meant: expected --host with names or patterns, or --all', {
      exitCode: EXIT.usage,
    });
  }
  const store = await context.store();
  const exact = names.filter((name) => !isPattern(name));
  const patterns = all === true ? ['*'] : names.filter(isPattern);
  const named = splitTargets(await Promise.all(exact.map((name) => findHost(store, name))), context.clock.now());
  const fitting = await findFitting(store, patterns);
  const { v1: speaks } = await context.settings();
  if (!speaks.enabled) refuseOriginal(named.v1);
  const v2 = byName([...named.v2, ...fitting.v2]);
  const v1 = speaks.enabled ? [...new Set([...named.v1, ...fitting.v1])].sort() : [];
  const meant = [...v2.map(({ hostname }) => hostname), ...v1];
  if (meant.length === 0) throw new OperatorError(`cannot order anything: ${noneLeft(fitting.v1)}`);
  if (meant.length > MOST_TARGETS) {
    throw new OperatorError(
      `cannot order that of ${meant.length} hosts at once: at most ${MOST_TARGETS}; do it in parts`,
    );
  }
  context.concerns(meant);
  if (!speaks.enabled) tellSkipped(context, fitting.v1);
  if (patterns.length > 0) await confirm(context, `${what} on ${listOf(meant)}?`, selected);
  return { v2, v1 };
}

/** Every host of v2 that there is now. */
export async function allEnrolled(store: Store): Promise<Target[]> {
  return (await findFitting(store, ['*'], { none: true })).v2;
}

/** One host, by its name. @throws OperatorError */
export async function selectHost(context: AdminContext, name: string): Promise<Target> {
  const { v2, v1 } = splitTargets([await findHost(await context.store(), name)], context.clock.now());
  refuseOriginal(v1);
  const [target] = v2;
  if (target === undefined) throw new OperatorError(`cannot order anything of ${name}`);
  context.concerns([target.hostname]);
  return target;
}

/** The one place that tells hosts of v2 from those of v1. @throws OperatorError for a host whose keys have all ended: it can fetch nothing */
function splitTargets(hosts: readonly Host[], now: Date): Targets {
  const targets: Targets = { v2: [], v1: [] };
  for (const { hostname, identity } of hosts) {
    if (identity === undefined) targets.v1.push(hostname);
    else if (identity.keys.some((key) => isValid(key, now))) targets.v2.push({ host_id: identity.host_id, hostname });
    else {
      throw new OperatorError(
        `cannot order anything of ${hostname}: its keys are revoked or have ended, so that it can fetch nothing; it has to enrol anew`,
      );
    }
  }
  return targets;
}

function refuseOriginal(hostnames: readonly string[]): void {
  if (hostnames.length === 0) return;
  const [verb, its] = hostnames.length === 1 ? ['speaks', 'its'] : ['speak', 'their'];
  throw new OperatorError(
    `cannot order anything of ${hostnames.join(', ')}: ${hostnames.length === 1 ? 'it' : 'they'} ${verb} the original protocol, and cannot check signed orders; install ${its} new agent and enrol it (penguindome enrollment token)`,
  );
}

/** By the short facts: whole hosts may be megabytes. */
async function findFitting(store: Store, patterns: readonly string[], may: { none?: true } = {}): Promise<Targets> {
  const fitting: Targets = { v2: [], v1: [] };
  if (patterns.length === 0) return fitting;
  const used = new Set<string>();
  const enrolled: string[] = [];
  for await (const { hostname, approved_at } of store.hosts.facts({}, [])) {
    const fits = patterns.filter((pattern) => fitsPattern(hostname, pattern));
    for (const pattern of fits) used.add(pattern);
    if (fits.length > 0) (approved_at === undefined ? fitting.v1 : enrolled).push(hostname);
  }
  const unused = patterns.find((pattern) => !used.has(pattern));
  if (unused !== undefined && may.none !== true) {
    throw new OperatorError(
      unused === '*'
        ? 'cannot order anything: there are no hosts yet'
        : `cannot find a host that fits ${unused}; \`penguindome hosts list\` shows those there are`,
    );
  }
  for (let from = 0; from < enrolled.length; from += AT_ONCE) {
    const some = enrolled.slice(from, from + AT_ONCE);
    const ids = await Promise.all(some.map((hostname) => hostIdOf(store, hostname)));
    for (const [index, host_id] of ids.entries()) {
      if (host_id !== undefined) fitting.v2.push({ host_id, hostname: some[index] ?? '' });
    }
  }
  return fitting;
}

const AT_ONCE = 100;

async function hostIdOf({ hosts }: Store, hostname: string): Promise<HostId | undefined> {
  return (await hosts.namesakes(hostname)).find((one) => one.hostname === hostname)?.host_id;
}

function isPattern(name: string): boolean {
  return /[*?]/.test(name);
}

function byName(targets: readonly Target[]): Target[] {
  const once = new Map(targets.map((target) => [target.host_id, target]));
  return [...once.values()].sort((a, b) => (a.hostname < b.hostname ? -1 : 1));
}

function noneLeft(v1: readonly string[]): string {
  return `all that fit speak the original protocol (${v1.slice(0, 3).join(', ')}${v1.length > 3 ? ', …' : ''})`;
}

function tellSkipped({ output }: AdminContext, v1: readonly string[]): void {
  if (v1.length > 0) output.note(`left out, since they speak the original protocol, which is off: ${v1.join(', ')}`);
}

const MOST_SHOWN = 20;

function listOf(hostnames: readonly string[]): string {
  const names = hostnames.slice(0, MOST_SHOWN);
  const more = hostnames.length > MOST_SHOWN ? ` and ${hostnames.length - MOST_SHOWN} more` : '';
  return hostnames.length === 1 ? (names[0] ?? '') : `${hostnames.length} hosts (${names.join(', ')}${more})`;
}
