import test from 'ava';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import { days } from '../../src/core/duration.ts';
import type { Fields } from '../../src/core/value.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const checks = loadChecks(['checks.d']).then(({ checks: all }) => all.filter(({ name }) => name === 'outdated-agent'));

async function judge(newest: string | undefined, plugins: Fields, at = AT, previous?: Fields) {
  const judged = makeJudge(await checks, [], { version: newest });
  const before = previous === undefined ? undefined : judged.judge({ hostname: 'x', plugins: previous }, undefined, AT);
  return judged.judge({ hostname: 'x', plugins }, before, at).results['outdated-agent'];
}

for (const [agent, server, answer] of [
  ['1.4.0', '1.4.0', 'pass'],
  ['1.4.0', '1.4.9', 'pass'],
  ['1.3.9', '1.4.0', 'pass'],
  ['1.2.9', '1.4.0', 'fail'],
  ['1.9.9', '2.0.0', 'fail'],
  ['2.0.0', '1.4.0', 'pass'],
  ['1.10.0', '1.9.0', 'pass'],
  ['1.2.0-rc.1', '1.4.0+deb', 'fail'],
  ['new', '1.4.0', 'unknown'],
] as const) {
  test(`an agent ${agent} with a server ${server}: ${answer}`, async (t) => {
    const result = await judge(server, { agent: { version: agent } });
    t.is(result?.answer, answer);
    if (answer !== 'unknown')
      t.like(result?.evidence, { 'agent.version': agent, 'agent.newest': server.replace(/\.\d+([+].*)?$/, '') });
  });
}

test('a host that does not say which agent it runs is an issue after 30 days', async (t) => {
  t.like(await judge('1.4.0', {}), { answer: 'unknown', fails: false });
  t.like(await judge('1.4.0', {}, new Date(AT.getTime() + days(30)), {}), { answer: 'unknown', fails: true });
});

test('another minor release of the server has all hosts judged again, a patch release has not', async (t) => {
  const versions = await Promise.all(
    [undefined, '1.4.0', '1.4.1', '1.5.0'].map(async (version) => makeJudge(await checks, [], { version }).version),
  );
  t.is(new Set(versions).size, 3);
  t.is(versions[1], versions[2]);
});
