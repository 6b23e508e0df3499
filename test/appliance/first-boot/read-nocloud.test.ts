import test from 'ava';
import { readNoCloud } from '../../../appliance/first-boot/read-nocloud.ts';

const KEY = 'ssh-ed25519 AAAAC3Nz ada';

test("cloud-init's own keys say the name, the key and the network", (t) => {
  const { answers, ignored } = readNoCloud({
    userData: `#cloud-config\nssh_authorized_keys:\n  - ${KEY}\npackages: [vim]\n`,
    metaData: 'instance-id: i-1\nlocal-hostname: dome.example.org\n',
    networkConfig: `version: 2
ethernets:
  any:
    match: { name: "en*" }
    addresses: [192.0.2.10/24, "2001:db8::10/64"]
    routes: [{ to: default, via: 192.0.2.1 }]
    nameservers: { addresses: [192.0.2.53] }
`,
  });
  t.deepEqual(answers, {
    host_name: 'dome.example.org',
    ssh_keys: [KEY],
    addresses: ['192.0.2.10/24', '2001:db8::10/64'],
    gateways: ['192.0.2.1'],
    name_servers: ['192.0.2.53'],
  });
  t.deepEqual(ignored, ['packages']);
});

test('what stands below `penguindome` counts before it', (t) => {
  const userData = '#cloud-config\nhostname: a\npenguindome:\n  host_name: dome.example.org\n  port: 443\n';
  t.deepEqual(readNoCloud({ userData }).answers, { host_name: 'dome.example.org', port: 443 });
});

test('network-config may stand below `network`, and say DHCP', (t) => {
  const networkConfig = 'network:\n  version: 2\n  ethernets: { eth0: { dhcp4: true } }\n';
  t.deepEqual(readNoCloud({ userData: '#cloud-config\n{}\n', networkConfig }).answers, {});
});

test('a script is no settings', (t) => {
  t.throws(() => readNoCloud({ userData: '#!/bin/sh\nreboot\n' }), { message: /#cloud-config/ });
});

test('the first version of network-config is refused, rather than passed over', (t) => {
  t.throws(() => readNoCloud({ userData: '#cloud-config\n{}\n', networkConfig: 'version: 1\nconfig: []\n' }), {
    message: /network-config: version/,
  });
});
