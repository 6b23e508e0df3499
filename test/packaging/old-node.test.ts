import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { whenPresent } from '../support/needs.ts';

const node = process.env['PENGUINDOME_TEST_NODE18'];
const onNode18 = whenPresent(node !== undefined, 'programs on a Node that is too old: no Node 18.19');

for (const program of ['penguindome', 'penguindome-server'])
  onNode18(`${program} on a Node that is too old says which it takes, and how to get one`, (t) => {
    const { status, stdout, stderr } = spawnSync(node ?? '', [resolve('build', program), '--version'], {
      encoding: 'utf8',
    });
    t.is(stdout, '');
    t.is(
      stderr,
      `${program}: cannot run: this Node (${node}) is 18.19.1, and it takes 20.19 or newer; install the package penguindome-runtime, or a newer nodejs\n`,
    );
    t.is(status, 69);
  });
