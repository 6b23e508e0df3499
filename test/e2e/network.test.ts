import { enrollAgent, TRY_AGAIN } from './support/agent.ts';
import { ADDRESSES, connect, plug } from './support/connect.ts';
import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { openIssues } from './support/open-issues.ts';
import { program, setUpSite, UNIT } from './support/site.ts';

const NAME = 'dome.example';

onMachine(
  "an agent on Debian 12's own Node keeps its reports while it is cut off, and delivers them after",
  async (t) => {
    const [server, laptop] = await Promise.all([bootMachine(t), bootMachine(t, { suite: 'bookworm' })]);
    await connect(server, laptop);
    await laptop.run(['sh', '-c', `echo ${ADDRESSES[0]} ${NAME} >>/etc/hosts`]);
    const site = await setUpSite(server, { hostName: NAME });
    await server.run(['systemctl', 'start', UNIT]);
    const agent = await enrollAgent(laptop, site);
    await agent.collectAndSubmit();
    t.true((await openIssues(site, agent.hostname)).includes('firewall-disabled'));

    await plug(laptop, 'down');
    await laptop.run(['ufw', '--force', 'enable']);
    await agent.run('collect');
    t.is((await laptop.attempt([program('penguindome-agent'), 'submit'])).status, TRY_AGAIN);
    t.true((await openIssues(site, agent.hostname)).includes('firewall-disabled'));

    await plug(laptop, 'up');
    await laptop.until('the server is in reach', async () =>
      (await laptop.attempt([program('penguindome-agent'), 'submit'])).status === 0 ? true : undefined,
    );
    t.false((await openIssues(site, agent.hostname)).includes('firewall-disabled'));
  },
);
