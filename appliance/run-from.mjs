import { join } from 'node:path';
import { output } from '../packaging/package/output.mjs';

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';

/**
 * Runs a program of Debian 13 on this machine's files, with the libraries that belong to it.
 * @param root the system's tree
 * @param folder where the program is unpacked, with further libraries maybe
 */
export function runFrom(root, program, args, { epoch, folder = root }) {
  const loader = join(root, 'usr/lib64/ld-linux-x86-64.so.2');
  const libraries = [folder, root].map((each) => join(each, LIBRARIES)).join(':');
  return output(loader, ['--library-path', libraries, join(folder, program), ...args], {
    env: {
      PATH: process.env.PATH,
      LC_ALL: 'C',
      TZ: 'UTC',
      SOURCE_DATE_EPOCH: String(epoch),
      MKE2FS_CONFIG: join(root, 'etc/mke2fs.conf'),
    },
  });
}
