import { enrollAgent } from './support/agent.ts';
import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { openIssues } from './support/open-issues.ts';
import { program, setUpSite, UNIT } from './support/site.ts';

const ROOT_LOGIN = 'ssh-root-password-authentication';

onMachine('a machine enrols and reports, and issues open and close as its configuration does', async (t) => {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine);
  await machine.run(['systemctl', 'start', UNIT]);
  const agent = await enrollAgent(machine, site);
  t.not((await machine.attempt(['test', '-e', '/root/token'])).status, 0, 'the token is gone after its use');

  await agent.collectAndSubmit();
  const before = await openIssues(site, agent.hostname);
  t.true(before.includes('firewall-disabled'), 'this machine has no firewall');
  t.true(before.includes('ssh-password-authentication'), "Debian's sshd takes passwords");
  t.false(before.includes(ROOT_LOGIN));

  await machine.write('/etc/ssh/sshd_config.d/00-test.conf', 'PermitRootLogin yes\n');
  await agent.collectAndSubmit();
  t.true((await openIssues(site, agent.hostname)).includes(ROOT_LOGIN));

  await machine.write('/etc/ssh/sshd_config.d/00-test.conf', 'PermitRootLogin no\n');
  await agent.collectAndSubmit();
  t.false((await openIssues(site, agent.hostname)).includes(ROOT_LOGIN));

  const history = JSON.stringify(await site.domeJson('hosts', 'history', agent.hostname));
  t.regex(history, /plugins\.sshd\.config\.permitrootlogin/);
  t.regex(history, /"old":"yes","new":"no"/);
});

onMachine('the agent keeps its secrets to root, and tells every user how it is', async (t) => {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine);
  await machine.run(['systemctl', 'start', UNIT]);
  const agent = await enrollAgent(machine, site);
  await agent.collectAndSubmit();
  const modes = await machine.run([
    ...['stat', '-c', '%U %a %n', '/etc/penguindome/identity.key', '/var/lib/penguindome/status.json'],
    ...['/var/lib/penguindome', '/var/lib/penguindome/spool', '/var/lib/penguindome/submit'],
  ]);
  t.deepEqual(modes.trim().split('\n'), [
    'root 600 /etc/penguindome/identity.key',
    'root 644 /var/lib/penguindome/status.json',
    'root 755 /var/lib/penguindome',
    'root 750 /var/lib/penguindome/spool',
    'root 700 /var/lib/penguindome/submit',
  ]);
  const asUser = ['runuser', '-u', 'nobody', '--'];
  t.regex(await machine.run([...asUser, program('penguindome-agent'), 'status']), new RegExp(agent.hostname));
  t.not((await machine.attempt([...asUser, 'cat', '/etc/penguindome/identity.key'])).status, 0);
});

onMachine('what the server has acknowledged outlives a server that is killed', async (t) => {
  const machine = await bootMachine(t);
  const site = await setUpSite(machine, { service: { Restart: 'always', RestartSec: '0' } });
  await machine.run(['systemctl', 'start', UNIT]);
  const agent = await enrollAgent(machine, site);
  await agent.collectAndSubmit();
  const acknowledged = await site.domeJson('hosts', 'show', agent.hostname);
  await machine.run(['systemctl', 'kill', '--signal', 'KILL', UNIT]);
  await machine.until('the server is back', async () => ((await site.local('/readyz')) === 200 ? true : undefined));
  t.is(await site.property('NRestarts'), '1');
  t.deepEqual(await site.domeJson('hosts', 'show', agent.hostname), acknowledged);
  await agent.collectAndSubmit();
  t.notDeepEqual(await site.domeJson('hosts', 'show', agent.hostname), acknowledged);
});
