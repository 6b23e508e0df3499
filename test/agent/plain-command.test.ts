import test from 'ava';
import { plainCommand } from '../../src/agent/plain-command.ts';

test('what timers call is understood, options before or behind the command', (t) => {
  t.deepEqual(plainCommand(['run']), { name: 'run', options: {}, now: false });
  t.deepEqual(plainCommand(['run', '--now']), { name: 'run', options: {}, now: true });
  t.deepEqual(plainCommand(['--state', 'x', 'submit', '--json']), {
    name: 'submit',
    options: { state: 'x', json: true },
    now: false,
  });
  t.deepEqual(plainCommand(['collect', '--config', 'a.yml', '--state', 'x']), {
    name: 'collect',
    options: { state: 'x', config: 'a.yml' },
    now: false,
  });
});

const OTHERS = [
  [],
  ['--help'],
  ['run', '--help'],
  ['run', 'submit'],
  ['submit', '--now'],
  ['--now', 'run'],
  ['collect', '--show'],
  ['--state'],
  ['--state', '', 'run'],
  ['--state', '--json', 'run'],
  ['--state=x', 'run'],
  ['status'],
  ['run', '--'],
];

for (const args of OTHERS) {
  test(`left to the parser of options: ${JSON.stringify(args)}`, (t) => {
    t.is(plainCommand(args), undefined);
  });
}
