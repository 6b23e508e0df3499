import test from 'ava';
import fc from 'fast-check';
import { readPlainYaml } from '../../src/settings/read-plain-yaml.ts';
import { readYaml } from '../../src/settings/read-yaml.ts';
import { rounds } from '../support/soak.ts';

function valueByParser(text: string): unknown {
  const read = readYaml(text, 'agent.yml');
  return Array.isArray(read) ? 'mistakes' : (read.value ?? {});
}

const PLAIN = {
  'an empty file': '',
  'comments alone': '# one\n\n  # two\n',
  'what enrolment writes':
    '# the server\nurl: https://dome.example.org:8443\n\n# collect_interval: 10m\n# collectors:\n#   disabled: [a]\n',
  'words, quantities and numbers': 'hostname: web-1.example.org\ncollect_interval: 10m\nnumber: 4\nzero: 0\n',
  'a group, and a comment behind a value': 'plugins:\n  timeout: 1h # long\n  at_once: 2\nspool:\n  max_size: 64M\n',
  'true and false': 'plugins:\n  local: true\nother: false\n',
  lists: 'collectors:\n  disabled: [a, b_c ,d]\nempty: []\n',
  'a group in a group':
    'collectors:\n  geolocation:\n    url: https://geo.example/v1/geolocate\n    key: /etc/penguindome/geo.key\n  disabled: [a]\nhostname: web\n',
  'groups in a group, one of them empty':
    'collectors:\n  geolocation:\n  ip_addresses:\n    url: https://a.example/\nplugins:\n',
  'a key with nothing behind it': 'plugins:\ncollectors:\n  disabled:\n',
  'a last line without an end': 'hostname: web',
};

for (const [what, text] of Object.entries(PLAIN)) {
  test(`${what}: read as the parser of YAML reads it`, (t) => {
    const plain = readPlainYaml(text);
    t.truthy(plain);
    t.deepEqual<unknown, unknown>(plain, valueByParser(text));
  });
}

const LEFT = {
  'a key given twice': 'hostname: a\nhostname: b\n',
  'a key given twice in a group': 'plugins:\n  timeout: 1h\n  timeout: 2h\n',
  'a group opened twice': 'plugins:\n  timeout: 1h\nspool:\nplugins:\n  at_once: 2\n',
  'a word that was no text once': 'hostname: yes\n',
  'a number of another kind': 'hostname: 0x10\n',
  'a quoted text': 'hostname: "web"\n',
  'a text of several words': 'hostname: a b\n',
  'a tab': 'plugins:\n\ttimeout: 1h\n',
  'a carriage return': 'hostname: a\r\n',
  'an anchor': 'hostname: &a b\n',
  'a document mark': '---\nhostname: a\n',
  'a value on the next line': 'hostname:\n  web\n',
  'a group deeper than any that settings have': 'a:\n  b:\n    c:\n      d: x\n',
  'a key that skips a level': 'plugins:\n    timeout: 1h\n',
  'a key below one of a closed group': 'a:\n  b:\n    c: x\n  d: y\n    e: z\n',
  'a deeper key given twice': 'a:\n  b:\n    c: x\n    c: y\n',
  'another indentation': 'plugins:\n timeout: 1h\n',
  'a group below a value': 'plugins: a\n  timeout: 1h\n',
  'a block list': 'collectors:\n  disabled:\n    - a\n',
  'a comment that is none': 'hostname: a#b\n',
};

for (const [what, text] of Object.entries(LEFT)) {
  test(`${what}: left to the parser of YAML`, (t) => {
    t.is(readPlainYaml(text), undefined);
  });
}

test('whatever is read is what the parser of YAML reads', (t) => {
  const pieces = [
    ...['url', 'hostname', 'plugins', 'x', '/x'].map((key) => `${key}:`),
    ...[
      '10m',
      '007',
      '1e3',
      'a',
      'no',
      '~',
      '1.5',
      'https://a:1',
      '/etc/x',
      '/',
      '- a',
      '[a, 1]',
      '[a,]',
      '[a b]',
      '{a: 1}',
      '#c',
      "'q'",
    ],
    ...[
      'a: b',
      '?',
      '|',
      '>',
      '*x',
      '!t',
      '%',
      '\n',
      '\n',
      '\n',
      '\n  ',
      '\n  ',
      '\n    ',
      '\n    ',
      ' ',
      ' ',
      '\t',
      '\u00a0',
      '\u0085',
      '\ufeff',
    ],
  ];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((chosen) => chosen.join(''));
  fc.assert(
    fc.property(text, (one) => {
      const plain = readPlainYaml(one);
      if (plain !== undefined) t.deepEqual<unknown, unknown>(plain, valueByParser(one), JSON.stringify(one));
    }),
    { numRuns: rounds(3000, 100_000) },
  );
});
