import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { accounts } from '../../../../src/agent/collectors/accounts/index.ts';
import { scratchFolder } from '../../../support/scratch.ts';
import { hostInFolder, memory, plant } from '../host-in-folder.ts';

const HOMES: Record<string, { mode: number; answer: { readable: string[]; writable: string[] } }> = {
  'is for its owner': { mode: 0o700, answer: { readable: [], writable: [] } },
  'is for its group too': { mode: 0o750, answer: { readable: [], writable: [] } },
  'can be passed through by everybody': { mode: 0o711, answer: { readable: [], writable: [] } },
  'can be read by everybody': { mode: 0o755, answer: { readable: ['alice'], writable: [] } },
  'can be written by everybody': { mode: 0o777, answer: { readable: ['alice'], writable: ['alice'] } },
};
for (const [title, { mode, answer }] of Object.entries(HOMES)) {
  test(`a home directory that ${title}`, async (t) => {
    const folder = await scratchFolder(t);
    await plant(folder, {
      '/etc/passwd':
        'root:x:0:0::/root:/bin/sh\ngames:x:5:60::/usr/games:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\nnobody:x:65534:65534::/nonexistent:/bin/sh\nkiosk:x:1002:1002::/:/bin/sh\n',
    });
    for (const path of ['home/alice', 'usr/games']) await mkdir(join(folder, path), { recursive: true });
    await chmod(join(folder, 'home/alice'), mode);
    await chmod(join(folder, 'usr/games'), 0o777);
    t.like(await accounts.collect(hostInFolder(t, folder), memory()), { home_permissions: answer });
  });
}
