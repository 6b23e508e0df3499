import test from 'ava';
import { compareReleases, newestLike } from '../../../../src/agent/collectors/boot/kernel-release.ts';

/** Pairs of released kernels, the older one first. */
for (const [older, newer] of [
  ['6.1.0-9-amd64', '6.1.0-21-amd64'],
  ['5.10.0-30-amd64', '6.1.0-18-amd64'],
  ['6.12.41+deb13-amd64', '6.12.43+deb13-amd64'],
  ['6.12.43+deb13-amd64', '6.12.43+deb13+1-amd64'],
  ['6.8.0-40-generic', '6.8.0-101-generic'],
  ['6.8.0-40-generic', '6.11.0-8-generic'],
  ['6.11.4-301.fc41.x86_64', '6.11.10-300.fc41.x86_64'],
  ['5.14.0-70.22.1.el9_0.x86_64', '5.14.0-427.13.1.el9_4.x86_64'],
  ['6.9.1-arch1-1', '6.9.1-arch1-2'],
  ['6.9.9.arch1-1', '6.10.arch1-1'],
  ['6.4.0-150600.21-default', '6.4.0-150600.23.7-default'],
  ['6.10-rc1', '6.10'],
] as const) {
  test(`${newer} is newer than ${older}`, (t) => {
    t.true(compareReleases(newer, older) > 0);
    t.true(compareReleases(older, newer) < 0);
    t.is(compareReleases(older, older), 0);
  });
}

for (const [running, installed, newest] of [
  ['6.1.0-18-amd64', ['6.1.0-18-amd64', '6.1.0-21-cloud-amd64', '6.1.0-9-amd64'], '6.1.0-18-amd64'],
  ['6.8.0-40-generic', ['6.8.0-40-generic', '6.8.0-45-lowlatency', '6.8.0-44-generic'], '6.8.0-44-generic'],
  ['6.11.4-301.fc41.x86_64', ['6.11.4-301.fc41.x86_64', '6.11.5-300.fc41.x86_64+debug'], '6.11.4-301.fc41.x86_64'],
  ['6.6.31+rpt-rpi-v8', ['6.6.51+rpt-rpi-v8', '6.6.62+rpt-rpi-2712'], '6.6.51+rpt-rpi-v8'],
  ['6.1.0-18-amd64', ['6.8.0-40-generic'], undefined],
] as const) {
  test(`of ${installed.join(', ')} the newest like ${running} is ${newest}`, (t) => {
    t.is(newestLike(running, installed), newest);
  });
}
