import test from 'ava';
import { hostAccess } from '../../../../src/agent/host-access.ts';
import { readElsewhere } from '../../../../src/agent/wipe/disks/read-elsewhere.ts';
import { realClock } from '../../../support/world.ts';

const MOUNTS = `27 1 8:1 / / rw - ext4 /dev/vda rw
30 27 0:25 / /home/alice/work rw - nfs4 server:/work rw,hard
31 27 0:26 / /home/alice/mine rw - fuse.sshfs x rw,user_id=1000,allow_other
32 27 0:27 / /net rw - autofs systemd-1 rw
33 27 0:28 / /data rw - f2fs /dev/vdb rw
`;

test('what is not on a disk of this machine is not looked into: it may never answer', async (t) => {
  const asked: string[] = [];
  const host = {
    ...hostAccess({ clock: realClock, uid: 0, home: '/', signal: new AbortController().signal }),
    readText: async () => MOUNTS,
    list: async (path: string) => {
      asked.push(path);
      return path.startsWith('/data/') ? ['a-policy'] : [];
    },
  };
  const said = await readElsewhere(host);
  t.deepEqual(asked.sort(), ['/.fscrypt/policies', '/data/.fscrypt/policies', '/var/lib/systemd/home']);
  t.true(said.includes('/data: what fscrypt encrypts keeps its keys'));
});
