import { enrollAgent, TRY_AGAIN } from './support/agent.ts';
import { bootMachine } from './support/machine.ts';
import { killMongod, MONGOD_BINDS, MONGOD_HOST, MONGOD_UNIT, startMongod } from './support/mongod.ts';
import { onMachineWithMongod } from './support/needs.ts';
import { openIssues } from './support/open-issues.ts';
import { program, setUpSite, UNIT } from './support/site.ts';

const SETUP = ['--store', 'mongo', '--mongo-host', MONGOD_HOST, '--mongo-replica-set', 'rs0'];

onMachineWithMongod(
  'a MongoDB that dies makes the server answer 503, and costs nothing that was acknowledged',
  async (t) => {
    const machine = await bootMachine(t, { binds: MONGOD_BINDS });
    await startMongod(machine);
    const site = await setUpSite(machine, { setup: SETUP });
    await machine.run(['systemctl', 'start', UNIT]);
    const agent = await enrollAgent(machine, site);
    await agent.collectAndSubmit();
    t.true((await openIssues(site, agent.hostname)).includes('firewall-disabled'));
    const acknowledged = await site.domeJson('hosts', 'show', agent.hostname);

    await killMongod(machine);
    await machine.until('/readyz fails', async () => ((await site.local('/readyz')) === 503 ? true : undefined));
    t.is(await site.local('/healthz'), 200);
    t.is(await site.property('ActiveState'), 'active');
    t.regex(await site.property('StatusText'), /store|MongoDB/i);
    await machine.write('/etc/ssh/sshd_config.d/00-test.conf', 'PermitRootLogin yes\n');
    await agent.run('collect');
    t.is((await machine.attempt([program('penguindome-agent'), 'submit'])).status, TRY_AGAIN);

    await machine.run(['systemctl', 'start', MONGOD_UNIT]);
    await machine.until('/readyz is fine', async () => ((await site.local('/readyz')) === 200 ? true : undefined));
    t.deepEqual(await site.domeJson('hosts', 'show', agent.hostname), acknowledged);
    await agent.run('submit');
    t.true((await openIssues(site, agent.hostname)).includes('ssh-root-password-authentication'));
  },
);

onMachineWithMongod('a server that starts before its MongoDB waits for it', async (t) => {
  const machine = await bootMachine(t, { binds: MONGOD_BINDS });
  await startMongod(machine);
  const site = await setUpSite(machine, { setup: SETUP, service: { TimeoutStartSec: '5' } });
  await killMongod(machine);
  await machine.run(['systemctl', 'start', '--no-block', UNIT]);
  await machine.until('the journal says that it waits', async () =>
    (await machine.run(['journalctl', '-u', UNIT, '-o', 'cat'])).includes('store.waiting') ? true : undefined,
  );
  // Longer than TimeoutStartSec: the server asks systemd for more time.
  await machine.run(['sleep', '7']);
  t.is(await site.property('ActiveState'), 'activating');
  await machine.run(['systemctl', 'start', MONGOD_UNIT]);
  await machine.until('the unit is active', async () =>
    (await site.property('ActiveState')) === 'active' ? true : undefined,
  );
  t.is(await site.property('NRestarts'), '0');
  t.is(await site.local('/readyz'), 200);
});
