import { access } from 'node:fs/promises';
import test from 'ava';
import { pathOf, sysctl } from '../../../../src/agent/collectors/network/sysctl.ts';
import { SYSCTL_KEYS } from '../../../../src/agent/collectors/network/sysctl-keys.ts';
import { thisHost } from '../host-in-folder.ts';
import { saysOf } from './facts-of.ts';

const YAMA = { '/proc/sys/kernel/yama/ptrace_scope': '1\n' };

test('a key is told under its own path, with what hardens beside it', async (t) => {
  const files = {
    ...YAMA,
    '/proc/sys/kernel/kptr_restrict': '0\n',
    '/proc/sys/net/ipv4/conf/all/send_redirects': '1\n',
  };
  t.deepEqual(await saysOf(t, sysctl, files), {
    sysctl: {
      kernel: {
        kptr_restrict: { value: 0, expected: [1, 2], ok: false },
        yama: { ptrace_scope: { value: 1, expected: [1, 2, 3], ok: true } },
      },
      net: { ipv4: { conf: { all: { send_redirects: { value: 1, expected: [0], ok: false } } } } },
    },
  });
});

test('a kernel without Yama does not keep processes apart; of other keys that it lacks nothing is told', async (t) => {
  t.deepEqual(await saysOf(t, sysctl, { '/proc/sys/kernel/ostype': 'Linux\n' }), {
    sysctl: { kernel: { yama: { ptrace_scope: { value: 'missing', expected: [1, 2, 3], ok: false } } } },
  });
});

test('a key that only root may read is unknown to others, and the rest is told', async (t) => {
  const files = { ...YAMA, '/proc/sys/net/core/bpf_jit_harden': '0\n' };
  const host = thisHost(t);
  const readText = async (path: string) => {
    if (path.endsWith('bpf_jit_harden')) throw new Error('EACCES: permission denied');
    return path.endsWith('ptrace_scope') ? '1\n' : undefined;
  };
  const said = await saysOf(t, sysctl, files, { ...host, readText, list: async () => ['ostype'] });
  t.like(said, {
    sysctl: { net: { core: { bpf_jit_harden: 'unknown' } }, kernel: { yama: { ptrace_scope: { ok: true } } } },
    reasons: { 'sysctl.net.core.bpf_jit_harden': 'EACCES: permission denied' },
  });
});

for (const [what, text] of Object.entries({
  nothing: '',
  words: 'a b\n',
  several: '1 2\n',
  bytes: '\0\ufffd',
  much: '1'.repeat(5000),
})) {
  test(`a value of ${what} is unknown`, async (t) => {
    t.like(await saysOf(t, sysctl, { ...YAMA, '/proc/sys/fs/suid_dumpable': text }), {
      sysctl: { fs: { suid_dumpable: 'unknown' } },
    });
  });
}

test('without /proc/sys all is unknown', async (t) => {
  t.like(await saysOf(t, sysctl, {}), { sysctl: 'unknown', reasons: { sysctl: 'cannot read /proc/sys' } });
});

test('keys are each there once, and no key is the folder of another: its path in a report would be lost', (t) => {
  const keys = SYSCTL_KEYS.map(({ key }) => key);
  t.deepEqual(keys, [...new Set(keys)].sort());
  t.deepEqual(
    keys.filter((key) => keys.some((other) => other.startsWith(`${key}.`))),
    [],
  );
});

test('the keys that every kernel has are spelled as this one spells them', async (t) => {
  for (const key of [
    'kernel.kptr_restrict',
    'kernel.randomize_va_space',
    'fs.suid_dumpable',
    'net.ipv4.tcp_syncookies',
  ]) {
    t.true(SYSCTL_KEYS.some((each) => each.key === key));
    await t.notThrowsAsync(access(pathOf(key)), key);
  }
});
