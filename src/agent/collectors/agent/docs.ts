import type { FactDoc } from '../doc.ts';
import { settings } from './settings.ts';
import { version } from './version.ts';

export const agentDocs: readonly FactDoc[] = [
  {
    fact: settings,
    tells:
      'the settings in force that a server may want otherwise (`penguindome client-settings`): intervals, and the names of collectors that are switched off or on. Whom `ip_addresses` and `geolocation` ask, files and keys are never told',
    reads: ['`agent.yml`', '`agent.d`', '`site/settings`, which orders bring'],
    shape: '{collect_interval, submit_interval, collectors: {disabled: [NAME], enabled: [NAME]}}',
    cost: '1 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'no', ubuntu: 'no', arch: 'no', fedora: 'no' },
  },
  {
    fact: version,
    tells: 'which version of the agent this is, so that `outdated-agent` can be told',
    reads: ['nothing: it knows'],
    shape: 'TEXT',
    cost: '1 ms',
    tested: { 'debian-12': 'real', 'debian-13': 'real', ubuntu: 'no', arch: 'no', fedora: 'no' },
  },
];
