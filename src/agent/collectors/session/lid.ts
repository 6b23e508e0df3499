import type { HostAccess } from '../../collector.ts';
import { dropIns } from '../drop-ins.ts';
import type { Fact } from '../group.ts';
import { textOf } from '../lenient.ts';
import { parseSections } from '../parse-sections.ts';

/** The most important first (logind.conf(5)). */
const PLACES = ['/etc/systemd', '/run/systemd', '/usr/local/lib/systemd', '/usr/lib/systemd'];

export const lid: Fact = {
  name: 'lid',
  look: async (host: HostAccess) => {
    if (!hasLid((await textOf(host, '/proc/bus/input/devices')) ?? '')) return undefined;
    const values = await readLogind(host);
    const action = values('HandleLidSwitch') ?? 'suspend';
    return {
      action,
      external_power: values('HandleLidSwitchExternalPower') ?? action,
      docked: values('HandleLidSwitchDocked') ?? 'ignore',
    };
  },
};

/** A switch numbered 0 (SW_LID of linux/input-event-codes.h) among the input devices: bit 0 of the last word of `B: SW=`. */
export function hasLid(devices: string): boolean {
  return [...devices.matchAll(/^B: SW=(?:[0-9a-f]+ )*([0-9a-f]+)\s*$/gm)].some(
    ([, word]) => (Number.parseInt((word ?? '').slice(-1), 16) & 1) === 1,
  );
}

/** The main file, over which stand its drop-ins; an empty value is the built-in one. */
async function readLogind(host: HostAccess): Promise<(key: string) => string | undefined> {
  const mains = await Promise.all(PLACES.map((place) => textOf(host, `${place}/logind.conf`)));
  const main = mains.find((text) => text !== undefined) ?? '';
  const config = parseSections(main);
  for (const text of await dropIns(
    host,
    PLACES.map((place) => `${place}/logind.conf.d`),
  ))
    parseSections(text, config);
  return (key) => config.get('Login')?.get(key) || undefined;
}
