import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { madeOnce } from './made-once.ts';
import { pack } from './packages.ts';

/** What packages are made of, with a Node for other distributions: once for all test files of a run. @returns its folder */
export async function makePayload(t: ExecutionContext): Promise<string> {
  t.timeout(600_000, 'the payload');
  const folder = await madeOnce(
    'payload',
    async (scratch) => void (await pack('payload', join(scratch, 'payload'), '--runtime')),
  );
  return join(folder, 'payload');
}

/** What is left of a Debian without its package manager, and without a Node. */
export const STRIP = `
  rm -rf /usr/bin/apt* /usr/bin/dpkg* /usr/sbin/dpkg* /usr/lib/apt /usr/lib/dpkg /var/lib/dpkg /var/lib/apt /etc/apt /etc/dpkg \\
    /usr/bin/node /usr/bin/nodejs
  for tool in apt apt-get dpkg pacman node; do
    if command -v $tool; then exit 1; fi
  done
`;

/** Importing a key asks for gpg-agent where it may, and this tree has gpg alone. */
export const NO_AGENT = 'install -d -m 700 /root/.gnupg; echo no-autostart >/root/.gnupg/gpg.conf';
