import test from 'ava';
import {
  parseIwdNetwork,
  parseKeyfile,
  parseNmcli,
  parseSupplicant,
  parseWpaStatus,
} from '../../../../src/agent/collectors/network/parse-wifi.ts';
import { wifiSecurity } from '../../../../src/agent/collectors/network/wifi-security.ts';
import { saying } from '../host-in-folder.ts';
import { saysOf } from './facts-of.ts';

const SECRET = 'correct horse';
const NAME = 'Cafe am Ring';
/** As NetworkManager 1.42 writes it (nm-settings-keyfile(5)). */
const keyfile = (security: string, more = '') =>
  `[connection]\nid=${NAME}\nuuid=1\ntype=wifi\n${more}\n[wifi]\nmode=infrastructure\nssid=${NAME}\n\n${security}\n[ipv4]\nmethod=auto\n`;
const keyManagement = (value: string) => keyfile(`[wifi-security]\nkey-mgmt=${value}\npsk=${SECRET}\n`);

for (const [value, kind] of Object.entries({
  'wpa-psk': 'wpa_psk',
  sae: 'sae',
  owe: 'owe',
  none: 'wep',
  ieee8021x: 'wep',
  'wpa-eap': 'eap',
  'wpa-eap-suite-b-192': 'eap',
  'from-the-future': 'other',
})) {
  test(`a saved network whose key-mgmt is ${value} is ${kind}`, (t) => {
    t.deepEqual(parseKeyfile(keyManagement(value)), { kind, joins: true });
  });
}

test('a saved network without a section about security is open; with autoconnect=false it is not joined unasked', (t) => {
  t.deepEqual(parseKeyfile(keyfile('')), { kind: 'open', joins: true });
  t.deepEqual(parseKeyfile(keyfile('', 'autoconnect=false')), { kind: 'open', joins: false });
});

test('the old names of types and sections mean the same', (t) => {
  const old =
    '[connection]\ntype=802-11-wireless\n[802-11-wireless]\nssid=x\n[802-11-wireless-security]\nkey-mgmt=wpa-psk\n';
  t.deepEqual(parseKeyfile(old), { kind: 'wpa_psk', joins: true });
});

test('a cable, a VPN, a hotspot of this machine and noise are no saved networks', (t) => {
  const hotspot = '[connection]\ntype=wifi\n[wifi]\nmode=ap\n';
  for (const text of [
    '[connection]\ntype=ethernet\n',
    '[connection]\ntype=vpn\n',
    hotspot,
    '',
    '\0\ufffd[',
    'type=wifi\n',
  ]) {
    t.is(parseKeyfile(text), undefined, text);
  }
});

test('iwd tells the kind by the ending of a name', (t) => {
  t.deepEqual(parseIwdNetwork('x.open', ''), { kind: 'open', joins: true });
  t.deepEqual(parseIwdNetwork('x.psk', `[Security]\nPassphrase=${SECRET}\n`), { kind: 'wpa_psk', joins: true });
  t.deepEqual(parseIwdNetwork('x.8021x', '[Settings]\nAutoConnect=false\n'), { kind: 'eap', joins: false });
  t.is(parseIwdNetwork('.known_network.freq', ''), undefined);
});

test("wpa_supplicant's blocks: without a word WPA-PSK, NONE is open or WEP, and access points of our own are left out", (t) => {
  const text = [
    'ctrl_interface=/run/wpa_supplicant',
    `network={\n ssid="${NAME}"\n psk="${SECRET}"\n}`,
    'network={\n key_mgmt=NONE\n}',
    'network={\n key_mgmt=NONE\n wep_key0="abcde"\n disabled=1\n}',
    'network={\n key_mgmt=SAE\n}',
    'network={\n key_mgmt=WPA-EAP WPA-EAP-SHA256\n}',
    'network={\n mode=2\n key_mgmt=NONE\n}',
    'network={\n key_mgmt=NONE',
  ].join('\n');
  t.deepEqual(parseSupplicant(text), [
    { kind: 'wpa_psk', joins: true },
    { kind: 'open', joins: true },
    { kind: 'wep', joins: false },
    { kind: 'sae', joins: true },
    { kind: 'eap', joins: true },
  ]);
});

// nmcli(1): SECURITY as libnm's nmc_wifi_ap… writes it, terse
for (const [line, link] of Object.entries({
  '*:': 'open',
  '*:--': 'open',
  '*:WEP': 'wep',
  '*:OWE': 'owe',
  '*:OWE-TM': 'owe',
  '*:WPA1': 'wpa1',
  '*:WPA1 WPA2': 'wpa2',
  '*:WPA2': 'wpa2',
  '*:WPA2 WPA3': 'wpa3',
  '*:WPA3': 'wpa3',
  '*:WPA2 802.1X': 'wpa2_eap',
  '*:WPA3 802.1X': 'wpa3_eap',
  '*:WPA9': 'other',
})) {
  test(`the link that nmcli calls "${line}" is ${link}`, (t) => {
    t.deepEqual(parseNmcli(` :WPA2\n${line}\n : \n:\n`), [link]);
  });
}

// wpa_supplicant's wpa_key_mgmt_txt() (src/common/defs.h)
for (const [management, link] of Object.entries({
  NONE: 'open',
  'WPA2-PSK': 'wpa2',
  'WPA-PSK': 'wpa1',
  'WPA2/IEEE 802.1X/EAP': 'wpa2_eap',
  'WPA/IEEE 802.1X/EAP': 'wpa1_eap',
  SAE: 'wpa3',
  'FT-SAE': 'wpa3',
  'WPA2-EAP-SUITE-B-192': 'wpa3_eap',
  OWE: 'owe',
  'IEEE 802.1X (no WPA)': 'wep',
  UNKNOWN: 'other',
})) {
  test(`the link whose key_mgmt is ${management} is ${link}`, (t) => {
    t.is<string | undefined, string>(
      parseWpaStatus(`bssid=02:00:00:00:00:01\nssid=x\nkey_mgmt=${management}\nwpa_state=COMPLETED\n`),
      link,
    );
  });
}

test('a card that is in no network has no link, and noise tells nothing', (t) => {
  t.is(parseWpaStatus('wpa_state=SCANNING\n'), 'none');
  t.is(parseWpaStatus('key_mgmt=NONE\npairwise_cipher=WEP-104\nwpa_state=COMPLETED\n'), 'wep');
  for (const noise of ['', 'FAIL\n', '\0\ufffd', 'x'.repeat(100_000)]) t.is(parseWpaStatus(noise), undefined);
});

const CARD = { '/sys/class/net/wlan0/phy80211/name': 'phy0\n' };
const CONNECTIONS = '/etc/NetworkManager/system-connections';
const NMCLI = `#!/bin/sh
case "$*" in
  *status*) printf 'wifi:connected\\nethernet:unavailable\\n' ;;
  *) printf ' :WPA2\\n*:\\n' ;;
esac
`;

test('a machine in an open network, with saved ones: kinds and counts, and no name or key of any', async (t) => {
  const said = await saysOf(t, wifiSecurity, {
    ...CARD,
    '/run/NetworkManager/x': '',
    '/usr/bin/nmcli': NMCLI,
    [`${CONNECTIONS}/${NAME}.nmconnection`]: keyfile(''),
    [`${CONNECTIONS}/home.nmconnection`]: keyManagement('wpa-psk'),
    [`${CONNECTIONS}/work.nmconnection`]: keyManagement('wpa-psk'),
    [`${CONNECTIONS}/.home.nmconnection.swp`]: keyfile(''),
    '/run/NetworkManager/system-connections/netplan-wlan0.nmconnection': keyManagement('sae'),
  });
  t.deepEqual(said, { wifi_security: { current: 'open', saved: { open: 1, sae: 1, wpa_psk: 2 }, joins_open: 1 } });
  const text = JSON.stringify(said);
  for (const secret of [NAME, SECRET, 'home']) t.false(text.includes(secret));
});

test('a card that is in no network has none, and the list of what is near is not asked for', async (t) => {
  const nmcli = '#!/bin/sh\ncase "$*" in *status*) echo wifi:disconnected ;; *) exit 9 ;; esac\n';
  t.like(await saysOf(t, wifiSecurity, { ...CARD, '/run/NetworkManager/x': '', '/usr/bin/nmcli': nmcli }), {
    wifi_security: { current: 'none', saved: {}, joins_open: 0 },
  });
});

test('a card that NetworkManager leaves to others is asked of wpa_supplicant', async (t) => {
  const files = {
    ...CARD,
    '/run/NetworkManager/x': '',
    '/usr/bin/nmcli': saying('wifi:unmanaged'),
    '/usr/bin/wpa_cli': saying('key_mgmt=WPA2-PSK\nwpa_state=COMPLETED'),
  };
  t.like(await saysOf(t, wifiSecurity, files), { wifi_security: { current: 'wpa2' } });
});

test('a card that nothing tells of is unknown', async (t) => {
  t.like(await saysOf(t, wifiSecurity, CARD), { wifi_security: { current: 'unknown', saved: {} } });
});

test('a machine without a card, and without saved networks, has no such question', async (t) => {
  t.deepEqual(await saysOf(t, wifiSecurity, { '/sys/class/net/eth0/type': '1\n' }), {});
});

test('saved networks that may not be read are unknown', async (t) => {
  const list = async (path: string) => {
    if (path === CONNECTIONS) throw new Error('EACCES');
    return path === '/sys/class/net' ? ['wlan0'] : undefined;
  };
  t.like(await saysOf(t, wifiSecurity, CARD, { list }), { wifi_security: { saved: 'unknown', joins_open: 'unknown' } });
});
