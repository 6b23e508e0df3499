import { enrollAgent } from './support/agent.ts';
import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { openIssues } from './support/open-issues.ts';
import { setUpSite, UNIT } from './support/site.ts';

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
