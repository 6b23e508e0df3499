import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { judgeSudoers } from '../../../../src/agent/collectors/accounts/judge-sudoers.ts';
import { logicalLines, parseSudoers } from '../../../../src/agent/collectors/accounts/parse-sudoers.ts';
import { whenPresent } from '../../../support/needs.ts';
import { scratchFolder } from '../../../support/scratch.ts';

const run = promisify(execFile);
const real = whenPresent(existsSync('/usr/bin/cvtsudoers'), 'cvtsudoers (sudo)');

/** What cvtsudoers(1) makes of a user specification, as far as we compare it. */
const converted = z.object({
  User_Specs: z.array(
    z.object({
      User_List: z.array(z.record(z.string(), z.unknown())),
      Cmnd_Specs: z.array(
        z.object({
          runasusers: z.array(z.record(z.string(), z.unknown())).optional(),
          Options: z.array(z.record(z.string(), z.unknown())).optional(),
          Commands: z.array(z.object({ command: z.string().optional(), negated: z.boolean().optional() })),
        }),
      ),
    }),
  ),
});

const FILES: Record<string, string> = {
  "Debian's own": `Defaults env_reset\nDefaults mail_badpass\nDefaults secure_path="/usr/local/sbin:/usr/local/bin"\nroot ALL=(ALL:ALL) ALL\n%sudo ALL=(ALL:ALL) ALL\n`,
  "cloud-init's": 'ubuntu ALL=(ALL) NOPASSWD:ALL\n# User rules for debian\ndebian ALL=(ALL) NOPASSWD:ALL\n',
  tags: 'alice ALL=(ALL) NOPASSWD: /bin/a, /bin/b, PASSWD: ALL\nbob ALL=(www) NOPASSWD: ALL, (root) ALL\ncarol ALL=NOEXEC: ALL\n',
  aliases:
    'User_Alias OPS = dave, %ops : MORE = erin, OPS\nCmnd_Alias ANY = ALL\nRunas_Alias TOP = root, #0\nMORE ALL=(TOP) NOPASSWD: ANY\n',
  lists:
    'alice,bob , #1000 ALL = (ALL) \\\n  NOPASSWD: \\\n ALL\n"%domain admins" ALL=(ALL) ALL\n%other\\ admins ALL=(ALL) NOPASSWD: ALL\n',
  forbidden: 'alice ALL=(ALL) NOPASSWD: ALL, !/bin/su, PASSWD: /bin/sh\nbob ALL=(ALL,!root) NOPASSWD: ALL\n',
  // With CWD= the cvtsudoers of Debian 12 (1.9.13) writes no valid JSON, which is one reason not to rely on it.
  digests:
    'alice ALL=(ALL) sha224:0GomF8mNN3wlDt1HD9XldjJ3SNgpFdbjO1+NsQ== /bin/ls, NOPASSWD: ALL\nbob ALL=(ALL) TIMEOUT=5m SETENV: ALL\n',
};

for (const [title, text] of Object.entries(FILES)) {
  real(`sudoers: ${title} are read as cvtsudoers reads them`, async (t) => {
    const file = join(await scratchFolder(t), 'sudoers');
    await writeFile(file, text, { mode: 0o440 });
    await run('/usr/sbin/visudo', ['-c', '-f', file]);
    const { stdout } = await run('/usr/bin/cvtsudoers', ['-e', '-f', 'json', file]);
    const expected = new Map<string, boolean>();
    for (const { User_List, Cmnd_Specs } of converted.parse(JSON.parse(stdout)).User_Specs) {
      for (const { runasusers = [{ username: 'root' }], Options = [], Commands } of Cmnd_Specs) {
        const targets = runasusers.filter(
          (each) => ['root', 'ALL'].includes(String(each['username'])) || each['userid'] === 0,
        );
        const root = targets.length > 0 && targets.every((each) => each['negated'] !== true);
        if (!root || !Commands.some(({ command, negated }) => command === 'ALL' && negated !== true)) continue;
        const password = !Options.some((option) => option['authenticate'] === false);
        for (const user of User_List) expected.set(nameOf(user), password);
      }
    }
    expected.delete('root');
    const { everything } = judgeSudoers(parseSudoers(logicalLines(text)), 'laptop');
    t.deepEqual(
      Object.fromEntries(everything.map(({ who, password }) => [who, password])),
      Object.fromEntries([...expected].sort()),
    );
    t.true(expected.size > 0);
  });
}

function nameOf(user: Record<string, unknown>): string {
  if (user['usergroup'] !== undefined) return `%${String(user['usergroup'])}`;
  return user['userid'] === undefined ? String(user['username']) : `#${String(user['userid'])}`;
}
