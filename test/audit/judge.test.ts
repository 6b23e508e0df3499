import test from 'ava';
import fc from 'fast-check';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import type { CheckResult, Judgement } from '../../src/core/check.ts';
import { days, hours } from '../../src/core/duration.ts';
import { type Fields, setField } from '../../src/core/value.ts';
import { folderOf } from './scratch.ts';

const AT = new Date('2026-03-02T10:00:00Z');
const later = (duration: number) => new Date(AT.getTime() + duration);

async function checksOf(t: Parameters<typeof folderOf>[0], checks: string[]) {
  const files = Object.fromEntries(checks.map((text, index) => [`${index}.yaml`, `title: X\n${text}`]));
  const { checks: loaded, problems } = await loadChecks([await folderOf(t, files)]);
  t.deepEqual(problems, []);
  return loaded;
}

const judgeOf = async (t: Parameters<typeof folderOf>[0], ...checks: string[]) => makeJudge(await checksOf(t, checks));

/** As the server and the audit store it. */
const storedBy = async (t: Parameters<typeof folderOf>[0], ...checks: string[]) =>
  makeJudge(await checksOf(t, checks), [], {}, 'fails');

const FIREWALL = 'name: firewall\nquery: { plugins.firewall.status: { $ne: "on" } }\n';
const host = (plugins: Fields): Fields => ({ hostname: 'laptop', plugins });

test('a check passes or fails, with the values that it looked at', async (t) => {
  const judge = await judgeOf(t, FIREWALL);
  t.deepEqual(judge.judge(host({ firewall: { status: 'on' } }), undefined, AT), {
    version: judge.version,
    evaluated_at: AT,
    results: { firewall: { answer: 'pass', fails: false, evidence: { 'plugins.firewall.status': 'on' }, since: AT } },
  });
  t.like(judge.judge(host({ firewall: { status: 'off' } }), undefined, AT).results['firewall'], {
    answer: 'fail',
    fails: true,
    evidence: { 'plugins.firewall.status': 'off' },
  });
});

function unknown(title: string, plugins: Fields, reason: RegExp) {
  test(`unknown: ${title}`, async (t) => {
    const judge = await judgeOf(t, `${FIREWALL}on_unknown: fail\n`);
    const result = judge.judge(host(plugins), undefined, AT).results['firewall'];
    t.like(result, { answer: 'unknown', fails: true });
    t.regex(result?.reason ?? '', reason);
  });
}
unknown('the plugin is missing', {}, /^nothing is reported at plugins.firewall.status$/);
unknown('the value is null', { firewall: { status: null } }, /^nothing is reported/);
unknown('the plugin says so', { firewall: { status: 'unknown' } }, /^the host says that it cannot tell/);
unknown('the plugin is no object', { firewall: 'unknown' }, /^nothing is reported/);
unknown(
  'the plugin failed',
  { firewall: { stdout: '', stderr: 'no', returncode: 1 } },
  /^the plugin firewall failed on the host$/,
);

test('an unknown that is ignored fails nothing', async (t) => {
  const judge = await judgeOf(t, `${FIREWALL}on_unknown: ignore\n`);
  const judgement = judge.judge(host({}), undefined, AT);
  t.like(judgement.results['firewall'], {
    answer: 'unknown',
    fails: false,
    evidence: { 'plugins.firewall.status': null },
  });
  t.is(judgement.deadline_at, undefined);
});

test('an unknown with issue-after fails from its deadline on, and says when that is', async (t) => {
  const judge = await judgeOf(
    t,
    `${FIREWALL}on_unknown: issue-after 2d\n`,
    FIREWALL.replace('name: firewall', 'name: b\non_unknown: issue-after 3d'),
  );
  const first = judge.judge(host({}), undefined, AT);
  t.deepEqual(first.deadline_at, later(days(2)));
  const early = judge.judge(host({}), first, later(days(2) - 1));
  t.false(early.results['firewall']?.fails);
  const due = judge.judge(host({}), early, later(days(2)));
  t.like(due.results['firewall'], { answer: 'unknown', fails: true, since: AT });
  t.deepEqual(due.deadline_at, later(days(3)), 'the other check is not due yet');
  t.is(judge.judge(host({}), due, later(days(4))).deadline_at, undefined);
});

test('an answer counts as given since it last changed', async (t) => {
  const judge = await judgeOf(t, `${FIREWALL}on_unknown: issue-after 2d\n`);
  const on = host({ firewall: { status: 'on' } });
  const first = judge.judge(on, undefined, AT);
  const second = judge.judge(on, first, later(hours(1)));
  t.deepEqual(second.results['firewall']?.since, AT);
  const third = judge.judge(host({}), second, later(hours(2)));
  t.deepEqual(third.results['firewall']?.since, later(hours(2)));
});

test('a query for unknown decides instead of needs', async (t) => {
  const judge = await judgeOf(
    t,
    'name: sshd\nquery: { plugins.sshd.config.x: "yes" }\nneeds: [plugins.sshd.status, plugins.sshd.config.x]\nunknown: { plugins.sshd.status: { $exists: false } }\n',
  );
  t.is(judge.judge(host({ sshd: { status: 'missing' } }), undefined, AT).results['sshd']?.answer, 'pass');
  t.like(judge.judge(host({}), undefined, AT).results['sshd'], {
    answer: 'unknown',
    reason: 'nothing is reported at plugins.sshd.status',
  });
});

test('a check says nothing of a host that it is not for', async (t) => {
  const judge = await judgeOf(t, `${FIREWALL}applies_to: { hostname: { $regex: ^lap } }\n`);
  t.deepEqual(Object.keys(judge.judge(host({}), undefined, AT).results), ['firewall']);
  t.deepEqual(judge.judge({ hostname: 'server', plugins: {} }, undefined, AT).results, {});
});

test('the values of a list are looked at one by one', async (t) => {
  const judge = await judgeOf(t, 'name: disk\nquery: { plugins.hd.encrypted: false }\n');
  const answer = (...disks: Fields[]) => judge.judge(host({ hd: disks }), undefined, AT).results['disk'];
  t.like(answer({ encrypted: true }, { encrypted: false }), {
    answer: 'fail',
    evidence: { 'plugins.hd.encrypted': [true, false] },
  });
  t.is(answer({ encrypted: true })?.answer, 'pass');
  t.is(answer({ encrypted: true }, {})?.answer, 'unknown');
  t.is(answer()?.answer, 'unknown');
});

test('evidence that would fill the store is not kept', async (t) => {
  const judge = await judgeOf(t, 'name: big\nquery: { plugins.big: 1 }\n');
  const evidence = (big: Fields[string]) =>
    judge.judge(host({ big }), undefined, AT).results['big']?.evidence?.['plugins.big'];
  t.is(evidence('x'.repeat(5000)), '(too much to show)');
  t.is(evidence(Array.from({ length: 5000 }, (_, index) => ({ index }))), '(too much to show)');
  t.is(evidence('x'.repeat(1000)), 'x'.repeat(1000));
});

test('of a list that a query looks for a member in, a fail shows what it found; a pass and an unknown show all', async (t) => {
  const judge = await judgeOf(
    t,
    'name: net\nquery: { $or: [{ plugins.net.sockets: { $elemMatch: { port: 23 } } }, { plugins.net.sockets: { $elemMatch: { port: 21 } } }, { plugins.net.open: true }] }\nneeds: [plugins.net.sockets]\n',
  );
  const shown = (sockets: Fields[], open = false) =>
    judge.judge(host({ net: { sockets, open } }), undefined, AT).results['net']?.evidence?.['plugins.net.sockets'];
  const many = Array.from({ length: 200 }, (_, index) => ({ port: 1000 + index }));
  t.deepEqual(shown([...many, { port: 23 }, { port: 22 }, { port: 21 }]), [{ port: 23 }, { port: 21 }]);
  t.deepEqual(shown([{ port: 22 }]), [{ port: 22 }], 'it passes');
  t.deepEqual(shown([{ port: 22 }], true), [{ port: 22 }], 'it fails for another reason');
  t.deepEqual(
    shown([{ port: 23 }, { port: { constructor: { name: 5 } } }]),
    [{ port: 23 }],
    'what cannot be compared breaks nothing',
  );
  const hits = Object(shown(Array.from({ length: 500 }, () => ({ port: 23, program: 'x' }))));
  t.true(hits.length > 20 && hits.length < 200, `${hits.length}`);
  t.is(hits.at(-1), `(and ${500 - hits.length + 1} more)`);
});

test('evidence is stored where an issue follows, and not where none does', async (t) => {
  const checks = [
    `${FIREWALL}on_unknown: fail\n`,
    'name: ignored\nquery: { plugins.gone: 1 }\non_unknown: ignore\n',
    'name: passes\nquery: { plugins.firewall.status: broken }\n',
  ];
  const judge = await storedBy(t, ...checks);
  t.is(judge.version, (await judgeOf(t, ...checks)).version);
  const evidence = { 'plugins.firewall.status': 'off' };
  t.deepEqual(judge.judge(host({ firewall: { status: 'off' } }), undefined, AT).results, {
    firewall: { answer: 'fail', fails: true, evidence, since: AT },
    ignored: { answer: 'unknown', fails: false, since: AT },
    passes: { answer: 'pass', fails: false, since: AT },
  });
  t.like(judge.judge(host({}), undefined, AT).results['firewall'], {
    ...{ answer: 'unknown', fails: true },
    ...{ evidence: { 'plugins.firewall.status': null }, reason: 'nothing is reported at plugins.firewall.status' },
  });
});

test('an unknown that comes to count as fail while its host reports the same is told like any other', async (t) => {
  const judge = await storedBy(t, `${FIREWALL}on_unknown: issue-after 2d\n`);
  const document = host({ firewall: { status: 'unknown' } });
  const first = judge.judge(document, undefined, AT);
  const due = judge.judge(document, first, later(days(2)), document);
  t.deepEqual(due.results['firewall'], {
    ...{ answer: 'unknown', fails: true, evidence: { 'plugins.firewall.status': 'unknown' }, since: AT },
    reason: 'the host says that it cannot tell plugins.firewall.status',
  });
  t.deepEqual(judge.judge(document, due, later(days(3)), document).results, due.results);
});

test('what a version before stored of a pass is not stored again', async (t) => {
  const judge = await storedBy(t, FIREWALL);
  const document = host({ firewall: { status: 'on' } });
  const stored = (await judgeOf(t, FIREWALL)).judge(document, undefined, AT);
  t.truthy(stored.results['firewall']?.evidence);
  t.deepEqual(judge.judge(document, stored, later(1), document).results, {
    firewall: { answer: 'pass', fails: false, since: AT },
  });
});

test('the version changes with what decides, and not with what is only told', async (t) => {
  const version = async (...texts: string[]) => (await judgeOf(t, ...texts)).version;
  const plain = await version(FIREWALL);
  t.is(await version(`${FIREWALL}severity: low\nremediation: Do it\ngrace_period: 1d\n`), plain);
  t.not(await version(`${FIREWALL}on_unknown: fail\n`), plain);
  t.not(await version(FIREWALL, 'name: b\nquery: { a: 1 }\n'), plain);
  t.is(await version(FIREWALL, 'name: b\nquery: { a: 1 }\nenabled: false\n'), plain);
});

test('names in a document are never read as operators, nor as parts of the language', async (t) => {
  const judge = await judgeOf(
    t,
    FIREWALL,
    'name: inherited\nquery: { plugins.constructor.name: Object }\n',
    'name: dollar\nquery: { plugins.a: { $eq: 1 } }\n',
    'name: same\nquery: { plugins.a: { $in: [{ b: 1 }, 2] } }\n',
  );
  const plugins: Fields = { $where: 'while(1);', a: { $gt: '' }, 'firewall.status': 'on' };
  setField(plugins, '__proto__', { firewall: { status: 'on' } });
  const { results } = judge.judge(host(plugins), undefined, AT);
  t.is(results['firewall']?.answer, 'unknown', 'neither a prototype nor a dotted key is a plugin');
  t.is(results['inherited']?.answer, 'unknown');
  t.is(results['dollar']?.answer, 'pass');
});

test('what the engine cannot compare makes one answer unknown, and leaves the others', async (t) => {
  const judge = await judgeOf(t, FIREWALL, 'name: more\nquery: { plugins.a: { $gt: 1 } }\n');
  const { results } = judge.judge(host({ a: { constructor: { name: 5 } }, firewall: { status: 'on' } }), undefined, AT);
  t.is(results['firewall']?.answer, 'pass');
  t.is(results['more']?.answer, 'unknown');
  t.regex(results['more']?.reason ?? '', /^cannot evaluate what the host reported: /);
});

test('whatever a host reports, there is an answer of every check that is for all hosts', async (t) => {
  const { checks, problems } = await loadChecks(['checks.d']);
  t.deepEqual(problems, []);
  // Those that come switched off too.
  const judge = makeJudge(checks.map((check) => ({ ...check, enabled: true })));
  const names = fc.constantFrom(
    'plugins',
    'sshd',
    'status',
    'config',
    'constructor',
    '__proto__',
    'toString',
    'name',
    'hd_encryption',
    'encrypted',
    'firewall',
    '$where',
  );
  const value = fc.letrec<{ value: Fields[string] }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      fc.constantFrom<Fields[string]>(null, true, 1, 'unknown', 'running', 'yes'),
      fc.array(tie('value'), { maxLength: 3 }),
      fields(tie('value')),
    ),
  })).value;
  // One that is for some hosts only may have nothing to say.
  const expected = checks.flatMap(({ name, rule }) =>
    rule !== undefined && rule.appliesTo === undefined ? [name] : [],
  );
  const known = new Set(checks.map(({ name }) => name));
  fc.assert(
    fc.property(fields(value), (plugins) => {
      const { results } = judge.judge(host(plugins), undefined, AT);
      const said = Object.keys(results);
      t.deepEqual(
        said.filter((name) => expected.includes(name)),
        expected,
      );
      t.true(said.every((name) => known.has(name)));
    }),
  );

  function fields(values: fc.Arbitrary<Fields[string]>): fc.Arbitrary<Fields> {
    return fc.array(fc.tuple(names, values), { maxLength: 4 }).map((pairs) => {
      const made: Fields = {};
      for (const [key, each] of pairs) setField(made, key, each);
      return made;
    });
  }
});

test('a previous judgement that holds other checks is no trouble', async (t) => {
  const judge = await judgeOf(t, FIREWALL);
  const gone: CheckResult = { answer: 'fail', fails: true, evidence: {}, since: AT };
  const previous: Judgement = { version: 'x', evaluated_at: AT, results: { gone } };
  t.deepEqual(Object.keys(judge.judge(host({}), previous, later(1)).results), ['firewall']);
});

const POLICY = [
  `${FIREWALL}on_unknown: issue-after 2d\n`,
  'name: updates\nquery: { plugins.updates.count: { $gt: 0 } }\nneeds: [plugins.updates]\n',
  'name: both\nquery: { $or: [{ plugins.updates.count: 0 }, { plugins.firewall: "on" }] }\nneeds: [commands.list]\n',
  'name: named\nquery: { plugins.updates.count: 1 }\napplies_to: { hostname: laptop }\n',
];

test('a report that shares bodies with the one before is judged as if it shared none', async (t) => {
  const judges = [await judgeOf(t, ...POLICY), await storedBy(t, ...POLICY)];
  const status = fc.constantFrom<Fields[string]>('on', 'off', 'unknown', null);
  const firewall = fc.option(fc.oneof(status, fc.record({ status })), { nil: undefined });
  const updates = fc.option(fc.record({ count: fc.integer({ min: 0, max: 2 }) }), { nil: undefined });
  const report = fc.record({ firewall, updates, list: updates, hostname: fc.constantFrom('laptop', 'desk') });
  const made = ({ hostname, list, ...plugins }: typeof report extends fc.Arbitrary<infer R> ? R : never): Fields => {
    const reported: Fields = {};
    for (const [name, body] of Object.entries(plugins)) if (body !== undefined) reported[name] = body;
    return { hostname, plugins: reported, ...(list === undefined ? {} : { commands: { list } }) };
  };
  fc.assert(
    fc.property(report, report, fc.subarray(['firewall', 'updates', 'list'] as const), (first, fresh, shared) => {
      const second = { ...fresh, ...Object.fromEntries(shared.map((name) => [name, first[name]])) };
      const at = later(days(3));
      for (const judge of judges) {
        const previous = judge.judge(made(first), undefined, AT);
        t.deepEqual(judge.judge(made(second), previous, at, made(first)), judge.judge(made(second), previous, at));
      }
    }),
  );
});

test('what other checks said of the same bodies counts for nothing', async (t) => {
  const document = host({ firewall: { status: 'off' } });
  const previous = (await judgeOf(t, FIREWALL.replace('"on"', '"off"'))).judge(document, undefined, AT);
  const judge = await judgeOf(t, FIREWALL);
  t.is(previous.results['firewall']?.answer, 'pass');
  t.is(judge.judge(document, previous, later(1), document).results['firewall']?.answer, 'fail');
});

test('an unknown fails at its deadline though nothing else was reported meanwhile', async (t) => {
  const judge = await judgeOf(t, `${FIREWALL}on_unknown: issue-after 2d\n`);
  const document = host({});
  const first = judge.judge(document, undefined, AT);
  t.deepEqual(judge.judge(document, first, later(days(1)), document).deadline_at, later(days(2)));
  t.like(judge.judge(document, first, later(days(2)), document).results['firewall'], { fails: true, since: AT });
});
