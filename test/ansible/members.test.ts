import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { hasAnsible, playHere } from './support/play-here.ts';

const withAnsible = whenPresent(hasAnsible, 'which members the server is told of is looked at with ansible');
/** Nothing listens there. */
const GONE = { ansible_connection: 'ssh', ansible_host: '127.0.0.1', ansible_port: 1 };

withAnsible(
  'the server is told of its database by any member that is there, and never with a secret in what is printed',
  async (t) => {
    const folder = await scratchFolder(t);
    await mkdir(join(folder, 'secrets'));
    const plan = { name: 'rs0', members: ['db1:27017', 'db2:27017', 'db3:27017'], user: 'penguindome', database: 'pd' };
    await writeFile(join(folder, 'set.json'), JSON.stringify(plan));
    await writeFile(join(folder, 'ca.crt'), 'of-the-database');
    await writeFile(join(folder, 'secrets/server-password'), 'of-the-server');
    const play = join(folder, 'play.yml');
    const role = { name: 'penguindome_mongodb', tasks_from: 'client' };
    const right =
      'penguindome_server_mongodb_password == "of-the-server" and penguindome_mongodb_ca == "of-the-database"';
    const tasks = [
      { 'ansible.builtin.include_role': role },
      { 'ansible.builtin.debug': { msg: '{{ penguindome_server_store.hosts }}' } },
      { 'ansible.builtin.assert': { that: right, quiet: true } },
    ];
    await writeFile(play, stringify([{ hosts: 'penguindome_server', tasks }]));
    const groups = { penguindome_mongodb: ['db1', 'db2', 'db3'], penguindome_server: ['dome'] };
    const run = (hostVars: Record<string, Record<string, unknown>>, args: string[] = []) =>
      playHere(t, play, { groups, hostVars, vars: { penguindome_mongodb_folder: folder }, args });
    const two = await run({ db1: GONE }, ['-vvv']);
    t.is(two.status, 0, two.said);
    t.regex(two.said, /db1:27017[\s\S]*db2:27017[\s\S]*db3:27017/);
    t.false(two.said.includes(Buffer.from('of-the-server').toString('base64')), 'no secret is told');
    const none = await run({ db1: GONE, db2: GONE, db3: GONE });
    t.not(none.status, 0);
    t.regex(none.said, /Ansible reaches none of the members db1, db2, db3/);
  },
);
