import test from 'ava';
import { listName, nameOf } from '../../../../src/agent/collectors/packages/apt-repositories.ts';
import {
  parseDeb822Sources,
  parseOneLineSources,
} from '../../../../src/agent/collectors/packages/parse-apt-sources.ts';
import { saying } from '../host-in-folder.ts';
import { ARCH, DEBIAN, FEDORA } from '../updates/machine.ts';
import { factOf, told } from './machine.ts';

const apt = (sources: Record<string, string>, config = 'APT "";\n') => ({
  ...DEBIAN,
  '/usr/bin/apt-config': saying(config),
  ...Object.fromEntries(Object.entries(sources).map(([name, text]) => [`/etc/apt/${name}`, text])),
});
const KEY = 'signed-by=/usr/share/keyrings/k.gpg';

const PROBLEMS: Record<string, [line: string, problems: string[]]> = {
  'bound to a key': [`deb [${KEY}] http://h/d s main`, []],
  'not bound to a key': ['deb http://h/d s main', ['any-key']],
  'trusted whatever it is': [`deb [arch=amd64 trusted=yes] http://h/d s main`, ['unsigned']],
  'trusted by another word': ['deb [ TRUSTED=true ] http://h/d s main', ['unsigned']],
  'not trusted even with a good signature': [`deb [${KEY} trusted=no] http://h/d s main`, []],
  'let through without a signature': [`deb [${KEY} allow-insecure=yes] http://h/d s main`, ['unsigned-allowed']],
  'for sources': ['deb-src [trusted=yes] http://h/d s main', ['unsigned']],
};
for (const [title, [line, problems]] of Object.entries(PROBLEMS)) {
  test(`apt: a source on one line that is ${title}`, async (t) => {
    t.deepEqual(
      await factOf(
        t,
        'repositories',
        apt({ 'sources.list': `# deb [trusted=yes] http://x/y z main\n${line} # why\n` }),
      ),
      [{ name: 'http://h/d s', file: '/etc/apt/sources.list', foreign: 'unknown', problems }],
    );
  });
}

const stanza = (more: string) => `Types: deb deb-src\nURIs: http://h/d\nSuites: s\nComponents: main\n${more}`;
const FIELDS: Record<string, [more: string, problems: string[]]> = {
  'bound to a file': ['Signed-By: /usr/share/keyrings/k.gpg\n', []],
  'with its key in the file': [
    'Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQENBF\n -----END PGP PUBLIC KEY BLOCK-----\n',
    [],
  ],
  'bound to nothing': ['', ['any-key']],
  'trusted whatever it is': ['trusted: YES\n', ['unsigned']],
  'let through without a signature': ['Signed-By: /k\nAllow-Insecure: yes\n', ['unsigned-allowed']],
};
for (const [title, [more, problems]] of Object.entries(FIELDS)) {
  test(`apt: a deb822 source that is ${title}`, async (t) => {
    t.deepEqual(await factOf(t, 'repositories', apt({ 'sources.list.d/x.sources': stanza(more) })), [
      { name: 'http://h/d s', file: '/etc/apt/sources.list.d/x.sources', foreign: 'unknown', problems },
    ]);
  });
}

test('apt: settings that let everything in count for sources that do not say otherwise', async (t) => {
  const sources = {
    'sources.list': `deb [${KEY}] http://h/d a main\ndeb [${KEY} allow-insecure=no] http://h/d b main\n`,
  };
  const insecure = apt(sources, 'Acquire::AllowInsecureRepositories "true";\n');
  t.like(await told(t, insecure), { repositories: [{ problems: ['unsigned-allowed'] }, { problems: [] }] });
  const unauthenticated = apt(sources, 'apt::get::allowunauthenticated "1";\n');
  t.like(await told(t, unauthenticated), {
    repositories: [{ problems: ['unsigned-allowed'] }, { problems: ['unsigned-allowed'] }],
  });
});

test('apt: what is switched off, or in a file that apt passes over, is no source', async (t) => {
  const sources = {
    'sources.list': '',
    'sources.list.d/off.sources': stanza('Enabled: no\n'),
    'sources.list.d/old.list.save': 'deb [trusted=yes] http://h/d s main\n',
    'sources.list.d/x y.list': 'deb [trusted=yes] http://h/d s main\n',
  };
  t.like(await told(t, apt(sources)), { repositories: [] });
});

test('apt: several URIs and suites are that many repositories, sorted; one that stands twice is one', async (t) => {
  const text =
    'Types: deb\nURIs: http://b http://a\nSuites: s\n  s-updates\nSigned-By: /k\n# x\n\n\nTypes: deb\nURIs: http://a\nSuites: s\nSigned-By: /k\n';
  const { repositories } = Object(await told(t, apt({ 'sources.list.d/x.sources': text })));
  t.deepEqual(
    repositories.map(({ name }: { name: string }) => name),
    ['http://a s', 'http://a s-updates', 'http://b s', 'http://b s-updates'],
  );
});

test('apt: what a repository calls its origin says whose it is', async (t) => {
  const list = (name: string, origin: string) => ({
    [`/var/lib/apt/lists/${name}`]: `Origin: ${origin}\nSuite: stable\n`,
  });
  const files = {
    ...apt({
      'sources.list':
        'deb http://deb.debian.org/debian/ stable main\ndeb https://u:p@pkg.example.org/my_repo ./\ndeb http://never/asked s main\n',
    }),
    ...list('deb.debian.org_debian_dists_stable_InRelease', 'Debian'),
    ...list('pkg.example.org_my%5frepo_._Release', 'Example'),
  };
  t.like(await told(t, files), {
    repositories: [
      { name: 'http://deb.debian.org/debian/ stable', foreign: false },
      { name: 'http://never/asked s', foreign: 'unknown' },
      { name: 'https://pkg.example.org/my_repo ./', foreign: true },
    ],
  });
});

test('apt: passwords and tokens in a URI are not told', async (t) => {
  const sources = { 'sources.list': 'deb https://bearer:s3cr3t@esm.ubuntu.com/infra/ubuntu noble main\n' };
  const answer = JSON.stringify(await told(t, apt(sources)));
  t.true(answer.includes('https://esm.ubuntu.com/…/ubuntu noble'));
  t.false(/s3cr3t|bearer/.test(answer));
});

test('apt: where apt-config does not answer it is unknown', async (t) => {
  t.like(
    await told(t, { ...apt({ 'sources.list': 'deb http://h/d s main\n' }), '/usr/bin/apt-config': saying('', 1) }),
    {
      repositories: 'unknown',
    },
  );
});

test("apt: a medium's name may hold blanks, and a line that makes no sense is none", (t) => {
  const text =
    'deb cdrom:[Debian GNU/Linux 12.0.0 _Bookworm_ - Official amd64]/ bookworm main\ndeb\ndeb http://x\ndebx http://h/d s\n\u0000\ufffd\n';
  t.deepEqual(
    parseOneLineSources(text).map(({ uri, suite }) => [uri, suite]),
    [['cdrom:[Debian GNU/Linux 12.0.0 _Bookworm_ - Official amd64]/', 'bookworm']],
  );
  t.deepEqual(parseDeb822Sources('URIs: x\nSuites: y\n\n:\n\u0000\n\n Types: deb'), []);
});

for (const [uri, suite, expected] of [
  ['http://deb.debian.org/debian', 'bookworm-updates', 'deb.debian.org_debian_dists_bookworm-updates'],
  ['http://deb.debian.org/debian/', 'bookworm/updates', 'deb.debian.org_debian_dists_bookworm_updates'],
  ['https://u@h:8080/a~b', 's', 'h:8080_a%7eb_dists_s'],
  ['file:/srv/repo', './', 'srv_repo_.'],
] as const) {
  test(`apt: the data of ${uri} ${suite} lie in ${expected}…`, (t) => {
    t.is(listName(uri, suite).replace(/^_/, ''), expected);
  });
}

const dnf = (repo: string, conf = '[main]\ngpgcheck=1\n') => ({
  ...FEDORA,
  '/etc/dnf/dnf.conf': conf,
  '/etc/yum.repos.d/x.repo': repo,
});

test('dnf: a repository that is checked, and one that is not', async (t) => {
  const repo =
    '[updates]\nname=x\nbaseurl=http://a\n  http://b\ngpgcheck=1\n[mine]\ngpgcheck = False\n[rpmfusion-free]\n[off]\nenabled=0\ngpgcheck=0\n';
  const file = '/etc/yum.repos.d/x.repo';
  t.deepEqual(await factOf(t, 'repositories', dnf(repo)), [
    { name: 'mine', file, foreign: true, problems: ['unsigned'] },
    { name: 'rpmfusion-free', file, foreign: true, problems: [] },
    { name: 'updates', file, foreign: false, problems: [] },
  ]);
});

test('dnf: nothing is checked where nobody says so', async (t) => {
  t.like(await told(t, dnf('[fedora]\n', '[main]\n')), { repositories: [{ foreign: false, problems: ['unsigned'] }] });
});

test("dnf 5: drop-ins stand for dnf.conf, and overrides for a repository's own file", async (t) => {
  const vendor = { '/usr/share/dnf5/libdnf.conf.d/20.conf': '[main]\npkg_gpgcheck=1\n' };
  t.like(await told(t, { ...dnf('[fedora]\n', '[main]\n'), ...vendor }), { repositories: [{ problems: [] }] });
  const over = { '/etc/dnf/repos.override.d/99.repo': '[fedora]\npkg_gpgcheck=0\n[updates]\nenabled=0\n' };
  t.like(await told(t, { ...dnf('[fedora]\ngpgcheck=1\n[updates]\ngpgcheck=0\n'), ...over }), {
    repositories: [{ name: 'fedora', problems: ['unsigned'] }],
  });
});

// pacman-conf of pacman 6.0.2
const conf = (general: string[], own: string[]) =>
  [
    '[options]',
    'RootDir = /',
    ...general.map((level) => `SigLevel = ${level}`),
    'Color',
    '[core]',
    'Server = https://x',
    '[mine]',
    'Server = file:///srv',
    ...own.map((level) => `SigLevel = ${level}`),
    '',
  ].join('\n');
const REQUIRED = ['PackageRequired', 'PackageTrustedOnly', 'DatabaseOptional', 'DatabaseTrustedOnly'];

for (const [title, own, problems] of [
  ['asks for a signature as all do', [], []],
  ['asks for none', ['PackageNever', 'DatabaseNever'], ['unsigned']],
  ['takes one without', ['PackageOptional', 'PackageTrustedOnly'], ['unsigned-allowed']],
  ['takes that of any key', ['PackageRequired', 'PackageTrustAll'], ['any-key']],
] as const) {
  test(`pacman: a repository that ${title}`, async (t) => {
    t.like(await told(t, { ...ARCH, '/usr/bin/pacman-conf': saying(conf(REQUIRED, [...own])) }), {
      repositories: [
        { name: 'core', foreign: false, problems: [] },
        { name: 'mine', foreign: true, problems: [...problems] },
      ],
    });
  });
}

test('a system that is none of these is unknown', async (t) => {
  t.like(await told(t, { '/etc/os-release': 'ID=alpine\n' }), { repositories: 'unknown' });
});

for (const [uri, suite, name] of [
  [
    'https://deb.debian.org/debian-security',
    'trixie-security',
    'https://deb.debian.org/debian-security trixie-security',
  ],
  ['http://ports.ubuntu.com:8080/ubuntu-ports/', 'noble', 'http://ports.ubuntu.com:8080/ubuntu-ports/ noble'],
  ['https://dl.cloudsmith.io/aBcD1234efGh5678/org/repo/deb/debian', 'x', 'https://dl.cloudsmith.io/…/debian x'],
  ['https://packagecloud.io/priv/0123abcd/org/repo/ubuntu/', 'x', 'https://packagecloud.io/…/ubuntu/ x'],
  ['https://repo.example/aBcD1234efGh5678', 'x', 'https://repo.example/… x'],
  ['https://repo.example/deb?token=abcdef', 'x', 'https://repo.example/… x'],
  ['https://alice:s3cret@repo.example/deb', 'x', 'https://repo.example/deb x'],
  ['https://alice:s3/cret@repo.example/deb', 'x', 'https://…/…/deb x'],
  ['https://repo.example', 'aBcD1234efGh5678/amd64/', 'https://repo.example …/amd64/'],
  ['tor+https://[2001:db8::1]/debian', './', 'tor+https://[2001:db8::1]/debian ./'],
  ['file:/srv/s3cret/deb', '/', 'file:/…/deb /'],
  ['file:///srv/deb', 'x', 'file:///…/deb x'],
  ['cdrom:[Debian GNU/Linux 13.0.0 _Trixie_]/', 'trixie', 'cdrom:[Debian GNU/Linux 13.0.0 _Trixie_]/ trixie'],
  ['nonsense', 'x', '… x'],
] as const) {
  test(`the source ${uri} ${suite} is called "${name}"`, (t) => t.is(nameOf({ uri, suite }), name));
}
