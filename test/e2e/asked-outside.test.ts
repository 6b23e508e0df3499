import type { ExecutionContext } from 'ava';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachine } from './support/needs.ts';
import { startRealUnits, UNITS } from './support/real-units.ts';
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
  ip_addresses:
    url: http://127.0.0.1:${PORT}/address
  geolocation:
    url: http://127.0.0.1:${PORT}/place
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
    const scene: Scene = {
      ...{ t, machine, sh },
      told: async (name) => JSON.parse(await sh(`penguindome-agent collectors run ${name} 2>/dev/null || true`)),
    };
    await asks(scene);
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
