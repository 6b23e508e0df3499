import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { stringify } from 'yaml';
import { finish } from '../e2e/support/finish.ts';
import { whenPresent } from '../support/needs.ts';
import { scratchFolder } from '../support/scratch.ts';
import { hasAnsible, playHere } from './support/play-here.ts';

const withAnsible = whenPresent(hasAnsible, 'what playbooks print is looked at with ansible');

async function playTasks(t: ExecutionContext, tasks: unknown[], vars: Record<string, unknown>, verbose: boolean) {
  const file = join(await scratchFolder(t), 'play.yml');
  await writeFile(file, stringify([{ hosts: 'penguindome_server', tasks }]));
  const groups = { penguindome_server: ['dome'] };
  // The callback for machines prints all that a result holds, items of loops too.
  const all = { args: ['--check', '--diff', '-vvv'], env: { ANSIBLE_STDOUT_CALLBACK: 'json' } };
  return playHere(t, file, { groups, vars, ...(verbose ? all : {}) });
}

/** @returns PEM */
async function certificateAndKey(): Promise<{ certificate: string; key: string }> {
  const ask = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=given', '-keyout', '-'];
  const { stdout } = await finish('openssl', ask);
  const pem = (what: string) => new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----`).exec(stdout)?.[0] ?? '';
  return { certificate: pem('CERTIFICATE'), key: pem('PRIVATE KEY') };
}

/** Its lines, which is how it would stand in JSON too. */
const secretsOf = (key: string) => key.split('\n').slice(1, -1);

withAnsible(
  'nothing that is printed holds the key of a certificate that is given, whether it is taken or refused',
  async (t) => {
    const [one, other] = [await certificateAndKey(), await certificateAndKey()];
    t.true(secretsOf(one.key).length > 10);
    const role = [{ 'ansible.builtin.include_role': { name: 'penguindome_certificates' } }];
    const entry = (name: string, key: string) => ({ name, source: 'files', certificate: one.certificate, key });
    const wanted = { penguindome_certificates: [entry('one', one.key), entry('two', one.key)] };
    const taken = await playTasks(t, role, wanted, true);
    t.is(taken.status, 0, taken.said);
    t.regex(taken.said, /"penguindome_certificates_name": "two"/, 'the callback prints items of loops');

    const wrong = [entry('one', other.key)];
    const refused = await playTasks(t, role, { penguindome_certificates: wrong }, true);
    t.regex(refused.said, /one: its key is not the key of its certificate/);
    const misspelt = [{ ...entry('one', one.key), source: 'file' }];
    const invalid = await playTasks(t, role, { penguindome_certificates: misspelt }, true);
    t.regex(invalid.said, /value of source must be one of/);
    for (const { said } of [taken, refused, invalid])
      for (const line of [...secretsOf(one.key), ...secretsOf(other.key)]) t.false(said.includes(line), said);
  },
);

for (const [role, step] of [
  ['penguindome_agent', 'configure'],
  ['penguindome_mongodb', 'configure'],
  ['penguindome_server', 'configure'],
] as const) {
  withAnsible(`${role} tells which step failed, and not what a task said whose output is kept back`, async (t) => {
    const failing = (noLog: boolean) => ({
      block: [
        {
          name: 'Make a token',
          'ansible.builtin.command': { argv: ['sh', '-c', 'echo the-$0; echo on-$0-too >&2; exit 3', 'secret'] },
          loop: [1],
          no_log: noLog,
        },
      ],
      rescue: [
        {
          'ansible.builtin.include_role': { name: role, tasks_from: 'tell.yml' },
          vars: { [`${role}_step`]: step },
        },
      ],
    });
    const kept = await playTasks(t, [failing(true)], {}, false);
    t.not(kept.status, 0);
    t.regex(kept.said, /the step `configure` failed in .{0,2}Make a token/);
    t.regex(kept.said, /may hold a secret, and is not shown\. To see it, take `no_log`/);
    t.notRegex(kept.said, /the-secret|on-secret-too/);
    const told = await playTasks(t, [failing(false)], {}, false);
    t.regex(told.said, /^\s*on-secret-too$/m, told.said);
  });
}
