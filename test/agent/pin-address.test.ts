import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { pinAddress } from '../../src/agent/pin-address.ts';
import { scratchFolder } from '../support/scratch.ts';
import { enrolledMachine, newMachine } from './support/machine.ts';
import { startSite } from './support/site.ts';

async function pinned(t: ExecutionContext, url: string, addresses: string[]): Promise<string[]> {
  const folder = await scratchFolder(t);
  const [dropIn, resolvers] = [join(folder, 'unit.d/50-pin-address.conf'), join(folder, 'resolv.conf')];
  await writeFile(
    resolvers,
    '# nameserver 192.0.2.1\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nsearch example.org\n',
  );
  t.deepEqual(await pinAddress({ url, dropIn, resolvers, lookup: async () => addresses }), [...addresses].sort());
  return (await readFile(dropIn, 'utf8')).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('a server that is known by a name is pinned to its addresses, and names may still be asked for', async (t) => {
  t.deepEqual(await pinned(t, 'https://dome.example.org:8443', ['2001:db8::7', '192.0.2.7']), [
    '[Service]',
    'IPAddressAllow=192.0.2.7',
    'IPAddressAllow=2001:db8::7',
    'IPAddressAllow=192.0.2.53',
    'IPAddressAllow=fe80::1',
    'IPAddressDeny=any',
  ]);
});

test('of a server that is known by its address nothing else is reached', async (t) => {
  t.deepEqual(await pinned(t, 'https://[2001:db8::7]:8443', ['2001:db8::7']), [
    '[Service]',
    'IPAddressAllow=2001:db8::7',
    'IPAddressDeny=any',
  ]);
});

test('a name that cannot be resolved now pins nothing, and is tried again', async (t) => {
  const dropIn = join(await scratchFolder(t), 'x.conf');
  const lookup = async () => {
    throw new Error('ENOTFOUND');
  };
  const error = await t.throwsAsync(pinAddress({ url: 'https://dome.example.org', dropIn, lookup }));
  t.regex(error.message, /cannot pin the address of dome\.example\.org: ENOTFOUND/);
  await t.throwsAsync(readFile(dropIn));
});

test('an agent below one folder has no unit to pin, and says so before it enrols', async (t) => {
  const site = await startSite(t);
  const machine = await newMachine(t);
  const said = await machine.feed(await site.token(), 'enroll', '--pin-address');
  t.is(said.status, 2);
  t.regex(said.err, /cannot pin the server's address/);
  t.is((await machine.run('submit')).status, 3, 'it is not enrolled');
  t.is((await (await enrolledMachine(t, site)).run('collect')).status, 0);
});
