import type { CollectorTools, HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';

const FOLDER = '/sys/class/power_supply';
/** Share of what it held when new, at which it leaves a class; makers call a battery worn out below 60 to 80 %. */
const GOOD = 0.8;
const FAIR = 0.6;
/** What a battery holds is measured anew at each charge: a class is kept until it is missed by that much. */
const MARGIN = 0.03;

type Health = 'good' | 'fair' | 'worn';

export const battery: Fact = {
  name: 'battery',
  look: async (host, tools) => {
    const names = await namesIn(host, FOLDER);
    if (names === undefined) return unknown(`${FOLDER} is not there`);
    const found = await Promise.all(names.map((name) => healthOf(host, tools, name)));
    const batteries = found.filter((each) => each !== undefined);
    return batteries.length === 0 ? undefined : batteries;
  },
};

/** @returns undefined where it is no battery of the machine's: a charger, a mouse, an empty slot */
async function healthOf(host: HostAccess, tools: CollectorTools, name: string) {
  const value = async (file: string) => (await textOf(host, `${FOLDER}/${name}/${file}`))?.trim();
  if ((await value('type')) !== 'Battery' || (await value('scope')) === 'Device' || (await value('present')) === '0') {
    return undefined;
  }
  for (const kind of ['energy', 'charge']) {
    const [full, design] = [Number(await value(`${kind}_full`)), Number(await value(`${kind}_full_design`))];
    if (full > 0 && design > 0) return { name, health: await steady(tools, name, full / design) };
  }
  return { name, health: unknown('it does not tell what it held when new') };
}

async function steady(tools: CollectorTools, name: string, share: number): Promise<Health> {
  const key = `battery-${name.replaceAll(/[^\w-]/g, '_').slice(0, 80)}`;
  const before = (await tools.recall(key))?.value;
  const now = batteryHealth(share, before === 'good' || before === 'fair' || before === 'worn' ? before : undefined);
  if (now !== before) await tools.keep(key, now);
  return now;
}

/** @param before its class at the last look */
export function batteryHealth(share: number, before?: Health): Health {
  const plain = (of: number): Health => (of >= GOOD ? 'good' : of >= FAIR ? 'fair' : 'worn');
  if (before !== undefined && [plain(share - MARGIN), plain(share + MARGIN)].includes(before)) return before;
  return plain(share);
}
