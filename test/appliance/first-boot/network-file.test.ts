import test from 'ava';
import { parseAnswers } from '../../../appliance/first-boot/answers.ts';
import { networkFile } from '../../../appliance/first-boot/network-file.ts';

const LEAST = 'host_name: dome\nssh_keys: [ssh-ed25519 AAAA]\n';

test('with addresses there is no DHCP', (t) => {
  const text = `${LEAST}addresses: [192.0.2.10/24]\ngateways: [192.0.2.1]\nname_servers: [192.0.2.53]\n`;
  const file = networkFile(parseAnswers(text, 'f'));
  t.regex(file ?? '', /DHCP=no\nAddress=192\.0\.2\.10\/24\nGateway=192\.0\.2\.1\nDNS=192\.0\.2\.53\n/);
  t.regex(file ?? '', /\[DHCPv4\]\nUseHostname=no\n\n\[DHCPv6\]\nUseHostname=no\n$/);
});

test("without, the image's own file does it", (t) => {
  t.is(networkFile(parseAnswers(LEAST, 'f')), undefined);
});
