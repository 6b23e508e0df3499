import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { describeProblem } from '../../src/audit/check-problem.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import { days } from '../../src/core/duration.ts';
import { folderOf } from './scratch.ts';

const SHIPPED = `name: disk-full
title: A disk is nearly full
severity: low
rationale: Nothing works on a full disk.
profiles: [laptop]
query: { plugins.disk.usage.percent: { $gte: 95 } }
needs: [plugins.disk.usage.percent]
unknown: { plugins.disk.usage: unknown }
on_unknown: ignore
applies_to: { hostname: { $regex: ^lap- } }
grace_period: 1d
remediation: { default: Delete something, Debian: Run apt clean }
tags: [disk]
`;

/** Shipped files, and then the site's own. */
async function layered(t: ExecutionContext, ...layers: Record<string, string>[]) {
  const folders = await Promise.all(layers.map((files) => folderOf(t, files)));
  const { checks, problems } = await loadChecks(folders);
  return { folders, checks, problems: problems.map((problem) => describeProblem(problem).replace(/^.*\//, '')) };
}

const over = (t: ExecutionContext, text: string) => layered(t, { 'disk-full.yaml': SHIPPED }, { 'mine.yaml': text });

test('an override changes what it names, and leaves the rest as it was', async (t) => {
  const { checks: before } = await layered(t, { 'disk-full.yaml': SHIPPED });
  const { checks, problems, folders } = await over(
    t,
    'overrides: disk-full\nseverity: high\nquery: { plugins.disk.usage.percent: { $gte: 80 } }\n',
  );
  t.deepEqual(problems, []);
  const expected = before.map((check) => ({
    ...check,
    severity: 'high' as const,
    ...(check.rule && { rule: { ...check.rule, query: { 'plugins.disk.usage.percent': { $gte: 80 } } } }),
    file: join(folders[0] ?? '', 'disk-full.yaml'),
    overriddenBy: [join(folders[1] ?? '', 'mine.yaml')],
  }));
  t.deepEqual(checks, expected);
});

test('an override switches a check off', async (t) => {
  const { checks, problems } = await over(t, 'overrides: disk-full\nenabled: false\n');
  t.deepEqual(problems, []);
  t.like(checks, [{ name: 'disk-full', enabled: false }]);
});

test('`default` takes a key back to what it is where a check does not have it', async (t) => {
  const keys = ['severity', 'profiles', 'unknown', 'on_unknown', 'applies_to', 'grace_period', 'tags'];
  const { checks, problems } = await over(
    t,
    `overrides: disk-full\n${keys.map((key) => `${key}: default\n`).join('')}`,
  );
  t.deepEqual(problems, []);
  const [{ severity, profiles, rule, gracePeriod, tags } = {}] = checks;
  t.deepEqual([severity, profiles, gracePeriod, tags], ['medium', undefined, 0, []]);
  t.deepEqual(rule, {
    query: { 'plugins.disk.usage.percent': { $gte: 95 } },
    needs: ['plugins.disk.usage.percent'],
    onUnknown: { follows: 'issue-after', after: days(7) },
  });
});

test('the remedy of a distribution is added to the others, or takes the place of the same one', async (t) => {
  const remedies = async (text: string) =>
    (await over(t, `overrides: disk-full\nremediation: ${text}\n`)).checks[0]?.remediation;
  t.deepEqual(await remedies('{ Fedora: Run dnf clean }'), {
    default: 'Delete something',
    debian: 'Run apt clean',
    fedora: 'Run dnf clean',
  });
  t.deepEqual(await remedies('{ debian: Call us }'), { default: 'Delete something', debian: 'Call us' });
  t.deepEqual(await remedies('Call us'), { default: 'Call us' }, 'a text is for all');
});

test('the next folder can change what the one before has changed', async (t) => {
  const { checks, problems, folders } = await layered(
    t,
    { 'disk-full.yaml': SHIPPED },
    { 'a.yaml': 'overrides: disk-full\nseverity: high\ntitle: Full\n' },
    { 'b.yaml': 'overrides: disk-full\nseverity: critical\n' },
  );
  t.deepEqual(problems, []);
  t.like(checks, [{ title: 'Full', severity: 'critical' }]);
  t.deepEqual(checks[0]?.overriddenBy, [join(folders[1] ?? '', 'a.yaml'), join(folders[2] ?? '', 'b.yaml')]);
});

test('a whole check of the same name takes the place of the earlier one, and says so', async (t) => {
  const { checks, folders } = await over(t, 'name: disk-full\ntitle: Mine\nquery: { a: 1 }\n');
  t.like(checks, [{ title: 'Mine', severity: 'medium', replaces: join(folders[0] ?? '', 'disk-full.yaml') }]);
});

test('what is told about an issue that the product itself raises can be changed', async (t) => {
  const card = 'name: not-reporting\ntitle: Silent\n';
  const { checks, problems } = await layered(
    t,
    { 'n.yaml': card },
    { 'm.yaml': 'overrides: not-reporting\nenabled: false\n' },
  );
  t.deepEqual(problems, []);
  t.like(checks, [{ title: 'Silent', enabled: false }]);
  const query = await layered(t, { 'n.yaml': card }, { 'm.yaml': 'overrides: not-reporting\nquery: { a: 1 }\n' });
  t.regex(query.problems.join(), /^m\.yaml:2: query: expected none, as not-reporting is raised by the product itself$/);
});

/** What stands in the override, and what must be said of it; the check stays as it was. */
function refused(title: string, text: string, expected: RegExp) {
  test(`refused: an override ${title}`, async (t) => {
    const { checks, problems, folders } = await over(t, text);
    t.is(problems.length, 1, problems.join('\n'));
    t.regex(problems[0] ?? '', expected);
    t.deepEqual(checks, (await loadChecks(folders.slice(0, 1))).checks);
  });
}
refused(
  'of a check that is not there',
  'overrides: disk-ful\nenabled: false\n',
  /^mine\.yaml:1: overrides: .* did you mean disk-full\?$/,
);
refused(
  'of nothing that is known',
  'overrides: x\nenabled: false\n',
  /found x; `penguindome checks list` shows those there are$/,
);
refused(
  'of a list',
  'overrides: [disk-full]\nenabled: false\n',
  /^mine\.yaml:1: overrides: expected the name of a check/,
);
refused('that changes nothing', 'overrides: disk-full\n', /^mine\.yaml:1: overrides: expected a key beside it/);
refused(
  'that has a name, too',
  'overrides: disk-full\nname: disk-full\nseverity: low\n',
  /^mine\.yaml:2: name: expected none beside overrides/,
);
refused(
  'with a key that checks do not have',
  'overrides: disk-full\n\nthreshold: 80\n',
  /^mine\.yaml:3: threshold: expected a key that checks have$/,
);
refused(
  'with a value that cannot be',
  'overrides: disk-full\nseverity: dire\n',
  /^mine\.yaml:2: severity: expected critical/,
);
refused(
  'with a profile that nobody knows',
  'overrides: disk-full\nprofiles: [desktop]\n',
  /^mine\.yaml:2: profiles\.0: expected laptop, server or minimal$/,
);
refused(
  'with a key and nothing behind it',
  'overrides: disk-full\nenabled:\n',
  /^mine\.yaml:2: enabled: expected true or false$/,
);
refused(
  'whose query looks where needs and unknown of the former do not',
  'overrides: disk-full\nseverity: low\nquery: { plugins.disk.free: { $lte: 10 } }\n',
  /^mine\.yaml:3: query: expected needs and unknown beside it .* plugins\.disk\.free, which the check that it changes does not$/,
);

test('a query that looks elsewhere may come with its own needs and unknown, or with `default`', async (t) => {
  const { checks, problems } = await over(
    t,
    'overrides: disk-full\nquery: { plugins.disk.free: { $lte: 10 } }\nneeds: default\nunknown: default\n',
  );
  t.deepEqual(problems, []);
  t.deepEqual(checks[0]?.rule?.needs, ['plugins.disk.free']);
  t.is(checks[0]?.rule?.unknown, undefined);
});

test('an override of a check whose own file is broken says so', async (t) => {
  const { problems } = await layered(
    t,
    { 'disk-full.yaml': `${SHIPPED}colour: red\n` },
    { 'mine.yaml': 'overrides: disk-full\nenabled: false\n' },
  );
  t.deepEqual(problems, [
    'disk-full.yaml:14: colour: expected a key that checks have',
    'mine.yaml:1: overrides: cannot change disk-full, whose own file cannot be used',
  ]);
});

test('a folder does not override its own checks, and overrides each once', async (t) => {
  const own = await layered(t, { 'a.yaml': SHIPPED, 'b.yaml': 'overrides: disk-full\nenabled: false\n' });
  t.regex(own.problems.join(), /^b\.yaml:1: overrides: expected the name of a check of an earlier folder/);
  const twice = await layered(
    t,
    { 'disk-full.yaml': SHIPPED },
    { 'a.yaml': 'overrides: disk-full\nenabled: false\n', 'b.yaml': 'overrides: disk-full\nseverity: low\n' },
  );
  t.deepEqual(twice.problems, ['b.yaml: cannot have a second check disk-full beside a.yaml']);
  t.like(twice.checks, [{ enabled: false }]);
});
