import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { changesOf, type Inventory, mustPlay } from './support/ansible.ts';
import { bootMachine, type Machine } from './support/machine.ts';
import { onMachineWithAcme } from './support/needs.ts';
import { buildPackages } from './support/packages.ts';

const SHOWN = '/srv/packages';
const NAME = 'dome.example.org';
const AUTHORITY = 'acme.example.org';

/** Listens where a real authority looks, and tells that it is well. */
const PEBBLE = `
  mkdir /srv/acme && cd /srv/acme
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=${AUTHORITY} -addext subjectAltName=DNS:${AUTHORITY} -keyout key.pem -out ca.pem 2>openssl.log
  cat >config.json
  echo "127.0.0.1 ${NAME} ${AUTHORITY}" >>/etc/hosts
  systemd-run --quiet --setenv=PEBBLE_VA_NOSLEEP=1 --setenv=PEBBLE_WFE_NONCEREJECT=0 pebble -strict=false -config /srv/acme/config.json
`;

const CONFIG = {
  pebble: {
    listenAddress: '127.0.0.1:14000',
    managementListenAddress: '127.0.0.1:15000',
    certificate: '/srv/acme/ca.pem',
    privateKey: '/srv/acme/key.pem',
    httpPort: 80,
    tlsPort: 443,
  },
};

/** What a client is shown. */
async function shown(machine: Machine): Promise<string> {
  const client = `openssl s_client -connect ${NAME}:8443 -servername ${NAME} </dev/null 2>/dev/null`;
  return machine.run(['sh', '-c', `${client} | openssl x509 -noout -issuer -fingerprint`]);
}

async function bootServer(t: ExecutionContext): Promise<{ machine: Machine; inventory: Inventory }> {
  const { folder } = await buildPackages(t, 'deb-with-runtime');
  const binds = { [folder]: SHOWN, '/usr/bin/pebble': '/usr/local/bin/pebble' };
  const machine = await bootMachine(t, { binds, variant: 'acme' });
  t.timeout(600_000, 'a machine that hangs');
  await machine.run(['sh', '-c', 'rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*']);
  await machine.run(['sh', '-euc', PEBBLE], { input: JSON.stringify(CONFIG) });
  const key = await readFile(join(folder, 'penguindome.asc'), 'utf8');
  const vars = {
    penguindome_repository: { url: `file://${SHOWN}`, key },
    penguindome_certificates: [{ name: 'dome', source: 'acme', names: [NAME] }],
    penguindome_certificates_acme_ca: '/srv/acme/ca.pem',
    penguindome_certificates_acme_server: `https://${AUTHORITY}:14000/dir`,
    penguindome_server_host_names: [NAME],
    penguindome_server_ports: [{ port: 8443, certificate: 'dome' }],
  };
  const hosts = { dome: { machine, groups: ['penguindome_server'] } };
  return { machine, inventory: { hosts, groupVars: { all: vars } } };
}

onMachineWithAcme(
  'an ACME authority makes the certificate, and a renewed one is shown without a restart',
  async (t) => {
    const { machine, inventory } = await bootServer(t);
    const playbook = 'playbooks/server.yml';
    await mustPlay(inventory, { playbook });
    const first = await shown(machine);
    t.regex(first, /Pebble Intermediate CA/);
    const again = await mustPlay(inventory, { playbook, diff: true });
    t.is(changesOf(again), 0, again.said);

    const unit = ['systemctl', 'show', '--value', '-p', 'MainPID', 'penguindome-server.service'];
    const before = await machine.run(unit);
    t.is((await machine.run(['systemctl', 'is-active', 'certbot.timer'])).trim(), 'active');
    // As the timer's unit does it, which the role tells whom to trust; only that nothing is due yet.
    const drop = '[Service]\nExecStart=\nExecStart=certbot -q renew --force-renewal --no-random-sleep-on-renew\n';
    await machine.write('/run/systemd/system/certbot.service.d/60-now.conf', drop);
    await machine.run(['systemctl', 'daemon-reload']);
    await machine.run(['systemctl', 'start', 'certbot.service']);
    await machine.until('the renewed one is shown', async () => ((await shown(machine)) === first ? undefined : true));
    t.regex(await shown(machine), /Pebble Intermediate CA/);
    t.is(await machine.run(unit), before);
  },
);
