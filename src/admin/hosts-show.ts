import { Command } from 'commander';
import { stringify } from 'yaml';
import type { Judgement } from '../core/check.ts';
import type { Host, HostKey } from '../core/host.ts';
import type { OrderKind, OrderState, OrderTarget } from '../core/order.ts';
import type { Store } from '../store/port.ts';
import { agentVersionOf } from './agent-version-of.ts';
import type { AdminContext } from './context.ts';
import { findHost } from './find-host.ts';
import { showAnswer, showEvidence } from './show-answer.ts';
import { showKeyEnd } from './show-key-end.ts';
import { lapsed, showOutcome } from './show-outcome.ts';
import { showAge, showTime } from './show-time.ts';

export function hostsShow(context: AdminContext): Command {
  return new Command('show')
    .description('all that is known of a host: who it is, how its checks stand and why, what it reported')
    .argument('<host>', 'its name')
    .addHelpText('after', EXAMPLES)
    .action((hostname: string) => showHost(context, hostname));
}

const EXAMPLES = `
With --json: the stored document, with plugins, commands, times and the results of the checks, its last orders, and the end of its chain of
receipts. What a check that does not fail looked at is not stored, and shown as the host last reported it.

Examples:
  penguindome hosts show lap-17
  penguindome hosts show lap-17 --json | jq .plugins.os_updates`;

async function showHost(context: AdminContext, hostname: string): Promise<void> {
  const store = await context.store();
  const found = await findHost(store, hostname);
  const checks = found.checks && (await context.checks()).recall(found);
  const host = { ...found, ...(checks && { checks: byName(checks) }) };
  const orders = await ordersOf(store, host, context.clock.now());
  const receipts = host.identity && (await store.orders.receipts(host.identity.host_id));
  if (context.output.wantsJson) {
    const { identity: _identity, ...shown } = host;
    context.output.json({
      ...shown,
      agent_version: agentVersionOf(host) ?? null,
      ...shownIdentity(host),
      ...(orders.length === 0 ? {} : { orders }),
      ...(receipts && { receipts }),
    });
    return;
  }
  printHead(context, host, receipts);
  printOrders(context, orders);
  printChecks(context, host);
  printReported(context, host);
}

function byName(checks: Judgement): Judgement {
  const sorted = Object.entries(checks.results).sort(([a], [b]) => (a < b ? -1 : 1));
  return { ...checks, results: Object.fromEntries(sorted) };
}

/** The chain value is the host's alone: it is how a copy of its key is told from the host. */
function shownIdentity({ identity }: Host): object {
  if (identity === undefined) return {};
  const { last, ...shown } = identity;
  return { identity: { ...shown, last: last === null ? null : { submission: last.submission, at: last.at } } };
}

interface ShownOrder {
  order: string;
  /** null: the order itself is gone */
  kind: OrderKind | null;
  state: OrderState;
  outcome: string;
  at: Date;
}

const MOST_ORDERS = 10;

/** Its last ones, newest first. */
async function ordersOf({ orders }: Store, { identity }: Host, now: Date): Promise<ShownOrder[]> {
  if (identity === undefined) return [];
  const targets: OrderTarget[] = [];
  for await (const target of orders.targets({ host_id: identity.host_id })) targets.push(target);
  // ids rise with time
  const last = targets.sort((a, b) => (a.order < b.order ? 1 : -1)).slice(0, MOST_ORDERS);
  return Promise.all(
    last.map(async (stored) => {
      const order = await orders.find(stored.order);
      const target = order === undefined ? stored : lapsed(stored, order, now);
      return {
        order: target.order,
        kind: order?.kind ?? null,
        state: target.state,
        outcome: showOutcome(target),
        at: target.at,
      };
    }),
  );
}

function printOrders({ output }: AdminContext, orders: readonly ShownOrder[]): void {
  if (orders.length === 0) return;
  output.line();
  output.table(
    ['ORDER', 'KIND', 'STATE', 'SINCE'],
    orders.map(({ order, kind, outcome, at }) => [order, kind ?? '-', outcome, showTime(at)]),
  );
}

function printHead({ output, clock }: AdminContext, host: Host, receipts: Receipts | undefined): void {
  const { identity } = host;
  const facts: [string, string][] = [
    ['host', host.hostname],
    ...(identity === undefined ? [] : ([['host id', identity.host_id]] satisfies [string, string][])),
    ['speaks', identity === undefined ? 'v1 (the original client)' : `v2, since ${showTime(identity.approved_at)}`],
    ['agent', agentVersionOf(host) ?? 'it does not say which version'],
    ['reported', `${showTime(host.submitted_at)} (${showAge(host.submitted_at, clock.now())})`],
    ['collected', showTime(host.collected_at)],
    ...(identity?.lost_at === undefined
      ? []
      : ([['lost', `since ${showTime(identity.lost_at)}: it may only fetch orders`]] satisfies [string, string][])),
    ...(identity?.claimed_hostname === undefined
      ? []
      : ([['calls itself', `${identity.claimed_hostname}, a name that it was not given`]] satisfies [
          string,
          string,
        ][])),
    ...(host.suspended === true ? ([['suspended', 'until it next reports']] satisfies [string, string][]) : []),
    ...(receipts === undefined ? [] : ([['receipts', receiptsLine(receipts)]] satisfies [string, string][])),
    ...(identity?.keys ?? []).map((key): [string, string] => ['key', keyLine(key, clock.now())]),
  ];
  for (const [name, value] of facts) output.line(`${name.padEnd(12)} ${value}`);
}

type Receipts = NonNullable<Awaited<ReturnType<Store['orders']['receipts']>>>;

function receiptsLine({ number, broken_at }: Receipts): string {
  return broken_at === undefined
    ? `${number}`
    : `${number}; since ${showTime(broken_at)} they do not fit what came before`;
}

function keyLine(key: HostKey, now: Date): string {
  const end = showKeyEnd(key, now);
  return end === undefined ? `${key.id} (since ${showTime(key.added_at)})` : `${key.id} (${end})`;
}

function printChecks({ output }: AdminContext, { checks }: Host): void {
  output.line();
  if (checks === undefined) {
    output.line('checks: none were evaluated yet');
    return;
  }
  output.table(
    ['CHECK', 'ANSWER', 'SINCE', 'EVIDENCE'],
    Object.entries(checks.results).map(([name, result]) => [
      name,
      showAnswer(result),
      showTime(result.since),
      showEvidence(result),
    ]),
  );
}

function printReported({ output }: AdminContext, { plugins, commands }: Host): void {
  for (const [part, value] of Object.entries({ plugins, commands })) {
    if (value !== undefined) output.line(`\n${stringify({ [part]: value }).trimEnd()}`);
  }
}
