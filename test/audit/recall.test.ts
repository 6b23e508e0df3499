import test, { type ExecutionContext } from 'ava';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import { recall } from '../../src/audit/recall.ts';
import type { Judgement } from '../../src/core/check.ts';
import { days } from '../../src/core/duration.ts';
import { folderOf } from './scratch.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const LATER = new Date(AT.getTime() + days(1));
const CHECK = 'name: firewall\ntitle: X\nquery: { plugins.firewall.status: "off" }\n';

async function checksOf(t: ExecutionContext, text: string) {
  const { checks, problems } = await loadChecks([await folderOf(t, { 'x.yaml': text })]);
  t.deepEqual(problems, []);
  return checks;
}

const reported = (status: string) => ({ hostname: 'laptop', plugins: { firewall: { status } } });

test('what is recalled of a host is what was said of it, and what that was said from', async (t) => {
  const checks = await checksOf(t, CHECK);
  const judge = makeJudge(checks);
  for (const status of ['on', 'off', 'unknown']) {
    const stored = makeJudge(checks, [], {}, 'fails').judge(reported(status), undefined, AT);
    const told = judge.judge(reported(status), undefined, AT);
    t.deepEqual(recall(judge, { ...reported(status), checks: stored }, LATER), told);
  }
  t.is(recall(judge, reported('on'), LATER), undefined, 'nobody judged it');
});

test('a check that was changed or is gone is recalled with the answer that it gave', async (t) => {
  const checks = makeJudge(await checksOf(t, CHECK), [], {}, 'fails').judge(reported('on'), undefined, AT);
  const said = { answer: 'pass', fails: false, since: AT } as const;
  t.deepEqual(checks.results, { firewall: said });
  const host = { ...reported('on'), checks };
  const changed = makeJudge(await checksOf(t, CHECK.replace('firewall.status', 'firewall.zone')));
  const evidence = { 'plugins.firewall.zone': null };
  t.deepEqual(recall(changed, host, LATER), { ...checks, results: { firewall: { ...said, evidence } } });
  t.deepEqual(recall(makeJudge([]), host, LATER), { ...checks, results: { firewall: { ...said, evidence: {} } } });
});

test('evidence that is stored is recalled as it is', async (t) => {
  const evidence = { 'plugins.firewall.status': 'off' };
  const checks: Judgement = {
    ...{ version: 'x', evaluated_at: AT },
    results: { firewall: { answer: 'fail', fails: true, evidence, since: AT } },
  };
  t.deepEqual(recall(makeJudge(await checksOf(t, CHECK)), { ...reported('on'), checks }, LATER), checks);
});
