import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { hasAnsible, playHere } from './support/play-here.ts';

const withAnsible = whenPresent(hasAnsible, 'what playbooks refuse is looked at with ansible');

withAnsible('two servers in one inventory are refused, and one is not', async (t) => {
  const play = join(await scratchFolder(t), 'play.yml');
  const role = { name: 'penguindome_server', tasks_from: 'preflight.yml' };
  const tasks = [{ 'ansible.builtin.include_role': role }];
  await writeFile(play, stringify([{ hosts: 'penguindome_server', tasks }]));
  const vars = { penguindome_server_host_names: ['dome.example.org'] };
  const refusal = /The group penguindome_server has 2 hosts \(dome, dome-2\)[\s\S]*Leave one of them in the group/;
  const two = await playHere(t, play, { groups: { penguindome_server: ['dome', 'dome-2'] }, vars });
  t.not(two.status, 0);
  t.regex(two.said, refusal);
  const one = await playHere(t, play, { groups: { penguindome_server: ['dome'] }, vars });
  t.regex(one.said, /TASK \[penguindome_server : The machine is one that/);
  t.notRegex(one.said, /Leave one of them/);
});

withAnsible('another keyfile than the one that the members have is refused, and the same one is not', async (t) => {
  const folder = await scratchFolder(t);
  await mkdir(join(folder, 'secrets'));
  await writeFile(join(folder, 'secrets/keyfile'), 'the-keyfile');
  const role = { name: 'penguindome_mongodb', tasks_from: 'preflight-keyfile.yml' };
  const play = join(folder, 'play.yml');
  await writeFile(play, stringify([{ hosts: 'all', tasks: [{ 'ansible.builtin.include_role': role }] }]));
  const groups = { penguindome_mongodb: ['db'] };
  const run = (keyfile: string) =>
    playHere(t, play, {
      groups,
      vars: { penguindome_mongodb_folder: folder, penguindome_mongodb_keyfile: keyfile },
    });
  const same = await run('the-keyfile');
  t.is(same.status, 0, same.said);
  const other = await run('another-one');
  t.not(other.status, 0);
  t.regex(other.said, /penguindome_mongodb_keyfile is another one[\s\S]*Leave the variable out/);
  t.notRegex(other.said, /the-keyfile|another-one/);
});
