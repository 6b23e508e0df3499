import test from 'ava';
import { parseLivepatchStatus } from '../../../../src/agent/collectors/updates/parse-livepatch-status.ts';
import { saying } from '../host-in-folder.ts';
import { DEBIAN, told, UBUNTU } from './machine.ts';

// Landscape's REST API documentation, livepatch/info
const status = (state: string, check = 'checked') =>
  JSON.stringify({
    Architecture: 'amd64',
    'Boot-Time': '2024-08-19T02:14:28Z',
    'Client-Version': '10.8.3',
    'Last-Check': '2024-08-19T12:14:28Z',
    'Machine-Id': '5a8061f3c51942ab906085377bb91634',
    Status: [
      { Kernel: '5.15.0-99.109-generic', Running: false, Livepatch: { CheckState: 'needs-check', State: 'unapplied' } },
      {
        Kernel: '5.15.0-100.110-generic',
        Running: true,
        Livepatch: { CheckState: check, State: state, Fixes: [], Version: '104.1' },
      },
    ],
    Uptime: 36000,
    tier: 'updates',
  });

test('a machine whose kernel cannot be patched while it runs, and without a tool, has no such fact', async (t) => {
  const answer = await told(t, DEBIAN);
  t.false(Object.hasOwn(Object(answer), 'livepatch'));
});

test('patches that the kernel runs are told, whoever put them there', async (t) => {
  const files = {
    ...DEBIAN,
    '/sys/kernel/livepatch/kpatch_5_14_0/enabled': '1\n',
    '/sys/kernel/livepatch/old/enabled': '0\n',
    '/usr/bin/kpatch': saying(''),
  };
  t.like(await told(t, files), {
    livepatch: {
      kpatch: true,
      patches: [
        { name: 'kpatch_5_14_0', enabled: true },
        { name: 'old', enabled: false },
      ],
    },
  });
});

test("what Canonical's client says of the running kernel is told, and no time and no counter of it", async (t) => {
  const ask = (program: string) => told(t, { ...UBUNTU, '/snap/bin/canonical-livepatch': program });
  t.like(await ask(saying(status('applied'))), {
    livepatch: { patches: [], canonical: { check: 'checked', state: 'applied' } },
  });
  t.like(await ask(saying('Machine is not enabled', 1)), {
    livepatch: { canonical: 'unknown' },
    reasons: { 'livepatch.canonical': 'canonical-livepatch does not answer: it may not be enabled' },
  });
  t.like(await ask(saying('{"Status":[')), { livepatch: { canonical: 'unknown' } });
});

for (const text of [
  '',
  'null',
  '[]',
  '{"Status":{}}',
  '{"Status":[null]}',
  '{"Status":[{"Running":true}]}',
  '\u0000\ufffd',
]) {
  test(`a status such as ${JSON.stringify(text)} is not made out`, (t) => {
    t.is(parseLivepatchStatus(text), undefined);
  });
}
