import { chown, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openEmbedded } from '../../../src/store/embedded/open-embedded.ts';
import { whenPresent } from '../../support/needs.ts';
import { scratchFolder } from '../../support/scratch.ts';
import { realClock, realRandom } from '../../support/world.ts';

const asRoot = whenPresent(process.getuid?.() === 0, 'files of another user need root');

asRoot('what root makes for a store belongs to whom the folder around it does', async (t) => {
  const folder = join(await scratchFolder(t), 'state');
  await mkdir(folder);
  await chown(folder, 12_345, 12_346);
  const file = join(folder, 'store/deeper/dome.db');
  const store = await openEmbedded(file, { clock: realClock, random: realRandom });
  for (const [path, mode] of [
    ['store', 0o750],
    ['store/deeper', 0o750],
    ['store/deeper/dome.db', 0o640],
    ['store/deeper/dome.db-wal', 0o640],
  ] as const) {
    const { uid, gid, mode: found } = await stat(join(folder, path));
    t.deepEqual([path, uid, gid, found & 0o777], [path, 12_345, 12_346, mode]);
  }
  await store.close();
});
