import { join } from 'node:path';
import test from 'ava';
import { compileAdvisories } from '../../src/audit/advisories.ts';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadAdvisories } from '../../src/audit/load-advisories.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import { type Fields, setField, valueAt } from '../../src/core/value.ts';
import { folderOf } from './scratch.ts';

const AT = new Date('2026-03-02T10:00:00Z');

/** As security.archlinux.org/all.json has them. */
const group = (number: number, packages: string[], more: object = {}) => ({
  name: `AVG-${number}`,
  packages,
  status: 'Fixed',
  severity: 'High',
  type: 'arbitrary code execution',
  affected: '1.0-1',
  fixed: '1.2-1',
  ticket: null,
  issues: ['CVE-2026-0001'],
  advisories: ['ASA-202601-1'],
  ...more,
});

async function known(t: Parameters<typeof folderOf>[0], ...groups: object[]) {
  const { advisories, problems } = await loadAdvisories(await folderOf(t, { 'all.json': JSON.stringify(groups) }));
  t.deepEqual(problems, []);
  return advisories;
}

const host = (pacman: Fields): Fields => ({ hostname: 'arch', plugins: { packages: { inventory: { pacman } } } });

async function matched(t: Parameters<typeof folderOf>[0], pacman: Fields, ...groups: object[]) {
  return valueAt(compileAdvisories(await known(t, ...groups))(host(pacman)), 'advisories');
}

const NONE = { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 };

test('what is older than its fix is vulnerable; what is as new or newer is not, and what is not installed neither', async (t) => {
  const groups = [group(1, ['bash', 'bash-completion'])];
  t.deepEqual(await matched(t, { bash: '1.1-3', zsh: '1.0-1' }, ...groups), {
    fixable: ['bash 1.1-3, fixed in 1.2-1 (high, AVG-1)'],
    unfixed: [],
    severities: { ...NONE, high: 1 },
  });
  for (const version of ['1.2-1', '1.2-2', '1:0.1-1']) {
    t.deepEqual(
      await matched(t, { bash: version }, ...groups),
      { fixable: [], unfixed: [], severities: NONE },
      version,
    );
  }
});

const STATUSES: Record<string, [more: object, where: 'fixable' | 'unfixed' | undefined]> = {
  'that is mended': [{ status: 'Fixed' }, 'fixable'],
  'that is called vulnerable though a fix is out': [{ status: 'Vulnerable' }, 'fixable'],
  'whose status is unknown, with a fix': [{ status: 'Unknown' }, 'fixable'],
  'whose status is unknown, without a fix': [{ status: 'Unknown', fixed: null }, undefined],
  'without a fix': [{ status: 'Vulnerable', fixed: null }, 'unfixed'],
  'whose fix is in testing': [{ status: 'Testing' }, 'unfixed'],
  'that does not concern Arch': [{ status: 'Not affected' }, undefined],
};
for (const [title, [more, where]] of Object.entries(STATUSES)) {
  test(`a group ${title} is ${where ?? 'nothing'}`, async (t) => {
    const found = await matched(t, { bash: '1.1-3' }, group(1, ['bash'], more));
    t.is(Object(valueAt(found, 'fixable')).length, where === 'fixable' ? 1 : 0);
    t.is(Object(valueAt(found, 'unfixed')).length, where === 'unfixed' ? 1 : 0);
  });
}

test('several groups about one package are told as one: the newest fix, the worst severity', async (t) => {
  const found = await matched(
    t,
    { bash: '1.1-3' },
    group(9, ['bash'], { fixed: '1.10-1', severity: 'Low' }),
    group(10, ['bash'], { fixed: '1.9-1', severity: 'Critical' }),
    group(11, ['bash'], { fixed: null, status: 'Vulnerable', severity: 'Medium' }),
  );
  t.like(found, {
    fixable: ['bash 1.1-3, fixed in 1.10-1 (critical, AVG-10, AVG-9)'],
    unfixed: ['bash 1.1-3 (medium, AVG-11)'],
    severities: { critical: 1, high: 0, medium: 0, low: 0, unknown: 0 },
  });
});

test('the worst come first, and of very many only so many are told', async (t) => {
  const names = Array.from({ length: 40 }, (_, index) => `p${String(index).padStart(2, '0')}`);
  const found = await matched(
    t,
    Object.fromEntries(names.map((name) => [name, '1.0-1'])),
    ...names.map((name, index) => group(index, [name], { severity: index === 30 ? 'Critical' : 'odd' })),
  );
  const fixable = Object(valueAt(found, 'fixable'));
  t.is(fixable.length, 16);
  t.regex(fixable[0], /^p30 .*critical/);
  t.is(fixable[15], 'and 25 more');
  t.like(found, { severities: { critical: 1, unknown: 39 } });
});

test('whatever a host says that it has installed, it is matched or passed over', async (t) => {
  const pacman: Fields = { bash: ['1.0-1'], constructor: '1.0-1', a: null, b: { c: 1 } };
  setField(pacman, '__proto__', '1.0-1');
  pacman['long'] = `1.0-1${'x'.repeat(100_000)}`;
  const found = await matched(t, pacman, group(1, ['bash', 'toString', 'long', '__proto__', 'constructor']));
  t.deepEqual(Object(valueAt(found, 'fixable')).length, 3);
  t.true(JSON.stringify(found).length < 1000);
  const advise = compileAdvisories(await known(t, group(1, ['bash'])));
  for (const document of [
    {},
    { plugins: 'unknown' },
    { plugins: { packages: { inventory: { pacman: 'unknown' } } } },
    { plugins: { packages: { inventory: { deb: { bash: '1' } } } } },
  ]) {
    t.is(advise(document), document, 'nothing is added');
  }
});

async function judgeOf(...groups: object[]) {
  return async (t: Parameters<typeof folderOf>[0]) => {
    const { checks } = await loadChecks(['checks.d']);
    return makeJudge(checks, [], { advisories: groups.length === 0 ? undefined : await known(t, ...groups) });
  };
}

test('the check fails with what an update would mend, and passes after it', async (t) => {
  const judge = await (await judgeOf(group(1, ['bash'])))(t);
  const first = judge.judge(host({ bash: '1.1-1' }), undefined, AT);
  t.like(first.results['vulnerable-packages'], {
    answer: 'fail',
    fails: true,
    evidence: {
      'advisories.fixable': ['bash 1.1-1, fixed in 1.2-1 (high, AVG-1)'],
      'advisories.severities': { ...NONE, high: 1 },
      'advisories.unfixed': [],
    },
  });
  t.like(judge.judge(host({ bash: '1.2-1' }), first, AT).results['vulnerable-packages'], { answer: 'pass' });
});

test('what nobody can mend opens nothing, and is told', async (t) => {
  const judge = await (await judgeOf(group(1, ['bash'], { status: 'Vulnerable', fixed: null })))(t);
  t.like(judge.judge(host({ bash: '1.1-1' }), undefined, AT).results['vulnerable-packages'], {
    answer: 'pass',
    evidence: { 'advisories.unfixed': ['bash 1.1-1 (high, AVG-1)'] },
  });
});

test('without advisories nothing is known, and nothing is opened; of a host without pacman nothing is said', async (t) => {
  const judge = await (await judgeOf())(t);
  t.like(judge.judge(host({ bash: '1.1-1' }), undefined, AT).results['vulnerable-packages'], {
    answer: 'unknown',
    fails: false,
    reason: 'nothing is reported at advisories.fixable',
  });
  t.is(judge.judge({ hostname: 'debian', plugins: {} }, undefined, AT).results['vulnerable-packages'], undefined);
});

test('other advisories are another version of the judge, so that all hosts are judged again', async (t) => {
  const [none, one, other] = await Promise.all(
    [[], [group(1, ['bash'])], [group(1, ['bash'], { fixed: '1.3-1' })]].map(async (groups) =>
      (await judgeOf(...groups))(t),
    ),
  );
  t.is(new Set([none?.version, one?.version, other?.version]).size, 3);
});

test('a report whose packages are the same objects is not matched again, and answers the same', async (t) => {
  const judge = await (await judgeOf(group(1, ['bash'])))(t);
  const document = host({ bash: '1.1-1' });
  const first = judge.judge(document, undefined, AT);
  const second = judge.judge({ ...document, hostname: 'renamed' }, first, AT, document);
  t.deepEqual(second.results['vulnerable-packages'], first.results['vulnerable-packages']);
  const updated = host({ bash: '1.2-1' });
  t.is(judge.judge(updated, first, AT, document).results['vulnerable-packages']?.answer, 'pass');
});

test('a folder of several files is read in the order of their names, one group in a file too', async (t) => {
  const files = {
    'a.json': JSON.stringify([group(1, ['bash']), group(2, ['zsh'])]),
    'b.json': JSON.stringify({ ...group(2, ['zsh'], { status: 'Not affected' }), references: [], notes: null }),
    '.hidden.json': '[',
    'readme.txt': '[',
  };
  const { advisories, problems } = await loadAdvisories(await folderOf(t, files));
  t.deepEqual(problems, []);
  t.deepEqual(advisories?.advisories, [{ name: 'AVG-1', packages: ['bash'], severity: 'high', fixed: '1.2-1' }]);
});

const BAD: Record<string, string> = {
  'cut off': '[{"name":"AVG-1"',
  'no such list': '{"vulnerabilities":[]}',
  'a list of something else': '[{"name":"CVE-2026-1","packages":[]}]',
  'not even text': '\u0000\ufffd',
  empty: '',
};
for (const [title, text] of Object.entries(BAD)) {
  test(`a file that is ${title} is named, and the others count`, async (t) => {
    const folder = await folderOf(t, { 'bad.json': text, 'good.json': JSON.stringify([group(1, ['bash'])]) });
    const { advisories, problems } = await loadAdvisories(folder);
    t.is(advisories?.advisories.length, 1);
    t.deepEqual(
      problems.map(({ file, name }) => [file, name]),
      [[join(folder, 'bad.json'), 'vulnerable-packages']],
    );
    t.regex(problems[0]?.reason ?? '', /^(?:cannot be read|expected groups as in)/);
  });
}

test('a folder that is not there, or holds nothing, is a problem, and no advisories are known', async (t) => {
  const empty = await folderOf(t);
  for (const folder of [empty, join(empty, 'none')]) {
    const { advisories, problems } = await loadAdvisories(folder);
    t.is(advisories, undefined);
    t.like(problems, [{ file: folder, name: 'vulnerable-packages' }]);
  }
  t.deepEqual(await loadAdvisories(undefined), { problems: [] });
});
