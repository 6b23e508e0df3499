import * as z from 'zod';
import { enrollAgent } from './support/agent.ts';
import { bootMachine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { DIR, program, setUpSite, UNIT } from './support/site.ts';

const entry = z.object({ PRIORITY: z.string(), _SYSTEMD_UNIT: z.string(), MESSAGE: z.string() });
const alert = z.object({ event: z.string(), id: z.string(), host: z.string(), issue: z.string() });

const AUDIT = 'audit-here.service';
/** RFC 5424: what an issue of medium severity is told with, which one of no check has. */
const WARNING = '4';

onMachine(
  "the journal of systemd gets each alert once, by an audit that is a unit's; what comes up elsewhere waits for it",
  async (t) => {
    const machine = await bootMachine(t);
    const site = await setUpSite(machine);
    await machine.run(['systemctl', 'start', UNIT]);
    const agent = await enrollAgent(machine, site);
    await agent.collectAndSubmit();
    await site.dome('issues', 'audit');
    await site.dome('settings', 'set', 'delivery.journal', '{severity: low}');
    await site.dome('issues', 'open', '--host', agent.hostname, '--issue-name', 'return-to-office');

    await site.dome('issues', 'audit');
    const told = async () => {
      await machine.run(['journalctl', '--sync']);
      const lines = await machine.run(['journalctl', '-u', AUDIT, '-o', 'json', '--no-pager']);
      const entries = lines.split('\n').filter((line) => line.includes('issue.alerted'));
      return entries.map((line) => {
        const { MESSAGE, ...rest } = entry.parse(JSON.parse(line));
        return { ...rest, ...alert.parse(JSON.parse(MESSAGE)) };
      });
    };
    t.deepEqual(await told(), [], 'from elsewhere nothing reaches the journal');

    const audit = () =>
      machine.run([
        ...['systemd-run', '--quiet', '--wait', '--collect', `--unit=${AUDIT}`, '--'],
        ...[program('penguindome'), '--config', `${DIR}/server.yml`, 'issues', 'audit'],
      ]);
    await audit();
    const first = await told();
    t.like(first[0], { PRIORITY: WARNING, _SYSTEMD_UNIT: AUDIT, host: agent.hostname, issue: 'return-to-office' });
    t.is(first.length, 1);
    await audit();
    t.deepEqual(await told(), first, 'once');
  },
);
