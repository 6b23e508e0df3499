/**
 * Fills a store with hosts that have reported and that nobody has judged, each with six things wrong with it: what an original database
 * is to the first audit.
 *   node fleet.mjs SETTINGS-FILE COUNT
 */
import { loadJudge } from '../../src/audit/judge.ts';
import { systemClock, systemRandom } from '../../src/bin/world.ts';
import { consequencesOf } from '../../src/core/judged.ts';
import type { Fields } from '../../src/core/value.ts';
import { loadServerSettings } from '../../src/settings/load-server-settings.ts';
import { openStore } from '../../src/store/open.ts';
import { realPlugins } from './seed.ts';

const ISSUES = 6;
const AT_ONCE = 50;

const [settingsFile = '', count = '0'] = process.argv.slice(2);

/** A real report of the original client, with what is wrong with it changed to be six things. */
async function plugins(): Promise<Fields> {
  const sshd = { status: 'running', config: { passwordauthentication: 'yes', permitrootlogin: 'no' } };
  const reported = { ...(await realPlugins()), sshd };
  const { judge } = await loadJudge(['checks.d']);
  const at = systemClock.now();
  const { failing } = consequencesOf(judge.judge({ hostname: 'x', plugins: reported }, undefined, at), undefined);
  if (failing.length !== ISSUES) throw new Error(`expected ${ISSUES} issues, found ${failing.join(', ')}`);
  return reported;
}

const settings = await loadServerSettings(settingsFile);
const store = await openStore(settings.store, { clock: systemClock, random: systemRandom });
try {
  const reported = await plugins();
  for (let from = 0; from < Number(count); from += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, Number(count) - from) }, (_, index) => from + index);
    await Promise.all(
      numbers.map((number) =>
        store.hosts.storeV1({ hostname: `bench-${number}`, at: systemClock.now(), plugins: reported, trail: [] }),
      ),
    );
  }
} finally {
  await store.close();
}
