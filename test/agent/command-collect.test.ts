import test, { type ExecutionContext } from 'ava';
import type { Collector } from '../../src/agent/collector.ts';
import { group } from '../../src/agent/collectors/group.ts';
import { SUBMIT } from '../../src/wire/v2/paths.ts';
import { enrolledMachine, type Machine } from './support/machine.ts';
import { type Site, startSite } from './support/site.ts';

/** Its answer depends on what it keeps, as what only shows while somebody is logged in does. */
const remembers: Collector = {
  name: 'remembers',
  describe: 'of a test',
  timeout: 10_000,
  collect: async (_host, { keep, recall }) => {
    const before = await recall('seen');
    if (before === undefined) await keep('seen', { looks: 1 });
    return { seen: (await recall('seen'))?.value };
  },
};
const facts = group('facts', 'of a test', [
  { name: 'slow', interval: 3_600_000, look: async () => ({ found: true }) },
  {
    name: 'odd',
    look: async () => ({ text: '\u0085 \u2028 é \ud83d\ude00 \u0000', 'a.b': 1, $where: null, 10: 'x', 9: 'y' }),
  },
]);
const own: Collector = {
  name: 'own',
  describe: 'of a test',
  timeout: 10_000,
  collect: async () => ({ fixed: [1, 1.5, 1e21, -0] }),
};

async function tellingMachine(t: ExecutionContext, site: Site): Promise<Machine> {
  const now = new Date();
  const machine = await enrolledMachine(t, site, { collectors: [facts, own, remembers], clock: { now: () => now } });
  await machine.plugin('fails.sh', '#!/bin/sh\necho some; echo thing >&2; exit 3\n');
  await machine.plugin('counts.sh', '#!/bin/sh\ncd "$PENGUINDOME_STATE_DIRECTORY"; echo x >>looks; wc -l <looks\n');
  await machine.plugin('not_executable.sh', '#!/bin/sh\n', 0o644);
  return machine;
}

/** The message that is shown, as it would be written for the wire: with the time and number of the one that was sent. */
function written(shown: string, sent: Record<string, unknown>): string {
  return JSON.stringify({ ...JSON.parse(shown), submission: sent['submission'], collected_at: sent['collected_at'] });
}

test('what collect --show prints is, to the byte, what the server gets with the next submission', async (t) => {
  const site = await startSite(t);
  const machine = await tellingMachine(t, site);
  const shown = await machine.run('collect', '--show');
  t.is((await machine.run('--json', 'run', '--now')).status, 0);
  const [first] = submissions(site);
  t.is(written(shown.out, first ?? {}), JSON.stringify(first));
  t.regex(
    shown.err,
    /would travel now: plugins\.counts, plugins\.facts, plugins\.fails, plugins\.not_executable, plugins\.own, plugins\.remembers\./,
  );
});

test('after a report, the bodies that collect --show names are those that travel next', async (t) => {
  const site = await startSite(t);
  const machine = await tellingMachine(t, site);
  await machine.run('--json', 'run', '--now');
  // The plugin counts its runs; all else stays as it is.
  const shown = await machine.run('collect', '--show');
  const again = await machine.run('collect', '--show');
  t.is(
    JSON.stringify(JSON.parse(again.out).bodies),
    JSON.stringify(JSON.parse(shown.out).bodies),
    'looking leaves no trace',
  );
  await machine.run('--json', 'run', '--now');
  const second = submissions(site)[1] ?? {};
  const { list, bodies } = JSON.parse(shown.out);
  const named = /would travel now: (.*)\.\n/.exec(shown.err)?.[1]?.split(', ') ?? [];
  t.deepEqual(named, ['plugins.counts']);
  const travelled = Object.fromEntries(named.map((name) => [list[name], bodies[list[name]]]));
  t.is(JSON.stringify(second), written(JSON.stringify({ ...JSON.parse(shown.out), bodies: travelled }), second));
});

test('where nothing changed collect --show says that the digest alone travels, and so it does', async (t) => {
  const site = await startSite(t);
  const machine = await tellingMachine(t, site);
  await machine.settings('plugins: {disabled: [counts]}\n');
  await machine.run('--json', 'run', '--now');
  const shown = await machine.run('collect', '--show');
  t.regex(shown.err, /The server has all of this: only the digest would travel now\./);
  await machine.run('--json', 'run', '--now');
  const { list: _, bodies: __, agent: ___, ...short } = JSON.parse(shown.out);
  const second = submissions(site)[1] ?? {};
  t.is(JSON.stringify(second), written(JSON.stringify(short), second));
});

function submissions(site: Site): Record<string, unknown>[] {
  return site.passed.filter(({ path }) => path === SUBMIT).map(({ message }) => message);
}
