import test from 'ava';
import { remediationFor } from '../../src/audit/remediation-for.ts';

const ALL = { default: 'all', debian: 'd', ubuntu: 'u', fedora: 'f', 'red hat': 'r', 'ubuntu core': 'uc' };
const FEW = { default: 'all', debian: 'd', fedora: 'f' };

for (const [name, all, few] of [
  ['Debian GNU/Linux', 'd', 'd'],
  ['Ubuntu', 'u', 'd'],
  ['Ubuntu Core', 'uc', 'd'],
  ['Linux Mint', 'u', 'd'],
  ['Pop!_OS', 'u', 'd'],
  ['Raspbian GNU/Linux', 'd', 'd'],
  ['Fedora Linux', 'f', 'f'],
  ['Red Hat Enterprise Linux', 'r', 'f'],
  ['Rocky Linux', 'r', 'f'],
  ['AlmaLinux', 'r', 'f'],
  ['CentOS Stream', 'r', 'f'],
  ['Oracle Linux Server', 'r', 'f'],
  ['Void', 'all', 'all'],
  ['', 'all', 'all'],
] as const) {
  test(`${name || 'a machine of which nothing is known'} is told its own remedy, or its family's`, (t) => {
    t.is(remediationFor({ remediation: ALL }, name.toLowerCase()), all);
    t.is(remediationFor({ remediation: FEW }, name.toLowerCase()), few);
  });
}

test('a remedy for the distribution itself goes before that for its family', (t) => {
  t.is(remediationFor({ remediation: { ...ALL, 'rocky linux': 'own' } }, 'rocky linux'), 'own');
});
