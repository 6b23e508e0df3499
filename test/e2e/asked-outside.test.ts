import type { ExecutionContext } from 'ava';
import { COLLECTORS } from '../../src/agent/collectors/index.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { insteadOf, startRealUnits, UNITS } from './support/real-units.ts';
import { setUpSite, UNIT } from './support/site.ts';

const PORT = 9099;
const ONLINE = 'penguindome-collect-online.service';
const COLLECT = 'penguindome-collect.service';
const STATE = '/var/lib/penguindome';
const KEY = 's3cret-key';
const PLACE = { location: { lat: 1.5, lng: 2.5 }, accuracy: 30 };
const UNKNOWN = 'unknown';

/** Whom the settings name: tells an address, and, for the key, a place. What it was asked it writes down. */
const SERVICE = `
import http.server, json
class Service(http.server.BaseHTTPRequestHandler):
    def answer(self, text, status=200):
        open('/run/asked', 'a').write(self.command + ' ' + self.path + '\\n')
        self.send_response(status); self.end_headers(); self.wfile.write(text.encode())
    def do_GET(self): self.answer('192.0.2.7')
    def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        known = self.path == '/place?key=${KEY}'
        self.answer(json.dumps(${JSON.stringify(PLACE)}) if known else 'no', 200 if known else 403)
http.server.ThreadingHTTPServer(('127.0.0.1', ${PORT}), Service).serve_forever()
`;

const SETTINGS = `collect_interval: 1h
collectors:
  disabled: []
  enabled: [prey, accounts.ssh_keys, accounts.authorized_keys]
  ip_addresses:
    url: http://127.0.0.1:${PORT}/address
  geolocation:
    url: http://127.0.0.1:${PORT}/place
`;

/** What a machine has that the sandbox could hide: people with homes and keys, rules of a firewall, who listens. */
const FURNISH = `
  useradd --create-home --shell /bin/bash alice
  runuser -u alice -- sh -c 'umask 077; mkdir ~/.ssh; ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519; cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys'
  echo 'alice ALL=(ALL) NOPASSWD: /usr/bin/true' >/etc/sudoers.d/alice
  nft 'add table inet t; add chain inet t in { type filter hook input priority 0; policy drop; }; add rule inet t in iif lo accept'
`;

interface Scene {
  t: ExecutionContext;
  machine: Machine;
  sh(script: string): Promise<string>;
  /** what one collector says, as root */
  told(name: string): Promise<unknown>;
}

onMachine(
  'what must be asked outside is asked by a user of its own, in a sandbox; the collector, which has no network, takes it',
  async (t) => {
    const machine = await bootMachine(t, { binds: UNITS, filters: true });
    t.timeout(240_000, 'a machine that hangs');
    const sh = async (script: string) => (await machine.run(['sh', '-euc', script])).trim();
    const site = await setUpSite(machine);
    await machine.run(['systemctl', 'start', UNIT]);
    await startRealUnits(machine, site);
    await sh("systemctl stop 'penguindome-*.timer' 'penguindome-*.path'");
    await machine.write('/root/service.py', SERVICE);
    await sh('systemd-run --quiet --unit=service python3 /root/service.py');
    await machine.write('/etc/penguindome/agent.d/60-outside.yml', SETTINGS);
    await machine.write('/etc/credstore/geolocation-key', KEY, '600');
    await sh(FURNISH);
    const scene: Scene = {
      ...{ t, machine, sh },
      told: async (name) => JSON.parse(await sh(`penguindome-agent collectors run ${name} 2>/dev/null || true`)),
    };
    await asks(scene);
    await comparesFacts(scene);
    await isNotBelieved(scene);
    t.is(await sh('systemctl list-units --failed --plain --no-legend "penguindome*"'), '');
    await doesNoMore(scene);
  },
);

async function asks({ t, machine, sh, told }: Scene): Promise<void> {
  await machine.until('the service', async () => ((await sh(`ss -Hltn sport = ${PORT}`)) === '' ? undefined : true));
  await sh(`rm -f ${STATE}/due; systemctl start ${COLLECT}`);
  t.is(await sh(`cat ${STATE}/asks.json`), '{"asks":["geolocation","ip_addresses"]}');
  t.like(await told('ip_addresses'), { public_ipv4: UNKNOWN });
  t.is(await sh('cat /run/asked 2>/dev/null || true'), '', 'root asks nobody');

  await sh(`systemctl start ${ONLINE}`);
  t.regex(await sh('cat /run/asked'), /^GET \/address$/m);
  t.is(await sh(`stat -c '%U %a' ${STATE}/online/geolocation.json`), 'penguindome-online 640');
  const asked = await sh('wc -l </run/asked');
  await sh(`systemctl start ${ONLINE}`);
  t.is(await sh('wc -l </run/asked'), asked, 'not before it is time');
  await sh(`rm ${STATE}/due; systemctl start ${COLLECT}`);
  const shown = await sh('penguindome-agent collect --show 2>/dev/null');
  const { submission } = Object(JSON.parse(shown));
  t.truthy(submission);
  t.deepEqual(await told('geolocation'), PLACE);
  t.deepEqual(await told('ip_addresses'), { public_ipv4: '192.0.2.7', public_ipv6: UNKNOWN });
  t.notRegex(
    await sh(`grep -r ${KEY} ${STATE} || true; journalctl --no-pager -u 'penguindome*' | grep ${KEY} || true`),
    /./,
  );
}

/** Every fact is the same inside the collector's sandbox as outside, to the byte. */
async function comparesFacts({ t, machine, sh }: Scene): Promise<void> {
  const collected = async (command: string) => {
    await sh(`rm -rf ${STATE}/due ${STATE}/kept; ${command}`);
    const { newest }: { newest: { list: Record<string, string> } } = Object(
      JSON.parse(await machine.run(['cat', `${STATE}/spool/collector.json`])),
    );
    return newest.list;
  };
  const inside = await collected(`systemctl start ${COLLECT}`);
  const outside = await collected('penguindome-agent collect');
  const all = COLLECTORS.map(({ name }) => `plugins.${name}`).sort();
  t.deepEqual([Object.keys(inside).sort(), Object.keys(outside).sort()], [all, all]);
  for (const [name, digest] of Object.entries(inside)) {
    if (digest === outside[name]) continue;
    const bodies = await sh(`cd ${STATE}/spool/bodies && diff $(ls *${digest}* *${outside[name]}*) || true`);
    t.fail(`the sandbox changes ${name}: ${bodies}`);
  }
}

/** Whoever took that user over may leave what he likes: root reads no file of his choice, does not wait, and goes on. */
async function isNotBelieved({ t, sh, told }: Scene): Promise<void> {
  const as = (script: string) =>
    sh(`cd ${STATE}/online && setpriv --reuid penguindome-online --clear-groups sh -euc '${script}'`);
  await as(
    'rm geolocation.json ip_addresses.json; ln -s /etc/shadow geolocation.json; mkfifo ip_addresses.json; echo x >os_info.json',
  );
  await sh(`rm -f ${STATE}/due; systemctl start ${COLLECT}`);
  t.regex(JSON.stringify(await told('geolocation')), /symbolic link/);
  t.regex(JSON.stringify(await told('ip_addresses')), /no regular file/);
  await as('rm geolocation.json ip_addresses.json');
}

/** What whoever took the unit over could do. */
async function doesNoMore({ t, machine }: Scene): Promise<void> {
  const reach = (port: number) => `exec 3<>/dev/tcp/127.0.0.1/${port}`;
  const allowed = [
    `touch ${STATE}/online/x`,
    `cat ${STATE}/asks.json`,
    'cat $CREDENTIALS_DIRECTORY/geolocation-key',
    reach(PORT),
  ];
  for (const command of allowed) t.is(await insteadOf(machine, ONLINE, command), '0', command);
  const refused = [
    'cat /etc/penguindome/identity.key',
    'cat /etc/credstore/geolocation-key',
    'cat /etc/shadow',
    `touch ${STATE}/asks.json`,
    `touch ${STATE}/spool/reports/x`,
    `ls ${STATE}/spool`,
    `ls ${STATE}/acks`,
    `ls ${STATE}/submit`,
    `ls ${STATE}/kept`,
    `touch ${STATE}/status.json`,
    'touch /etc/x',
    'touch /etc/penguindome/agent.d/x',
    'ls /home/alice',
    'unshare --user true',
    'python3 -c "import socket; socket.create_server((str(), 4711))"',
  ];
  for (const command of refused) t.not(await insteadOf(machine, ONLINE, command), '0', command);
  t.not(await insteadOf(machine, COLLECT, reach(PORT)), '0', 'the collector reaches nobody');
}
