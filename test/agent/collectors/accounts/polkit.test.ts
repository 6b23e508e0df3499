import test from 'ava';
import { accounts } from '../../../../src/agent/collectors/accounts/index.ts';
import { judgePolkitRules } from '../../../../src/agent/collectors/accounts/judge-polkit-rules.ts';
import { parsePkla } from '../../../../src/agent/collectors/accounts/parse-pkla.ts';
import { saying } from '../host-in-folder.ts';
import { look } from '../look.ts';

const rule = (body: string) => `polkit.addRule(function(action, subject) {\n${body}\n});\n`;
const EXEC = 'org.freedesktop.policykit.exec';

const RULES: Record<string, [source: string, actions: string[] | undefined]> = {
  nothing: ['', []],
  'nobody is let in without a password': [rule('return polkit.Result.AUTH_ADMIN_KEEP;'), []],
  'a group may do everything (Arch wiki, "Bypass password prompt")': [
    '/* Allow members of the wheel group to execute any actions\n * without password authentication. */\npolkit.addRule(function(action, subject) {\n    if (subject.isInGroup("wheel")) {\n        return polkit.Result.YES;\n    }\n});\n',
    ['*'],
  ],
  'everybody may do everything': [rule('return polkit.Result.YES;'), ['*']],
  'without braces': [rule('if (subject.isInGroup("wheel")) return polkit.Result.YES;'), ['*']],
  'in texts rather than constants': [rule("if (subject.user == 'bob') return 'yes';"), ['*']],
  'an arrow function': [
    'polkit.addRule((action, subject) => {\n  if (subject.user === "bob") { return polkit.Result.YES }\n});',
    ['*'],
  ],
  'root may, who may anyway': [rule('if (subject.user == "root") { return polkit.Result.YES; }'), []],
  'libvirt (its manual)': [
    rule(
      'if (action.id == "org.libvirt.unix.manage" && subject.isInGroup("libvirt")) {\n  return polkit.Result.YES;\n}',
    ),
    ['org.libvirt.unix.manage'],
  ],
  'an action that leads nowhere (udisks)': [
    rule(
      'if (action.id == "org.freedesktop.udisks2.filesystem-mount-system" && subject.isInGroup("storage")) { return polkit.Result.YES; }',
    ),
    [],
  ],
  pkexec: [rule(`if (action.id == "${EXEC}" && subject.isInGroup("ops")) { return polkit.Result.YES; }`), [EXEC]],
  nested: [
    rule(`if (subject.isInGroup("ops")) {\n if (action.id === "${EXEC}") {\n return polkit.Result.YES;\n }\n}`),
    [EXEC],
  ],
  'one of several, and of them one that leads to root': [
    rule(
      `if ((action.id == "org.a.b" || action.id == "${EXEC}") && subject.local && subject.active && (subject.isInGroup("a") || subject.isInGroup("b"))) { return polkit.Result.YES; }`,
    ),
    [EXEC],
  ],
  'a list': [
    rule(`if (["org.a.b", "${EXEC}"].indexOf(action.id) >= 0 && subject.isInGroup("a")) { return polkit.Result.YES; }`),
    [EXEC],
  ],
  'how a name begins': [
    rule('if (action.id.indexOf("org.freedesktop.packagekit.") == 0) { return polkit.Result.YES; }'),
    ['org.freedesktop.packagekit.*'],
  ],
  'how a name begins, that leads nowhere': [
    rule('if (action.id.startsWith("org.freedesktop.NetworkManager.")) { return polkit.Result.YES; }'),
    [],
  ],
  'an action, or somebody who may do all': [
    rule('if (action.id == "org.a.b" || subject.user == "bob") { return polkit.Result.YES; }'),
    undefined,
  ],
  'all but one action': [rule('if (action.id != "org.a.b") { return polkit.Result.YES; }'), undefined],
  'not this action': [rule('if (!(action.id == "org.a.b")) { return polkit.Result.YES; }'), undefined],
  'what is left after others returned': [
    rule(
      'if (action.id != "org.a.b") return polkit.Result.NOT_HANDLED;\nif (subject.isInGroup("a")) return polkit.Result.YES;',
    ),
    undefined,
  ],
  'a regular expression': [rule('if (action.id.match(/^org\\.a/)) { return polkit.Result.YES; }'), undefined],
  'a variable': [rule('var answer = polkit.Result.YES;\nreturn answer;'), undefined],
  'a choice': [rule('return subject.isInGroup("a") ? polkit.Result.YES : null;'), undefined],
  'a computed name': [rule('return polkit.Result["Y" + "ES"];'), undefined],
  'an else': [rule('if (subject.isInGroup("a")) { return null; } else { return polkit.Result.YES; }'), undefined],
  'a switch': [rule('switch (action.id) { case "org.a.b": return polkit.Result.YES; }'), undefined],
  'a parameter of another name': [
    'polkit.addRule(function(a, s) { if (a.id == "org.a.b") { return polkit.Result.YES; } });',
    undefined,
  ],
  'a comment': [rule('// return polkit.Result.YES;\n/* return polkit.Result.YES; */'), []],
  'a text that only looks like a comment': [
    rule('polkit.log("/* "); if (subject.user == "bob") { return polkit.Result.YES; } polkit.log(" */");'),
    ['*'],
  ],
};
for (const [title, [source, actions]] of Object.entries(RULES)) {
  test(`polkit rules: ${title}`, (t) => {
    t.deepEqual(judgePolkitRules(source), actions);
  });
}

test('garbage, cut and enormous rules are judged in no time', (t) => {
  t.deepEqual(judgePolkitRules('\u0000\u0001'), []);
  t.is(
    judgePolkitRules('polkit.addRule(function(action, subject) { if ((((subject.x) { return polkit.Result.YES;'),
    undefined,
  );
  const started = performance.now();
  judgePolkitRules(rule(`if (${'('.repeat(20_000)}subject.x${')'.repeat(20_000)}) { return polkit.Result.YES; }`));
  judgePolkitRules(rule(`if (subject.x) { return polkit.Result.YES; }\n`.repeat(500)));
  t.true(performance.now() - started < 20_000);
});

const PKLA =
  '[Admins]\nIdentity=unix-group:ops\nAction=org.freedesktop.packagekit.*;org.a.b\nResultAny=auth_admin\nResultActive=yes\n';
for (const [title, text, actions] of [
  ['a group of actions that leads to root', PKLA, ['org.freedesktop.packagekit.*']],
  ['every action', PKLA.replace('org.a.b', '*'), ['*', 'org.freedesktop.packagekit.*']],
  ['a password all the same', PKLA.replace('=yes', '=auth_self'), []],
  ['root itself', PKLA.replace('unix-group:ops', 'unix-user:root'), []],
  ['a comment', PKLA.replaceAll(/^/gm, '#'), []],
  ['garbage', '\u0000[\n=', []],
] as const) {
  test(`a .pkla file: ${title}`, (t) => {
    t.deepEqual(parsePkla(text), [...actions]);
  });
}

const POLKIT = { '/usr/lib/polkit-1/polkitd': saying(''), '/usr/share/polkit-1/rules.d/50-default.rules': '' };
const BYPASS = rule('if (subject.isInGroup("wheel")) { return polkit.Result.YES; }');

test("the site's own rules are told by file; those of packages, and what is no .rules file, are not looked at", async (t) => {
  const answer = await look(t, accounts, {
    ...POLKIT,
    '/usr/share/polkit-1/rules.d/90-vendor.rules': BYPASS,
    '/etc/polkit-1/rules.d/49-nopasswd.rules': BYPASS,
    '/etc/polkit-1/rules.d/49-nopasswd.rules.bak': BYPASS,
    '/etc/polkit-1/rules.d/60-odd.rules': rule('switch (action.id) { default: return polkit.Result.YES; }'),
    '/etc/polkit-1/localauthority/50-local.d/x.pkla': PKLA,
  });
  t.like(answer, {
    polkit: {
      installed: true,
      passwordless: [{ file: '/etc/polkit-1/rules.d/49-nopasswd.rules', actions: ['*'] }],
      unclear: 'unknown',
    },
    reasons: { 'polkit.unclear': 'cannot judge the code of /etc/polkit-1/rules.d/60-odd.rules' },
  });
});

test('.pkla files count where the program that reads them is installed, or polkit is too old for rules', async (t) => {
  const file = '/etc/polkit-1/localauthority/50-local.d/x.pkla';
  const found = [{ file, actions: ['org.freedesktop.packagekit.*'] }];
  const newer = { ...POLKIT, [file]: PKLA, '/usr/bin/pkla-check-authorization': saying('') };
  t.like(await look(t, accounts, newer), { polkit: { passwordless: found, unclear: [] } });
  const older = { '/usr/lib/policykit-1/polkitd': saying(''), [file]: PKLA };
  t.like(await look(t, accounts, older), { polkit: { passwordless: found } });
});

test('without polkit nobody is let in by it; a folder that cannot be read is unknown', async (t) => {
  t.like(await look(t, accounts, {}), { polkit: { installed: false, passwordless: [] } });
  const denied = () => Promise.reject(new Error('EACCES: permission denied'));
  t.like(await look(t, accounts, POLKIT, { host: { list: denied } }), { polkit: 'unknown' });
});
