import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf, textOf } from '../lenient.ts';
import { parseResolvConf, parseResolvectl } from './parse-resolve.ts';
import { runningPrograms } from './processes.ts';

export const dns: Fact = { name: 'dns', look: lookAtResolvers };

interface Resolving {
  /** who asks the resolvers: glibc itself, or a service of this machine */
  via: string;
  resolvers: unknown;
  dns_over_tls: unknown;
  dnssec: unknown;
}

/** systemd-resolved's own two addresses (systemd-resolved.service(8)) */
const STUBS = new Set(['127.0.0.53', '127.0.0.54']);
/** Local resolvers that ask in the open only where they are told to: their purpose is not to. */
const ENCRYPTING = new Map([
  ['dnscrypt-proxy', 'dnscrypt-proxy'],
  ['stubby', 'stubby'],
  ['cloudflared', 'cloudflared'],
]);

async function lookAtResolvers(host: HostAccess): Promise<Resolving | ReturnType<typeof unknown>> {
  const text = await textOf(host, '/etc/resolv.conf');
  if (text === undefined) return unknown('there is no /etc/resolv.conf that can be read');
  const servers = [...new Set(parseResolvConf(text))].sort();
  if (servers.some((server) => STUBS.has(server)) || (await asksByNss(host))) return byResolved(host);
  // resolv.conf(5): without a line it is the one on this machine.
  if (servers.length === 0 || servers.every(isLoopback)) return byLocalService(host, servers);
  return { via: 'libc', resolvers: servers, dns_over_tls: 'no', dnssec: 'no' };
}

/** nss-resolve(8) goes before resolv.conf, as long as the service is there. */
async function asksByNss(host: HostAccess): Promise<boolean> {
  const names = await textOf(host, '/etc/nsswitch.conf');
  if (!/^[ \t]*hosts:.*\bresolve\b/m.test(names ?? '')) return false;
  return (await factsOf(host, '/run/systemd/resolve/io.systemd.Resolve')) !== undefined;
}

function isLoopback(server: string): boolean {
  return server.startsWith('127.') || server === '::1';
}

/** Who listens there may ask in any way. */
async function byLocalService(host: HostAccess, servers: readonly string[]): Promise<Resolving> {
  const running = await runningPrograms(host);
  const name = [...ENCRYPTING].find(([program]) => running?.has(program))?.[1];
  const hidden = unknown('a resolver on this machine is asked, and how that one asks is not known');
  return {
    via: name ?? 'local',
    resolvers: servers,
    dns_over_tls: name === undefined ? hidden : 'yes',
    dnssec: hidden,
  };
}

async function byResolved(host: HostAccess): Promise<Resolving> {
  // Asked while it does not run, it would be started by the question.
  const runs = (await runningPrograms(host))?.has('systemd-resolve') !== false;
  const resolvectl = runs ? await host.find('resolvectl') : undefined;
  const ask = async (what: string) => {
    if (resolvectl === undefined) return undefined;
    const { code, stdout } = await host.run(resolvectl, [what], { timeout: seconds(10) });
    return code === 0 ? parseResolvectl(stdout) : undefined;
  };
  const servers = await ask('dns');
  const overTls = await ask('dnsovertls');
  const dnssec = await ask('dnssec');
  const via = 'systemd-resolved';
  if (servers === undefined || overTls === undefined || dnssec === undefined) {
    const silent = unknown('systemd-resolved does not answer');
    return { via, resolvers: silent, dns_over_tls: silent, dnssec: silent };
  }
  // What is set for links without a server, loopback and bridges among them, is asked of nobody.
  const used = [...servers].filter(([, addresses]) => addresses !== '').map(([scope]) => scope);
  const addresses = used.flatMap((scope) => (servers.get(scope) ?? '').split(/\s+/));
  return {
    via,
    resolvers: [...new Set(addresses)].sort(),
    dns_over_tls: weakest(used, overTls, ['no', 'opportunistic', 'yes']),
    dnssec: weakest(used, dnssec, ['no', 'allow-downgrade', 'yes']),
  };
}

/** Which link a name is asked on depends on the name: the weakest counts. */
function weakest(scopes: readonly string[], values: ReadonlyMap<string, string>, order: readonly string[]): unknown {
  if (scopes.length === 0) return unknown('systemd-resolved knows no server');
  const found = scopes.map((scope) => (values.get(scope) ?? '').split(/\s/)[0] ?? '');
  if (!found.every((value) => order.includes(value))) return unknown('cannot make out what resolvectl says');
  return order.find((value) => found.includes(value)) ?? unknown('cannot make out what resolvectl says');
}
