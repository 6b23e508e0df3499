import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { days, hours } from '../../../src/core/duration.ts';
import { canonicalJson } from '../../../src/wire/v2/digest.ts';
import type { Manifest } from '../../../src/wire/v2/order.ts';
import { whenPresent } from '../../support/needs.ts';
import {
  at,
  commandOrder,
  NOW,
  type OrderHost,
  orderHost,
  revocations,
  settingsOrder,
  settle,
  sign,
  wipeOrder,
} from '../support/orders.ts';

interface Case {
  /** puts the order there; @returns its id */
  given(host: OrderHost): Promise<string>;
  reason: RegExp;
  /** what the receipt says of who ordered it; `unknown` where nobody trusted has signed */
  by?: string;
}

const order = (changes: object) => (host: OrderHost) => host.order(settingsOrder(changes));
const ALONE = 'command_authorization: operator\n';

const REFUSED: Record<string, Case> = {
  'an altered one': {
    given: async (host) => {
      const manifest = settingsOrder();
      const { manifest: text, signatures } = await sign(manifest, 'server');
      await host.put({ manifest: text.replace('alice', 'mallory'), signatures }, manifest.id);
      return manifest.id;
    },
    reason: /no signature of it counts/,
    by: 'unknown',
  },
  'one that has expired': { given: order({ made_at: at(-days(2)), expires_at: at(-1) }), reason: /it expired at/ },
  'one that has expired by the highest time seen signed, whatever the clock says': {
    given: async (host) => {
      host.act = settle;
      await host.order(settingsOrder());
      await host.apply();
      host.now = new Date(NOW.getTime() - days(300));
      return host.order(settingsOrder({ made_at: at(-days(20)), expires_at: at(-hours(1)) }));
    },
    reason: /it expired at/,
  },
  'one for another host': {
    given: order({ targets: [{ host_id: '018f0000-0000-7000-8000-0000000000ff', hostname: 'testhost' }] }),
    reason: /it is for another host/,
  },
  'one for this host under another name': {
    given: order({ targets: [{ host_id: '018f0000-0000-7000-8000-000000000001', hostname: 'other' }] }),
    reason: /under the name other, but this host is testhost/,
  },
  'a command once the live host name is another one': {
    given: async (host) => {
      const script = '#!/bin/sh\n';
      const manifest = commandOrder(script, { not_before: at(hours(1)) });
      await host.put(await sign(manifest, 'server'), manifest.id, script);
      t0(await host.apply(), 'waiting');
      host.hostname = 'renamed';
      host.now = new Date(NOW.getTime() + hours(2));
      return manifest.id;
    },
    reason: /but this host is renamed/,
  },
  'a wipe of a host that has another name by now': {
    given: async (host) => {
      host.hostname = 'renamed';
      return host.order(wipeOrder());
    },
    reason: /but this host is renamed/,
  },
  'one without a signature': {
    given: async (host) => {
      const manifest = settingsOrder();
      await host.put({ manifest: canonicalJson(manifest), signatures: [] }, manifest.id);
      return manifest.id;
    },
    reason: /it is not signed/,
    by: 'unknown',
  },
  'one by a key that nobody here knows': {
    given: (host) => host.order(settingsOrder(), 'stranger'),
    reason: /no signature of it counts/,
    by: 'unknown',
  },
  'one by a revoked order key': {
    given: async (host) => {
      await host.apply();
      await host.heard({ revocations: await revocations(1, 'server', [['order', 'server']]) });
      return host.order(settingsOrder());
    },
    reason: /the server's order key that signed is revoked/,
    by: 'unknown',
  },
  'one by the revoked key of an operator': {
    given: async (host) => {
      await host.operator('bob');
      await host.apply();
      await host.heard({ revocations: await revocations(1, 'server', [['operator', 'bob']]) });
      return host.order(settingsOrder(), 'bob');
    },
    reason: /the key of the operator bob that signed is revoked/,
    by: 'unknown',
  },
  "one by the server alone where trust.d demands an operator's signature": {
    given: async (host) => {
      await host.policy(ALONE);
      await host.operator('bob');
      return host.order(settingsOrder());
    },
    reason: /the server alone has signed it/,
  },
  "one by the server's own key where that lies among the operators'": {
    given: async (host) => {
      await host.policy(ALONE);
      await host.operator('server');
      return host.order(settingsOrder());
    },
    reason: /the server alone has signed it/,
  },
  'one of a kind that this agent does not know': {
    given: async (host) => {
      const manifest = { ...settingsOrder(), kind: 'explode' };
      await host.put(await sign(canonicalJson(manifest), 'server'), manifest.id);
      return manifest.id;
    },
    reason: /of a kind that this version of penguindome-agent does not know/,
    by: 'unknown',
  },
  'one of a type that this agent does not know': {
    given: async (host) => {
      const manifest = { ...settingsOrder(), type: 'penguindome-order-2' };
      await host.put(await sign(canonicalJson(manifest), 'server'), manifest.id);
      return manifest.id;
    },
    reason: /of a type that this version of penguindome-agent does not know/,
    by: 'unknown',
  },
  'what is signed but is not canonical': {
    given: async (host) => {
      const manifest = settingsOrder();
      await host.put(await sign(`${canonicalJson(manifest)} `, 'server'), manifest.id);
      return manifest.id;
    },
    reason: /not canonical/,
    by: 'unknown',
  },
  'one under the id of another': {
    given: async (host) => {
      const { id } = settingsOrder();
      await host.put(await sign(settingsOrder(), 'server'), id);
      return id;
    },
    reason: /under the id of another order/,
    by: 'unknown',
  },
  'a wipe by a method that is switched off': {
    given: async (host) => {
      await host.policy('wipe: {lock: false}\n');
      return host.order(wipeOrder());
    },
    reason: /trust.d switches the method lock off/,
  },
  'a release that is lower than one that this host had': {
    given: async (host) => {
      host.act = settle;
      await host.order(release(7));
      await host.apply();
      return host.order(release(6));
    },
    reason: /it is release 6, and this host has had 7/,
  },
  'the release that is installed': {
    given: async (host) => {
      host.act = async (accepted, acting) => {
        await acting.results.release(7);
        await settle(accepted, acting);
      };
      await host.order(release(7));
      await host.apply();
      return host.order(release(7));
    },
    reason: /release 7 is installed already/,
  },
  'one with a file that is not the one that was signed': {
    given: async (host) => {
      const manifest = commandOrder('#!/bin/sh\necho good\n');
      await host.put(await sign(manifest, 'server'), manifest.id);
      await writeFile(join(host.places.inbox, manifest.files[0]?.sha256 ?? ''), '#!/bin/sh\necho evil\n');
      return manifest.id;
    },
    reason: /a file of it is not the one that was signed/,
  },
  'each where policy.yml is damaged': {
    given: async (host) => {
      await host.policy('command_authorisation: operator\n');
      return host.order(settingsOrder());
    },
    reason: /takes no orders: .*policy\.yml:1: command_authorisation: expected a known key/,
    by: 'unknown',
  },
  'each where others may write to policy.yml': {
    given: async (host) => {
      await host.policy('');
      await chmod(host.places.policy, 0o664);
      return host.order(settingsOrder());
    },
    reason: /takes no orders: .*policy\.yml can be written to by its group/,
    by: 'unknown',
  },
  'each where others may write to the folder of policy.yml': {
    given: async (host) => {
      await chmod(host.places.trustFolder, 0o777);
      return host.order(settingsOrder());
    },
    reason: /takes no orders: .*trust\.d can be written to by/,
    by: 'unknown',
  },
  'each where others may write to what enrolment pinned': {
    given: async (host) => {
      await writeFile(host.places.trust, '{}');
      await chmod(host.places.trust, 0o666);
      return host.order(settingsOrder());
    },
    reason: /takes no orders: .*server\.json can be written to by/,
    by: 'unknown',
  },
  'each where others may rename trust.d': {
    given: async (host) => {
      await chmod(dirname(host.places.trustFolder), 0o777);
      return host.order(settingsOrder());
    },
    reason: /takes no orders: .*etc can be written to by/,
    by: 'unknown',
  },
  'each where policy.yml is a symbolic link': {
    given: async (host) => {
      await symlink('/dev/null', host.places.policy);
      return host.order(settingsOrder());
    },
    reason: /takes no orders: .*policy\.yml is a symbolic link/,
    by: 'unknown',
  },
  "each where an operator's key cannot be read": {
    given: async (host) => {
      await host.operator('bob');
      await writeFile(join(host.places.operators, 'carol.asc'), 'no key');
      return host.order(settingsOrder());
    },
    reason: /takes no orders: operators\/carol\.asc cannot be used/,
    by: 'unknown',
  },
};

function release(number: number): Manifest {
  const { wanted: _, ...common } = settingsOrder() as Extract<Manifest, { kind: 'settings' }>;
  return { ...common, kind: 'release', targets: 'all', number };
}

function t0({ waiting }: { waiting: unknown[] }, what: 'waiting'): void {
  if (waiting.length !== 1) throw new Error(`expected one order that is ${what}`);
}

for (const [what, { given, reason, by = 'alice' }] of Object.entries(REFUSED)) {
  test(`refused, recorded and reported: ${what}`, async (t) => {
    const host = await orderHost(t);
    const id = await given(host);
    const before = host.acted.length;
    const applied = await host.apply();
    t.deepEqual(
      applied.refused.map((one) => one.order),
      [id],
    );
    t.regex(applied.refused[0]?.reason ?? '', reason);
    t.is(host.acted.length, before, 'nothing is done');
    const receipt = (await host.receipts()).at(-1);
    t.is(receipt?.order, id);
    t.is(receipt?.event, 'refused');
    t.is(receipt?.by, by);
    t.regex(receipt?.detail ?? '', reason);
    const report = await host.report(id);
    t.is(report?.state, 'refused');
    t.regex(report?.reason ?? '', reason);
    t.false((await host.inbox()).includes(`${id}.json`));
    t.deepEqual((await host.apply()).refused, [], 'once');
  });
}

whenPresent(process.geteuid?.() === 0, 'files of another user: only root can make them')(
  'refused: each where policy.yml belongs to another user',
  async (t) => {
    const host = await orderHost(t);
    await host.policy('');
    await chown(host.places.policy, 12_345, 0);
    const id = await host.order(settingsOrder());
    const { refused } = await host.apply();
    t.is(refused[0]?.order, id);
    t.regex(refused[0]?.reason ?? '', /policy\.yml belongs to user 12345, not to root/);
  },
);

test('an order that was seen before is refused, and what became of it stays told', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  const manifest = settingsOrder();
  await host.order(manifest);
  await host.apply();
  t.deepEqual(host.acted, [manifest.id]);
  for (let again = 0; again < 3; again++) {
    await host.order(manifest);
    await host.apply();
  }
  t.deepEqual(host.acted, [manifest.id]);
  t.is((await host.report(manifest.id))?.state, 'done');
  const events = (await host.receipts()).map(({ event, detail }) => `${event}: ${detail}`);
  t.deepEqual(events, ['accepted: signed by the server', 'done: done', 'refused: this host has seen it before']);
});

test('another order under an id that was seen is refused too', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  const manifest = settingsOrder();
  await host.order(manifest);
  await host.apply();
  await host.order(settingsOrder({ id: manifest.id, why: 'something else' }));
  t.regex((await host.apply()).refused[0]?.reason ?? '', /seen it before/);
  t.deepEqual(host.acted, [manifest.id]);
});

test('of two releases that came at once the lower one does not take the place of the higher', async (t) => {
  for (const order of [
    [7, 6],
    [6, 7],
  ]) {
    const host = await orderHost(t);
    host.act = settle;
    // Ids are sorted by the time when they were made.
    for (const number of order) await host.order(release(number));
    const { accepted } = await host.apply();
    t.is(accepted.length, order[0] === 6 ? 2 : 1);
    t.is((await host.receipts()).filter(({ event }) => event === 'refused').length, 2 - accepted.length);
  }
});

test('an id is kept until something was signed after its order has expired, and not longer', async (t) => {
  const host = await orderHost(t);
  host.act = settle;
  const manifest = settingsOrder();
  await host.order(manifest);
  await host.apply();
  t.deepEqual((await host.known())['held'], [manifest.id]);
  host.now = new Date(NOW.getTime() + days(31));
  await host.apply();
  t.deepEqual((await host.known())['held'], [manifest.id]);
  const later = await host.order(settingsOrder({ made_at: at(days(31)), expires_at: at(days(40)) }));
  await host.apply();
  t.deepEqual((await host.known())['held'], [later]);
  await host.order(manifest);
  t.regex((await host.apply()).refused[0]?.reason ?? '', /it expired at/);
});

test('a damaged list of seen ids lets nothing through', async (t) => {
  const host = await orderHost(t);
  await host.apply();
  await writeFile(host.places.orders.seen, '{');
  await host.order(settingsOrder());
  await t.throwsAsync(host.apply(), { message: /seen\.json is damaged/ });
  t.deepEqual(host.acted, []);
});

test('damaged keys let nothing through, and do not begin anew', async (t) => {
  const host = await orderHost(t);
  await host.apply();
  await writeFile(host.places.orderTrust.state, '{}');
  await host.order(settingsOrder());
  await t.throwsAsync(host.apply(), { message: /trust\/orders\.json is damaged/ });
});

test('a good order counts, and is in the hands of who acts with its checked files', async (t) => {
  const host = await orderHost(t);
  const script = '#!/bin/sh\necho hello\n';
  const manifest = commandOrder(script);
  await host.put(await sign(manifest, 'server'), manifest.id, script);
  let folder = '';
  host.act = async (accepted) => {
    folder = accepted.folder;
  };
  const applied = await host.apply();
  t.deepEqual(applied.accepted, [manifest.id]);
  t.is(folder, join(host.places.orders.root, manifest.id));
  const sha = manifest.files[0]?.sha256 ?? '';
  t.is((await import('node:fs')).readFileSync(join(folder, 'files', sha), 'utf8'), script);
  t.is((await host.receipts())[0]?.event, 'accepted');
  await host.apply();
  t.deepEqual(host.acted, [manifest.id, manifest.id], 'again, until it is settled');
  t.is((await host.receipts()).length, 1);
  t.deepEqual((await host.known())['open'], [manifest.id]);
});

test('an order whose file has not come yet stays where it is', async (t) => {
  const host = await orderHost(t);
  const script = '#!/bin/sh\n';
  const manifest = commandOrder(script);
  await host.put(await sign(manifest, 'server'), manifest.id);
  t.deepEqual((await host.apply()).accepted, []);
  t.deepEqual(await host.receipts(), []);
  await writeFile(join(host.places.inbox, manifest.files[0]?.sha256 ?? ''), script);
  t.deepEqual((await host.apply()).accepted, [manifest.id]);
});

test('without the order key orders wait in the inbox', async (t) => {
  const host = await orderHost(t, { firstKey: false });
  const id = await host.order(settingsOrder());
  const applied = await host.apply();
  t.regex(applied.problem ?? '', /order key has not come/);
  t.deepEqual(await host.inbox(), [`${id}.json`]);
  await mkdir(host.places.inbox, { recursive: true });
  await rm(join(host.places.inbox, 'trust.json'), { force: true });
});
