import type { HostAccess } from '../../collector.ts';
import { textOf } from '../lenient.ts';
import { parseBoolean, parseIni } from '../parse-ini.ts';
import { type Automatic, automatic } from './automatic.ts';
import { timerState } from './unit-state.ts';

/** dnf5-automatic(8): what the package sets, and then what the administrator does: the second is where dnf5 first had that. */
const SETTINGS = [
  '/usr/share/dnf5/dnf5-plugins/automatic.conf',
  '/etc/dnf/dnf5-plugins/automatic.conf',
  '/etc/dnf/automatic.conf',
];

/** dnf-automatic-install.timer installs whatever the settings say (dnf-automatic(8)); those of the other two timers ask them. */
export async function automaticDnf(host: HostAccess): Promise<Automatic> {
  if ((await timerState(host, 'dnf-automatic-install.timer')) === 'enabled') return automatic('dnf-automatic', []);
  const timers = ['dnf5-automatic', 'dnf-automatic'];
  const states = await Promise.all(timers.map((name) => timerState(host, `${name}.timer`)));
  const installed = timers.filter((_, index) => states[index] !== 'missing');
  const enabled = timers.find((_, index) => states[index] === 'enabled');
  const [first] = installed;
  if (first === undefined)
    return automatic('nothing', ['neither dnf-automatic nor dnf5-plugin-automatic is installed']);
  const problems = enabled === undefined ? installed.map((name) => `${name}.timer is not enabled`) : [];
  if (!(await applies(host))) problems.push('apply_updates is off: updates are only announced or downloaded');
  return automatic(enabled ?? first, problems);
}

async function applies(host: HostAccess): Promise<boolean> {
  const texts = await Promise.all(SETTINGS.map((file) => textOf(host, file)));
  const values = texts.flatMap(
    (text) =>
      parseIni(text ?? '')
        .get('commands')
        ?.get('apply_updates') ?? [],
  );
  return parseBoolean(values.at(-1)) === true;
}

/** A system that is updated as one image (rpm-ostreed.conf(5)). */
export async function automaticOstree(host: HostAccess): Promise<Automatic> {
  const settings = parseIni((await textOf(host, '/etc/rpm-ostreed.conf')) ?? '');
  const policy = settings.get('Daemon')?.get('AutomaticUpdatePolicy') ?? 'none';
  const state = await timerState(host, 'rpm-ostreed-automatic.timer');
  const problems = [
    ...(['stage', 'apply'].includes(policy) ? [] : [`AutomaticUpdatePolicy is ${policy}`]),
    ...(state === 'enabled' ? [] : [`rpm-ostreed-automatic.timer is ${state}`]),
  ];
  return automatic('rpm-ostree', problems);
}
