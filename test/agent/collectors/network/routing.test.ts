import test from 'ava';
import { routing } from '../../../../src/agent/collectors/network/routing.ts';
import { saysOf } from './facts-of.ts';

type Values = Record<string, readonly [all: number, own: number]>;

/** A machine with one network card, eth0. */
const machine = (v4: Values, v6?: Values) => {
  const files: Record<string, string> = {
    '/sys/class/net/eth0/device/vendor': '0x8086\n',
    '/sys/class/net/eth0/type': '1\n',
  };
  for (const [version, values] of Object.entries({ ipv4: v4, ...(v6 === undefined ? {} : { ipv6: v6 }) })) {
    for (const [setting, [all, own]] of Object.entries(values)) {
      files[`/proc/sys/net/${version}/conf/all/${setting}`] = `${all}\n`;
      files[`/proc/sys/net/${version}/conf/eth0/${setting}`] = `${own}\n`;
    }
  }
  return files;
};
const quiet4: Values = { forwarding: [0, 0], accept_redirects: [0, 0], accept_source_route: [0, 0] };
const quiet6: Values = { ...quiet4, disable_ipv6: [0, 0] };

const ROWS: Record<string, [v4: Values, v6: Values | undefined, redirects: unknown, sourceRouting: unknown]> = {
  'nothing is accepted': [quiet4, quiet6, false, false],
  "the device's own value is enough for redirects on a host": [
    { ...quiet4, accept_redirects: [0, 1] },
    quiet6,
    true,
    false,
  ],
  "the value for all is enough on a host, though the device's is 0": [
    { ...quiet4, accept_redirects: [1, 0] },
    quiet6,
    true,
    false,
  ],
  'on a router both must say so': [{ ...quiet4, forwarding: [1, 1], accept_redirects: [0, 1] }, quiet6, false, false],
  'a router whose both say so': [{ ...quiet4, forwarding: [1, 1], accept_redirects: [1, 1] }, quiet6, true, false],
  "source routing takes both: the device's alone does nothing": [
    { ...quiet4, accept_source_route: [0, 1] },
    quiet6,
    false,
    false,
  ],
  'source routing that both allow': [{ ...quiet4, accept_source_route: [1, 1] }, quiet6, false, true],
  'of IPv6 the value for all does nothing to redirects': [
    quiet4,
    { ...quiet6, accept_redirects: [1, 0] },
    false,
    false,
  ],
  "of IPv6 the device's own counts": [quiet4, { ...quiet6, accept_redirects: [0, 1] }, true, false],
  'an IPv6 router takes none': [quiet4, { ...quiet6, accept_redirects: [1, 1], forwarding: [1, 1] }, false, false],
  'IPv6 that is switched off on the device takes nothing': [
    quiet4,
    { ...quiet6, accept_redirects: [1, 1], disable_ipv6: [0, 1] },
    false,
    false,
  ],
  'IPv6 source routing by number, 0 being Mobile IPv6': [
    quiet4,
    { ...quiet6, accept_source_route: [1, 1] },
    false,
    true,
  ],
  'a kernel without IPv6': [quiet4, undefined, false, false],
  'a setting that is not to be seen': [{ accept_source_route: [0, 0] }, quiet6, 'unknown', false],
};

for (const [title, [v4, v6, redirects_accepted, source_routing_accepted]] of Object.entries(ROWS)) {
  test(`${title}: redirects ${redirects_accepted}, source routing ${source_routing_accepted}`, async (t) => {
    t.like(await saysOf(t, routing, machine(v4, v6)), { routing: { redirects_accepted, source_routing_accepted } });
  });
}

test('tunnels and bridges of containers do not count', async (t) => {
  const files = machine(quiet4, quiet6);
  const bridge = { '/sys/class/net/docker0/type': '1\n', '/proc/sys/net/ipv4/conf/docker0/accept_redirects': '1\n' };
  t.like(await saysOf(t, routing, { ...files, ...bridge }), { routing: { redirects_accepted: false } });
});

test('without a device that leads outside nothing can be said', async (t) => {
  t.like(await saysOf(t, routing, { '/sys/class/net/lo/type': '772\n' }), { routing: 'unknown' });
});
