import test from 'ava';
import { saying } from '../host-in-folder.ts';
import { DEBIAN, factOf, told } from './machine.ts';

test('a machine without flatpak has no such fact', async (t) => {
  t.false(Object.hasOwn(Object(await told(t, DEBIAN)), 'flatpak_updates'));
});

test('what waits is told by its ref, sorted', async (t) => {
  const list = 'runtime/org.gnome.Platform/x86_64/47\napp/org.mozilla.firefox/x86_64/stable\n';
  t.deepEqual(await factOf(t, 'flatpak_updates', { ...DEBIAN, '/usr/bin/flatpak': saying(list) }), [
    'app/org.mozilla.firefox/x86_64/stable',
    'runtime/org.gnome.Platform/x86_64/47',
  ]);
  t.deepEqual(await factOf(t, 'flatpak_updates', { ...DEBIAN, '/usr/bin/flatpak': saying('') }), []);
});

test('where flatpak never heard of its remotes it is unknown; and it is not let into the network for that', async (t) => {
  const program = '#!/bin/sh\n[ "$https_proxy" = http://127.0.0.1:9 ] && exit 1\necho app/x/y/z\n';
  t.like(await told(t, { ...DEBIAN, '/usr/bin/flatpak': program }), {
    flatpak_updates: 'unknown',
    reasons: { flatpak_updates: 'flatpak has no data of its remotes' },
  });
});
