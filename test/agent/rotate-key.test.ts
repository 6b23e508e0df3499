import { chmod, copyFile, cp, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { generateSigningKey } from '../../src/crypto/ed25519.ts';
import { ROTATE } from '../../src/wire/v2/paths.ts';
import { seeded } from '../faults/support/seed.ts';
import { scratchFolder } from '../support/scratch.ts';
import { rounds } from '../support/soak.ts';
import { newMachine } from './support/machine.ts';
import { runAgent } from './support/program.ts';
import { type BuiltHost, builtHost, keyOf, reportingHost, reports, settingsOf } from './support/reporting-host.ts';
import { type Answered, type Meddle, type Site, startSite } from './support/site.ts';

async function keysAt({ store }: Site, hostname = 'testhost') {
  return (await store.hosts.find(hostname))?.identity?.keys ?? [];
}

const isThere = (path: string) =>
  readFile(path).then(
    () => true,
    () => false,
  );

const onRotation =
  (act: Meddle): Meddle =>
  (passing, next) =>
    passing.path === ROTATE ? act(passing, next) : next();

test('an agent gets another key, says so, and reports on with it; its host is the same', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const before = await site.store.hosts.find('testhost');
  const old = await keyOf(host);
  const said = await host.run('--json', 'rotate-key');
  t.is(said.status, 0, said.err);
  const { key_id, old_key_id, old_key_ends_at } = JSON.parse(said.out);
  t.is(old_key_id, old);
  t.is(key_id, await keyOf(host));
  const [first, second, ...more] = await keysAt(site);
  t.deepEqual([first?.id, second?.id, more], [old, key_id, []]);
  t.is(first?.ends_at?.toISOString(), old_key_ends_at);
  t.false(await isThere(host.machine.places.rotatingIdentity));
  await reports(t, host);
  const after = await site.store.hosts.find('testhost');
  t.is(after?.identity?.host_id, before?.identity?.host_id);
  t.is(String((await host.machine.submitter()).key_id), key_id);
  t.deepEqual(
    site.logged.filter(({ name }) => name === 'submit.chain-restarted' || name === 'issue.opened'),
    [],
  );
  const status = await host.run('status');
  t.is(status.status, 0, status.out);
  t.regex(status.out, new RegExp(`key +${key_id}\nkey made +\\d{4}-.*second`));
});

test('what is cut off is finished by the next report, with the same key', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const old = await keyOf(host);
  site.meddle(
    onRotation(async (_, next) => {
      await next();
      return undefined;
    }),
  );
  t.is((await host.run('rotate-key')).status, 75);
  t.is(await keyOf(host), old);
  const [, added] = await keysAt(site);
  site.meddle(undefined);
  await reports(t, host);
  t.is(await keyOf(host), String(added?.id));
  t.is((await keysAt(site)).length, 2);
  await reports(t, host);
});

test('whoever got the key handed over leaves what is cut off to root, and reports with the old key meanwhile', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const old = await keyOf(host);
  const { identity } = host.machine.places;
  const hidden = `${identity}.hidden`;
  site.meddle(
    onRotation(async (_, next) => {
      await next();
      return undefined;
    }),
  );
  t.is((await host.run('rotate-key')).status, 75);
  site.meddle(undefined);
  const credentials = await scratchFolder(t);
  // as systemd leaves it: the mask of an access list shows as rights of the group
  await copyFile(identity, join(credentials, 'identity.key'));
  await chmod(join(credentials, 'identity.key'), 0o440);
  await rename(identity, hidden);
  const submitter = await newMachine(t, { state: host.machine.state, credentials });
  await host.run('collect');
  const said = await submitter.run('submit');
  t.is(said.status, 0, said.err);
  await rename(hidden, identity);
  t.is(await keyOf(host), old);
  await reports(t, host);
  t.not(await keyOf(host), old);

  await chmod(join(credentials, 'identity.key'), 0o444);
  await host.run('collect');
  t.regex((await submitter.run('submit')).err, /other users may read/);
});

test('an agent whose old key ended before it heard of that finds out that the new one is known', async (t) => {
  for (const command of [['rotate-key'], ['run', '--now']]) {
    const site = await startSite(t, {}, { agents: { key_overlap: '0s' } });
    const host = await reportingHost(t, site);
    site.meddle(
      onRotation(async (_, next) => {
        await next();
        return undefined;
      }),
    );
    t.is((await host.run('rotate-key')).status, 75);
    site.meddle(undefined);
    const said = await host.run(...command);
    t.is(said.status, 0, said.err);
    t.is(await keyOf(host), String((await keysAt(site))[1]?.id));
    await reports(t, host);
  }
});

/** The moments of a rotation at which power may fail. */
const MOMENTS: Record<string, (kill: () => void, next: () => Promise<Answered>) => Promise<void>> = {
  'before the server sees the new key': async (kill) => kill(),
  'after the server has taken the new key': async (kill, next) => {
    await next();
    kill();
  },
  'as the answer arrives': async (kill, next) => {
    await next();
    setTimeout(kill, 0);
  },
};

for (const [when, act] of Object.entries(MOMENTS)) {
  test(`killed ${when}, the agent reports all the same, with one of two keys`, async (t) => {
    const site = await startSite(t);
    const host = await reportingHost(t, site);
    const { child, ended } = host.start('rotate-key');
    site.meddle(
      onRotation(async (_, next) => {
        const answer = next();
        await act(
          () => child.kill('SIGKILL'),
          () => answer,
        );
        return answer;
      }),
    );
    t.is((await ended).status, null);
    site.meddle(undefined);
    await reports(t, host);
    const keys = await keysAt(site);
    t.is(keys.length, 2);
    t.is(await keyOf(host), String(keys[1]?.id));
    t.false(await isThere(host.machine.places.rotatingIdentity));
  });
}

test('killed a little before or after the answer, the agent reports all the same', async (t) => {
  const site = await startSite(t, { enroll_rate: 60_000 });
  const chance = seeded(t);
  const found: Record<string, number> = {};
  for (let round = 0; round < rounds(8, 150); round++) {
    const hostname = `host-${round}`;
    const host = await reportingHost(t, site, hostname);
    const old = await keyOf(host);
    const { child, ended } = host.start('rotate-key');
    site.meddle(
      onRotation(async (_, next) => {
        setTimeout(() => child.kill('SIGKILL'), chance() * 40);
        return next();
      }),
    );
    const { status } = await ended;
    site.meddle(undefined);
    const { successor } = await host.machine.submitter();
    const phase =
      (await keyOf(host)) === old ? (successor === null ? 'nothing' : 'the state') : successor ? 'the key' : 'all';
    const where = status === null ? `killed with ${phase} changed over` : 'not killed';
    found[where] = (found[where] ?? 0) + 1;
    await reports(t, host);
    const keys = await keysAt(site, hostname);
    t.is(keys.length, 2);
    t.is(await keyOf(host), String(keys.find(({ ends_at }) => ends_at === undefined)?.id));
    await reports(t, host);
  }
  t.log(JSON.stringify(found));
  t.deepEqual(
    site.logged.filter(({ name }) => name === 'issue.opened' || name === 'submit.chain-restarted'),
    [],
  );
});

test('cut off between any two steps of changing over, the agent goes on where it was', async (t) => {
  const site = await startSite(t);
  const cuts: Record<string, (host: BuiltHost, was: { identity: string; state: string }) => Promise<void>> = {
    'before the first': async ({ machine: { places } }, { identity, state }) => {
      await rename(places.identity, places.rotatingIdentity);
      await writeFile(places.identity, identity, { mode: 0o600 });
      await writeFile(places.submit.state, state);
    },
    'after the state named the successor': async (host, { identity, state }) => {
      const { places } = host.machine;
      const successor = await keyOf(host);
      await rename(places.identity, places.rotatingIdentity);
      await writeFile(places.identity, identity, { mode: 0o600 });
      await writeFile(places.submit.state, JSON.stringify({ ...JSON.parse(state), successor }));
    },
    'after the key was renamed': async (host, { state }) => {
      const successor = await keyOf(host);
      await writeFile(host.machine.places.submit.state, JSON.stringify({ ...JSON.parse(state), successor }));
    },
  };
  for (const [index, [when, cut]] of Object.entries(cuts).entries()) {
    const host = await reportingHost(t, site, `host-${index}`);
    const { places } = host.machine;
    const was = {
      identity: await readFile(places.identity, 'utf8'),
      state: await readFile(places.submit.state, 'utf8'),
    };
    t.is((await host.run('rotate-key')).status, 0);
    await cut(host, was);
    await reports(t, host);
    const keys = await keysAt(site, `host-${index}`);
    t.deepEqual([keys.length, await keyOf(host)], [2, keys[1]?.id ?? ''], when);
    t.false(await isThere(places.rotatingIdentity), when);
    await reports(t, host);
  }
  t.deepEqual(
    site.logged.filter(({ name }) => name === 'issue.opened' || name === 'submit.chain-restarted'),
    [],
  );
});

test('an answer that is not signed, of another request, or about another key, changes nothing', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const old = await keyOf(host);
  let kept: Answered | undefined;
  const unsigned: Meddle = async (_, next) => {
    const answered = await next();
    kept ??= answered;
    const { signature: _signature, ...headers } = answered.headers;
    return { ...answered, headers };
  };
  const replayed: Meddle = async () => kept;
  const other: Meddle = async (_, next) => {
    const answered = await next();
    const body = Buffer.from(answered.body.toString().replace(/"key_id":"./, '"key_id":"_'));
    return { ...answered, body };
  };
  const portal: Meddle = async ({ headers, body }) => {
    const content = { status: 'rotated', key_id: old, body: body.length };
    return {
      status: 200,
      headers: { 'content-type': headers['content-type'] },
      body: Buffer.from(JSON.stringify(content)),
    };
  };
  for (const meddle of [unsigned, replayed, other, portal]) {
    site.meddle(onRotation(meddle));
    const said = await host.run('--json', 'rotate-key');
    t.is(said.status, 75);
    t.like(JSON.parse(said.out), { error: 'unverified' });
    t.is(await keyOf(host), old);
    t.true(await isThere(host.machine.places.rotatingIdentity));
    await reports(t, host);
    t.is(await keyOf(host), old);
  }
  site.meddle(undefined);
  await reports(t, host);
  t.is(await keyOf(host), String((await keysAt(site))[1]?.id));
});

test('a key that the server will not take is given up, and the next one is another', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const [old] = await keysAt(site);
  const stranger = await reportingHost(t, site, 'stranger');
  await cp(stranger.machine.places.identity, host.machine.places.rotatingIdentity);
  const said = await host.run('rotate-key');
  t.is(said.status, 1);
  t.regex(said.err, /cannot add a key that is, or was, known here/);
  t.is(await keyOf(host), String(old?.id));
  t.is((await host.run('rotate-key')).status, 0);
  const soon = await host.run('--json', 'rotate-key');
  t.is(soon.status, 75);
  t.regex(soon.err, /again within an hour/);
  t.false(await isThere(host.machine.places.rotatingIdentity));
  await reports(t, host);
});

test('a host that may not report keeps its key, and says why', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const old = await keyOf(host);
  await site.store.hosts.markLost('testhost', new Date());
  const lost = await host.run('--json', 'rotate-key');
  t.like([lost.status, JSON.parse(lost.out).error], [4, 'lost']);
  await site.store.hosts.markLost('testhost', undefined);
  await site.store.hosts.revokeKey((await keysAt(site))[0]?.id ?? t.fail(), new Date());
  const revoked = await host.run('--json', 'rotate-key');
  t.like([revoked.status, JSON.parse(revoked.out).error], [4, 'revoked-key']);
  t.is(await keyOf(host), old);
  t.false(await isThere(host.machine.places.rotatingIdentity), 'nobody will ever know it');
  const stranger = await (await builtHost(t)).run('rotate-key');
  t.is(stranger.status, 3);
  t.regex(stranger.err, /cannot replace the key: this host is not enrolled/);
});

test('a rotation waits for a submission under way', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  await host.run('collect');
  let arrived: () => void = () => undefined;
  const arrival = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  site.meddle(async ({ path }, next) => {
    if (path !== ROTATE) {
      arrived();
      await released;
    }
    return next();
  });
  const submitting = host.run('submit');
  await arrival;
  const rotating = host.run('rotate-key');
  await sleep(500);
  t.is((await keysAt(site)).length, 1);
  release();
  t.deepEqual([(await submitting).status, (await rotating).status], [0, 0]);
  t.is((await keysAt(site)).length, 2);
});

test('a key that waited to take over is forgotten with the identity that it was for', async (t) => {
  const site = await startSite(t);
  const host = await reportingHost(t, site);
  const { rotatingIdentity } = host.machine.places;
  await mkdir(dirname(rotatingIdentity), { recursive: true });
  await writeFile(rotatingIdentity, generateSigningKey(), { mode: 0o600 });
  await host.machine.settings(settingsOf('another'));
  const said = await runAgent(['--state', host.machine.state, 'enroll', '--new-key'], { input: await site.token() });
  t.is(said.status, 0, said.err);
  t.false(await isThere(rotatingIdentity));
  await reports(t, host);
});
