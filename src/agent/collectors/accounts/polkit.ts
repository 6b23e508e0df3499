import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn } from '../lenient.ts';
import { judgePolkitRules } from './judge-polkit-rules.ts';
import { parsePkla } from './parse-pkla.ts';

/** The site's own. What packages bring in /usr/share is theirs to answer for. */
const RULES = ['/etc/polkit-1/rules.d', '/usr/local/share/polkit-1/rules.d', '/run/polkit-1/rules.d'];
/** Read by polkit before 0.106, and after by an extra program (Debian's polkitd-pkla). */
const PKLA = ['/etc/polkit-1/localauthority', '/var/lib/polkit-1/localauthority'];
const DAEMONS = ['/usr/lib/polkit-1/polkitd', '/usr/libexec/polkitd', '/usr/lib/policykit-1/polkitd'];

export const polkit: Fact = {
  name: 'polkit',
  look: async (host) => {
    const daemons = await Promise.all(DAEMONS.map((path) => host.stat(path)));
    if (daemons.every((facts) => facts === undefined)) return { installed: false, passwordless: [] };
    const [rules, pkla] = await Promise.all([rulesIn(host), pklaIn(host)]);
    const found = [...rules, ...pkla];
    const passwordless = found.filter(({ actions }) => actions !== undefined);
    const unclear = found.filter(({ actions }) => actions === undefined).map(({ file }) => file);
    return {
      installed: true,
      passwordless: passwordless.map(({ file, actions }) => ({ file, actions })),
      unclear: unclear.length === 0 ? [] : unknown(`cannot judge the code of ${unclear.join(', ')}`),
    };
  },
};

/** `actions`: those that are allowed without a password and lead to root; `*` is every one; undefined: cannot be told */
interface Found {
  file: string;
  actions?: string[];
}

async function rulesIn(host: HostAccess): Promise<Found[]> {
  const found: Found[] = [];
  for (const folder of RULES) {
    for (const name of ((await host.list(folder)) ?? []).filter((each) => each.endsWith('.rules'))) {
      const file = `${folder}/${name}`;
      const actions = judgePolkitRules((await host.readText(file)) ?? '');
      if (actions === undefined) found.push({ file });
      else if (actions.length > 0) found.push({ file, actions });
    }
  }
  return found;
}

async function pklaIn(host: HostAccess): Promise<Found[]> {
  if (!(await readsPkla(host))) return [];
  const found: Found[] = [];
  for (const root of PKLA) {
    for (const part of (await namesIn(host, root)) ?? []) {
      for (const name of ((await namesIn(host, `${root}/${part}`)) ?? []).filter((each) => each.endsWith('.pkla'))) {
        const file = `${root}/${part}/${name}`;
        const actions = parsePkla((await host.readText(file)) ?? '');
        if (actions.length > 0) found.push({ file, actions });
      }
    }
  }
  return found;
}

async function readsPkla(host: HostAccess): Promise<boolean> {
  if ((await host.find('pkla-check-authorization')) !== undefined) return true;
  // The older polkit had no rules in JavaScript, and so not its folder of them.
  return (await host.stat('/usr/share/polkit-1/rules.d')) === undefined;
}
