import { stat } from 'node:fs/promises';
import { days } from '../../core/duration.ts';
import { receiptHash } from '../../wire/v2/receipt.ts';
import { hasCode } from '../has-code.ts';
import type { Places } from '../places.ts';
import type { Trouble } from '../trouble.ts';
import { type Known, readKnown } from './known.ts';
import { readPolicy } from './read-policy.ts';
import { readLastReceipts } from './read-receipts.ts';
import { readReport } from './results.ts';
import { stateOwner } from './state-owner.ts';

/** What `status` tells of orders. */
export interface OrdersStatus {
  /** accepted and not settled, without those that wait for their time or for a signature */
  under_way: number;
  waiting: number;
  /** in the last seven days, of the newest receipts */
  refused: number;
  receipts: number;
  /** what commands run as; null before there was an `apply` */
  runs_by: Known['runs_by'];
}

const REMEMBERED = days(7);
const LOOKED_AT = 200;

export async function readOrdersStatus(places: Places, now: Date): Promise<OrdersStatus & { problems: Trouble[] }> {
  const known = await readKnown(places);
  const reports = await Promise.all(known.open.map((id) => readReport(places, id)));
  const waiting = reports.filter((report) => report?.state === 'waiting').length;
  const receipts = readLastReceipts(places, LOOKED_AT);
  const isRecent = (time: string) => Math.abs(now.getTime() - Date.parse(time)) < REMEMBERED;
  return {
    under_way: known.open.length - waiting,
    waiting,
    refused: receipts.filter(({ event, at }) => event === 'refused' && isRecent(at)).length,
    receipts: known.receipts.number,
    runs_by: known.runs_by,
    problems: [...(await rules(places, known)), ...keys(known, isRecent), ...chain(known, receipts.at(-1))],
  };
}

/** Rules that were changed after they were last read are read here: who damaged them sees it at once. */
async function rules(places: Places, { problem, applied_at }: Known): Promise<Trouble[]> {
  const isNewer = await isTrustNewer(places, applied_at);
  const read = isNewer ? await readPolicy(places, await stateOwner(places)) : undefined;
  const what = read === undefined ? problem : read.ok ? null : `this host takes no orders: ${read.reason}`;
  if (what === null) return [];
  return [{ code: 'orders-refused', what, advice: `mend it, then see penguindome-agent trust show` }];
}

/** Whether the administrator's rules were changed after orders were last judged by them. */
export async function isTrustNewer(
  { policy, operators, trustFolder }: Pick<Places, 'policy' | 'operators' | 'trustFolder'>,
  applied_at: string | null,
): Promise<boolean> {
  const since = applied_at === null ? 0 : Date.parse(applied_at);
  const times = [policy, operators, trustFolder].map((path) =>
    stat(path).then(
      ({ ctimeMs }) => ctimeMs,
      (error: unknown) => (hasCode(error, 'ENOENT', 'ENOTDIR', 'EACCES') ? 0 : Number.POSITIVE_INFINITY),
    ),
  );
  return Math.max(...(await Promise.all(times))) > since;
}

function keys({ refused_keys }: Known, isRecent: (time: string) => boolean): Trouble[] {
  if (refused_keys === null || !isRecent(refused_keys.at)) return [];
  return [
    {
      code: 'order-keys',
      what: `the server showed keys that do not follow from those that this host trusts: ${refused_keys.reason} (${refused_keys.at})`,
      advice:
        'compare with penguindome keys list on the server: it may have been restored from an old backup, or another one answers in its place',
    },
  ];
}

/** The end of the chain; all of it: `receipts --verify`. */
function chain({ receipts }: Known, last: ReturnType<typeof readLastReceipts>[number] | undefined): Trouble[] {
  if (receipts.number === 0 && last === undefined) return [];
  const fits = last !== undefined && last.hash === receiptHash(last) && last.number >= receipts.number;
  if (fits && (last.number > receipts.number || last.hash === receipts.hash)) return [];
  return [
    {
      code: 'receipts',
      what: 'the receipts of this host are not those that the agent wrote: the end of their chain does not fit',
      advice: 'see penguindome-agent receipts --verify: somebody changed them, or the disk did',
    },
  ];
}
