import { join } from 'node:path';
import test from 'ava';
import { describeProblem } from '../../src/audit/check-problem.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import type { Profile } from '../../src/core/audit.ts';
import { days, hours } from '../../src/core/duration.ts';
import { folderOf } from './scratch.ts';

const GOOD = 'name: good\ntitle: Good\nquery: { plugins.a: 1 }\n';

test('a check has defaults for all that it does not say', async (t) => {
  const folder = await folderOf(t, { 'good.yaml': GOOD });
  t.deepEqual(await loadChecks([folder]), {
    problems: [],
    checks: [
      {
        name: 'good',
        title: 'Good',
        severity: 'medium',
        gracePeriod: 0,
        alertFrequency: hours(1),
        tags: [],
        enabled: true,
        remediation: {},
        file: join(folder, 'good.yaml'),
        rule: {
          query: { 'plugins.a': 1 },
          needs: ['plugins.a'],
          onUnknown: { follows: 'issue-after', after: days(7) },
        },
      },
    ],
  });
});

test('every field is read', async (t) => {
  const folder = await folderOf(t, {
    'full.yaml': `name: full
title: Full
severity: critical
rationale: Because
profiles: [server, minimal]
query: { $or: [{ plugins.a: { $ne: 1 } }, { plugins.b: { $exists: false } }] }
needs: [plugins.a]
unknown: { plugins.a: unknown }
on_unknown: issue-after 36h
applies_to: { hostname: { $regex: '^lap-' } }
grace_period: 4h
alert_frequency: 1d
remediation: { Debian: Do this, default: Do that }
tags: [cis-4.3]
enabled: false
`,
  });
  const { checks, problems } = await loadChecks([folder]);
  t.deepEqual(problems, []);
  t.like(checks[0], {
    severity: 'critical',
    rationale: 'Because',
    profiles: ['server', 'minimal'],
    gracePeriod: hours(4),
    alertFrequency: days(1),
    remediation: { debian: 'Do this', default: 'Do that' },
    tags: ['cis-4.3'],
    enabled: false,
    rule: {
      needs: ['plugins.a'],
      unknown: { 'plugins.a': 'unknown' },
      onUnknown: { follows: 'issue-after', after: hours(36) },
      appliesTo: { hostname: { $regex: '^lap-' } },
    },
  });
});

test("a later folder's check replaces the one of its name", async (t) => {
  const first = await folderOf(t, { 'a.yaml': GOOD, 'b.yaml': GOOD.replace('good', 'other') });
  const second = await folderOf(t, { 'mine.yml': `${GOOD}severity: low\n` });
  const { checks } = await loadChecks([first, second]);
  t.deepEqual(
    checks.map(({ name, severity }) => [name, severity]),
    [
      ['good', 'low'],
      ['other', 'medium'],
    ],
  );
});

test('a profile switches off the checks that are for others only', async (t) => {
  const folder = await folderOf(t, {
    'a.yaml': GOOD,
    'b.yaml': `${GOOD.replace('good', 'desk')}profiles: [laptop, minimal]\n`,
    'c.yaml': `${GOOD.replace('good', 'never')}profiles: [laptop]\nenabled: false\n`,
  });
  const on = async (profile?: Profile) =>
    (await loadChecks([folder], profile)).checks.filter(({ enabled }) => enabled).map(({ name }) => name);
  t.deepEqual(await on(), ['desk', 'good']);
  t.deepEqual(await on('laptop'), ['desk', 'good']);
  t.deepEqual(await on('minimal'), ['desk', 'good']);
  t.deepEqual(await on('server'), ['good']);
  const { checks } = await loadChecks([folder], 'server');
  t.deepEqual(
    checks.map(({ outsideProfile }) => outsideProfile),
    [true, undefined, undefined],
    'what its file switches off, the profile does not',
  );
});

test('a bad file is named with line and reason, and the others are there all the same', async (t) => {
  const folder = await folderOf(t, {
    'bad.yaml': 'name: bad\ntitle: Bad\nseverity: dreadful\nquery: { a: 1 }\n',
    'good.yaml': GOOD,
  });
  const { checks, problems } = await loadChecks([folder]);
  t.deepEqual(
    checks.map(({ name }) => name),
    ['good'],
  );
  t.deepEqual(problems, [
    {
      file: join(folder, 'bad.yaml'),
      line: 3,
      name: 'bad',
      reason: 'severity: expected critical, high, medium or low',
    },
  ]);
});

test('a folder that is not there is a problem of its own', async (t) => {
  const folder = await folderOf(t, { 'good.yaml': GOOD });
  const { checks, problems } = await loadChecks([join(folder, 'none'), folder]);
  t.is(checks.length, 1);
  t.is(problems.length, 1);
  t.regex(describeProblem(problems[0] ?? { file: '', reason: '' }), /none: cannot read the folder of checks: ENOENT/);
  t.false('name' in (problems[0] ?? {}));
});

test('hidden files, backups and others are no checks', async (t) => {
  const folder = await folderOf(t, { '.a.yaml': 'x', 'a.yaml~': 'x', 'README.md': 'x', 'good.yaml': GOOD });
  t.like(await loadChecks([folder]), { problems: [], checks: [{ name: 'good' }] });
});

/** What stands in the file, and what must be said of it. */
function bad(title: string, text: string, ...expected: RegExp[]) {
  test(`refused: ${title}`, async (t) => {
    const folder = await folderOf(t, { 'x.yaml': text });
    const { checks, problems } = await loadChecks([folder]);
    t.deepEqual(checks, []);
    const said = problems.map((problem) => describeProblem(problem).slice(folder.length + 1));
    t.is(said.length, expected.length, said.join('\n'));
    for (const [index, pattern] of expected.entries()) t.regex(said[index] ?? '', pattern);
    t.true(problems.every(({ name }) => name === 'x'));
  });
}

const withQuery = (query: string) => `name: x\ntitle: X\nquery:\n  ${query}\n`;

bad('what is no YAML', 'name: x\ntitle: [', /^x\.yaml:\d: expected YAML/);
bad('an empty file', '', /^x\.yaml/);
bad('a key twice', 'name: x\nname: x\n', /^x\.yaml:2: name: expected each key once/);
bad(
  'a key that checks do not have',
  `${GOOD.replace('good', 'x')}querry: 1\n`,
  /^x\.yaml:4: querry: expected a key that checks have/,
);
bad('no query', 'name: x\ntitle: X\n', /query: expected a query, as x is not raised by the product itself/);
bad('no title', 'name: x\nquery: { a: 1 }\n', /title: expected a text/);
bad(
  'a duration in words',
  `${withQuery('a: 1')}grace_period: two days\n`,
  /^x\.yaml:5: grace_period: expected a number and s, m, h or d/,
);
bad('a grace period of centuries', `${withQuery('a: 1')}grace_period: 99999d\n`, /at most 3650d/);
bad('no profile at all', `${withQuery('a: 1')}profiles: []\n`, /^x\.yaml:5: profiles: expected at least 1 entry/);
bad(
  'an unheard-of on_unknown',
  `${withQuery('a: 1')}on_unknown: shrug\n`,
  /^x\.yaml:5: on_unknown: expected ignore, fail or issue-after DURATION/,
);
bad('issue-after without a duration', `${withQuery('a: 1')}on_unknown: issue-after\n`, /issue-after DURATION/);
bad(
  '$where',
  withQuery('$where: "this.a"'),
  /^x\.yaml:4: query\.\$where: expected a path, \$and, \$or or \$nor here, not \$where/,
);
bad('$expr', withQuery('$expr: { $gt: [1, 0] }'), /not \$expr/);
bad('$where deep inside', withQuery('$or: [{ a: 1 }, { $and: [{ $where: x }] }]'), /query\.\$or\.1\.\$and\.0\.\$where/);
bad(
  '$function behind a path',
  withQuery('a: { $function: { body: x } }'),
  /^x\.yaml:4: query\.a\.\$function: expected one of \$all/,
);
bad('$jsonSchema', withQuery('$jsonSchema: {}'), /not \$jsonSchema/);
bad(
  'an operator that a shell took out',
  withQuery('a: { : true }'),
  /^x\.yaml:4: query\.a: expected no empty key in a condition/,
);
bad('a mistyped operator', withQuery('a: { $neq: 1 }'), /query\.a\.\$neq: expected one of/);
bad('an operator beside a plain key', withQuery('a: { $ne: 1, b: 2 }'), /query\.a\.b: expected one of/);
bad('a $not of a value', withQuery('a: { $not: true }'), /\$not: expected a condition/);
bad('an $in without a list', withQuery('a: { $in: 1 }'), /\$in: expected a list/);
bad('an empty $or', withQuery('$or: []'), /\$or: expected a list of at least one query/);
bad('a regular expression that is none', withQuery("a: { $regex: '(' }"), /\$regex: expected a regular expression/);
bad('a flag that keeps state', withQuery('a: { $regex: x, $options: g }'), /\$options: expected letters of i, m and s/);
bad('an unknown type', withQuery('a: { $type: lorem }'), /\$type: expected one of array/);
bad('a path with __proto__', withQuery('a.__proto__.b: 1'), /expected a path without __proto__/);
bad('a path with an empty step', withQuery('a..b: 1'), /expected a dotted path without empty steps/);
bad('such a path in needs', `${withQuery('a: 1')}needs: [__proto__]\n`, /needs\.0: expected a path without __proto__/);
bad('a query that is a list', 'name: x\ntitle: X\nquery: [1]\n', /query: expected a query: a group of paths/);
bad(
  'an alias that grows without bounds',
  `name: x\ntitle: X\na: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nquery: { d: { $in: [*c,*c,*c,*c,*c,*c,*c,*c,*c] } }\n`,
  /cannot be read: .*alias/i,
);

test('a check for an issue that the product raises itself has no query', async (t) => {
  const folder = await folderOf(t, { 'a.yaml': 'name: not-reporting\ntitle: X\nquery: { a: 1 }\n' });
  const { problems } = await loadChecks([folder]);
  t.regex(problems[0]?.reason ?? '', /query: expected none, as not-reporting is raised by the product itself/);
});

test('two files of one folder cannot hold the same check', async (t) => {
  const folder = await folderOf(t, { 'a.yaml': GOOD, 'b.yaml': GOOD });
  const { checks, problems } = await loadChecks([folder]);
  t.is(checks[0]?.file, join(folder, 'a.yaml'));
  t.deepEqual(problems, [
    { file: join(folder, 'b.yaml'), name: 'good', reason: 'cannot have a second check good beside a.yaml' },
  ]);
});

for (const name of ['deprecated-port', 'duplicate-hostname', 'cloned-identity', 'downgraded-identity']) {
  test(`refused: to switch ${name} off, which the server raises all the same`, async (t) => {
    const said = async (text: string) =>
      (await loadChecks(['checks.d', await folderOf(t, { 'x.yaml': text })])).problems.map(describeProblem).join();
    t.regex(await said(`overrides: ${name}\nenabled: false\n`), /x\.yaml:2: enabled: expected true or none/);
    t.is(await said(`overrides: ${name}\nseverity: low\n`), '');
  });
}
