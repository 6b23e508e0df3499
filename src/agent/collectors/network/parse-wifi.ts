import { parseSections } from '../parse-sections.ts';

/** How a wireless network keeps others out; `owe` encrypts, and lets everybody in. */
export type Kind = 'eap' | 'open' | 'other' | 'owe' | 'sae' | 'wep' | 'wpa_psk';

/** A network that this machine joins when it is near. */
export interface SavedNetwork {
  kind: Kind;
  /** without being asked */
  joins: boolean;
}

/** `key-mgmt` of nm-settings-keyfile(5); `none` is WEP, and so is `ieee8021x`: an open network has no section at all. */
const KEY_MANAGEMENT = new Map<string, Kind>([
  ['none', 'wep'],
  ['ieee8021x', 'wep'],
  ['owe', 'owe'],
  ['wpa-psk', 'wpa_psk'],
  ['sae', 'sae'],
  ['wpa-eap', 'eap'],
  ['wpa-eap-suite-b-192', 'eap'],
]);

/** A file of NetworkManager's. @returns undefined where it is about no wireless network, or about one that this machine gives to others */
export function parseKeyfile(text: string): SavedNetwork | undefined {
  const sections = parseSections(text);
  const section = (name: string) => sections.get(name) ?? sections.get(`802-11-${name.replace('wifi', 'wireless')}`);
  const type = sections.get('connection')?.get('type');
  if (type !== 'wifi' && type !== '802-11-wireless') return undefined;
  if (section('wifi')?.get('mode') === 'ap') return undefined;
  const security = section('wifi-security');
  return {
    kind: security === undefined ? 'open' : (KEY_MANAGEMENT.get(security.get('key-mgmt') ?? '') ?? 'other'),
    joins: sections.get('connection')?.get('autoconnect') !== 'false',
  };
}

/** iwd.network(5): the file's name ends in the kind, and it joins what is known unless told otherwise. @param text of the file */
export function parseIwdNetwork(name: string, text: string): SavedNetwork | undefined {
  const ending = /\.(open|psk|8021x)$/.exec(name)?.[1];
  if (ending === undefined) return undefined;
  const kind = ending === 'open' ? 'open' : ending === 'psk' ? 'wpa_psk' : 'eap';
  return { kind, joins: parseSections(text).get('Settings')?.get('AutoConnect') !== 'false' };
}

/** The `network={…}` blocks of wpa_supplicant.conf(5). */
export function parseSupplicant(text: string): SavedNetwork[] {
  const networks: SavedNetwork[] = [];
  let open: Map<string, string> | undefined;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (/^network\s*=\s*\{/.test(line)) open = new Map();
    else if (line === '}' && open !== undefined) {
      if (open.get('mode') !== '2') networks.push({ kind: kindOfBlock(open), joins: open.get('disabled') !== '1' });
      open = undefined;
    } else {
      const [, key, value] = /^(\w+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (key !== undefined && value !== undefined) open?.set(key, value);
    }
  }
  return networks;
}

/** The weakest of those that are allowed counts; without a word they are WPA-PSK and WPA-EAP. */
function kindOfBlock(block: ReadonlyMap<string, string>): Kind {
  const words = (block.get('key_mgmt') ?? 'WPA-PSK').split(/\s+/);
  if (words.includes('NONE')) return [...block.keys()].some((key) => key.startsWith('wep_key')) ? 'wep' : 'open';
  if (words.includes('IEEE8021X')) return 'wep';
  if (words.includes('OWE')) return 'owe';
  if (words.some((word) => word.endsWith('-PSK') || word.startsWith('WPA-PSK'))) return 'wpa_psk';
  if (words.some((word) => word.endsWith('SAE'))) return 'sae';
  return words.some((word) => word.includes('EAP')) ? 'eap' : 'other';
}

/** Of the network that a machine is in. The numbers are WPA's. */
export type Link =
  | 'none'
  | 'open'
  | 'owe'
  | 'wep'
  | 'wpa1'
  | 'wpa2'
  | 'wpa3'
  | 'wpa1_eap'
  | 'wpa2_eap'
  | 'wpa3_eap'
  | 'other';

/**
 * `nmcli -t -f IN-USE,SECURITY device wifi list`: `*:WPA2 802.1X`; nothing behind the colon is an open network. Where a network offers
 * several (`WPA1 WPA2`), NetworkManager takes the best.
 * @returns of each network that a card of this machine is in
 */
export function parseNmcli(output: string): Link[] {
  return output.split('\n').flatMap((line) => {
    const security = /^\*:(.*)$/.exec(line.trim())?.[1];
    return security === undefined ? [] : [linkOf(security.split(/[\s,]+/))];
  });
}

function linkOf(words: readonly string[]): Link {
  const version = ['WPA3', 'WPA2', 'WPA1'].find((word) => words.includes(word));
  const eap = words.includes('802.1X');
  if (version === 'WPA3') return eap ? 'wpa3_eap' : 'wpa3';
  if (version === 'WPA2') return eap ? 'wpa2_eap' : 'wpa2';
  if (version === 'WPA1') return eap ? 'wpa1_eap' : 'wpa1';
  if (words.includes('WEP')) return 'wep';
  if (words.some((word) => word.startsWith('OWE'))) return 'owe';
  return words.every((word) => word === '' || word === '--') ? 'open' : 'other';
}

/** `wpa_cli status`: `key_mgmt=` of the link, and `wpa_state=COMPLETED` where there is one. */
export function parseWpaStatus(output: string): Link | undefined {
  const fields = new Map(
    output.split('\n').flatMap((line) => {
      const [, key, value] = /^(\w+)=(.*)$/.exec(line.trim()) ?? [];
      return key === undefined || value === undefined ? [] : [[key, value]];
    }),
  );
  const state = fields.get('wpa_state');
  if (state === undefined) return undefined;
  return state === 'COMPLETED'
    ? linkOfSupplicant(fields.get('key_mgmt') ?? '', fields.get('pairwise_cipher') ?? '')
    : 'none';
}

function linkOfSupplicant(management: string, cipher: string): Link {
  if (management === 'NONE') return cipher.startsWith('WEP') ? 'wep' : 'open';
  if (management === 'OWE') return 'owe';
  if (/SAE/.test(management)) return 'wpa3';
  if (/SUITE-B/.test(management)) return 'wpa3_eap';
  const [, version, kind] = /^(WPA2?).*(PSK|EAP|802\.1X)/.exec(management) ?? [];
  if (version === undefined) return management.includes('802.1X') ? 'wep' : 'other';
  if (kind === 'PSK') return version === 'WPA2' ? 'wpa2' : 'wpa1';
  return version === 'WPA2' ? 'wpa2_eap' : 'wpa1_eap';
}
