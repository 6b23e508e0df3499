import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import test from 'ava';

type Rule = (action: { id: string }, subject: { user: string; groups?: string[] }) => string;

/** What polkit's own engine gets to run. */
function rule(): Rule {
  const rules: Rule[] = [];
  const polkit = { Result: { YES: 'yes', NOT_HANDLED: 'not handled' }, addRule: (one: Rule) => rules.push(one) };
  runInNewContext(readFileSync('systemd/penguindome-online.rules', 'utf8'), { polkit });
  return (action, subject) => rules.map((one) => one(action, subject)).join();
}

const SCAN = 'org.freedesktop.NetworkManager.wifi.scan';

test('whoever asks outside may have NetworkManager scan, and nothing else; of others nothing is said', (t) => {
  t.is(rule()({ id: SCAN }, { user: 'penguindome-online' }), 'yes');
  for (const user of ['penguindome', 'alice', 'root']) t.is(rule()({ id: SCAN }, { user }), 'not handled');
  for (const id of [
    `${SCAN}.x`,
    'org.freedesktop.NetworkManager.network-control',
    'org.freedesktop.systemd1.manage-units',
  ])
    t.is(rule()({ id }, { user: 'penguindome-online' }), 'not handled');
});

test("polkit's engine knows no newer JavaScript than that of 2009", (t) => {
  t.notRegex(
    readFileSync('systemd/penguindome-online.rules', 'utf8').replace(/^\/\/.*$/gm, ''),
    /=>|\b(?:let|const|class)\b|`/,
  );
});
