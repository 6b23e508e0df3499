import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { serviceRuns } from '../processes.ts';
import { systemdSetting } from '../systemd-setting.ts';

const HIDDEN = '/proc hides the processes of others';

export const auditLog: Fact = {
  name: 'audit_log',
  look: async (host) => {
    const [auditd, journal, syslog] = await Promise.all([
      auditdState(host),
      journalState(host),
      serviceRuns(host, ['rsyslogd', 'syslog-ng', 'syslogd']),
    ]);
    return { auditd, journal, syslog: syslog ?? unknown(HIDDEN) };
  },
};

async function auditdState(host: HostAccess) {
  const runs = await serviceRuns(host, ['auditd']);
  if (runs) return 'running';
  if ((await host.find('auditd')) === undefined) return 'absent';
  return runs === undefined ? unknown(HIDDEN) : 'stopped';
}

/** Where the journal outlives a restart. `auto`, which is what journald does unasked: where somebody made the folder (journald.conf(5)). */
async function journalState(host: HostAccess) {
  const runs = await serviceRuns(host, ['systemd-journald', 'systemd-journal']);
  if (runs === false) return 'none';
  const storage = (await systemdSetting(host, 'journald.conf', 'Storage'))?.toLowerCase() ?? 'auto';
  if (storage === 'auto')
    return (await factsOf(host, '/var/log/journal'))?.kind === 'directory' ? 'persistent' : 'volatile';
  if (['persistent', 'volatile', 'none'].includes(storage)) return storage;
  return unknown('cannot make out Storage= of journald.conf');
}
