import type { HostAccess } from '../../collector.ts';
import { outsideDevices } from '../firewall/network.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, textOf } from '../lenient.ts';

/**
 * What the kernel does with packets that would have it send its traffic elsewhere, on the devices that lead outside. `conf.all` alone does
 * not say it: for most settings the device's own value counts too, and how the two are joined differs (kernel's ip-sysctl.rst, include/linux/inetdevice.h).
 */
export const routing: Fact = { name: 'routing', look: lookAtRouting };

type Version = 'ipv4' | 'ipv6';
/** Of one device: a setting's value for all of them and its own; undefined where it is not to be seen. */
type Reading = (setting: string) => Promise<{ all: number; own: number } | undefined>;
type Rule = (read: Reading) => Promise<boolean | undefined>;

async function lookAtRouting(host: HostAccess): Promise<unknown> {
  const devices = await outsideDevices(host);
  if (devices.length === 0) return unknown('no device that leads outside is to be seen');
  const tell = async (v4: Rule, v6: Rule) => {
    const answers = await Promise.all([askAll(host, 'ipv4', devices, v4), askAll(host, 'ipv6', devices, v6)]);
    return verdictOf(answers.flat());
  };
  return {
    redirects_accepted: await tell(acceptsRedirectsV4, acceptsRedirectsV6),
    source_routing_accepted: await tell(acceptsSourceRouteV4, acceptsSourceRouteV6),
  };
}

async function askAll(host: HostAccess, version: Version, devices: readonly string[], rule: Rule) {
  // A kernel that speaks no IPv6, or was told not to, accepts nothing of it.
  const folder = `/proc/sys/net/${version}/conf`;
  if (version === 'ipv6' && (await factsOf(host, folder)) === undefined) return [false];
  return Promise.all(devices.map((device) => rule(readingOf(host, folder, device))));
}

function readingOf(host: HostAccess, folder: string, device: string): Reading {
  const numberIn = async (path: string) => {
    const text = (await textOf(host, path))?.trim() ?? '';
    return /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
  };
  return async (setting) => {
    const [all, own] = await Promise.all([
      numberIn(`${folder}/all/${setting}`),
      numberIn(`${folder}/${device}/${setting}`),
    ]);
    return all === undefined || own === undefined ? undefined : { all, own };
  };
}

function verdictOf(answers: readonly (boolean | undefined)[]): unknown {
  if (answers.includes(true)) return true;
  return answers.includes(undefined) ? unknown('cannot read all settings of the devices that lead outside') : false;
}

/** A router takes redirects where both say so, any other machine where one of them does (IN_DEV_RX_REDIRECTS). */
async function acceptsRedirectsV4(read: Reading): Promise<boolean | undefined> {
  const [forwards, accepts] = await Promise.all([read('forwarding'), read('accept_redirects')]);
  if (forwards === undefined || accepts === undefined) return undefined;
  return forwards.own !== 0 ? accepts.all !== 0 && accepts.own !== 0 : accepts.all !== 0 || accepts.own !== 0;
}

/** Of IPv6 only the device's own value counts, and a router takes none (ndisc_redirect_rcv, rt6_do_redirect). */
async function acceptsRedirectsV6(read: Reading): Promise<boolean | undefined> {
  const [off, forwards, accepts] = await Promise.all([
    read('disable_ipv6'),
    read('forwarding'),
    read('accept_redirects'),
  ]);
  if (off?.own === 1) return false;
  if (forwards === undefined || accepts === undefined) return undefined;
  return forwards.own === 0 && accepts.own !== 0;
}

/** Both must say so (IN_DEV_SOURCE_ROUTE). */
async function acceptsSourceRouteV4(read: Reading): Promise<boolean | undefined> {
  const accepts = await read('accept_source_route');
  return accepts === undefined ? undefined : accepts.all !== 0 && accepts.own !== 0;
}

/** The smaller of the two counts, and below 0 none is taken; 0 takes type 2 of Mobile IPv6 alone (ipv6_rthdr_rcv). */
async function acceptsSourceRouteV6(read: Reading): Promise<boolean | undefined> {
  const [off, accepts] = await Promise.all([read('disable_ipv6'), read('accept_source_route')]);
  if (off?.own === 1) return false;
  return accepts === undefined ? undefined : Math.min(accepts.all, accepts.own) > 0;
}
