import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { noteChanges } from '../../src/audit/changes.ts';
import { findExpiring } from '../../src/audit/find-expiring.ts';
import { makeJudge } from '../../src/audit/judge.ts';
import { businessCalendar } from '../../src/core/business-time.ts';
import { days } from '../../src/core/duration.ts';
import { makeAuthority, makeServerCertificate } from '../../src/crypto/certificates.ts';
import { scratchFolder } from '../support/scratch.ts';
import { temporaryStore } from '../support/stores.ts';
import { realRandom } from '../support/world.ts';

const MADE = new Date('2026-03-02T10:00:00Z');

async function siteOf(t: ExecutionContext) {
  const store = await temporaryStore(t);
  const folder = await scratchFolder(t);
  const world = { now: MADE, random: realRandom };
  const authority = await makeAuthority(world, 'test');
  const { certificate } = await makeServerCertificate(world, authority, ['localhost']);
  const file = join(folder, 'server.crt');
  await writeFile(file, certificate);
  const calendar = businessCalendar({ timeZone: 'UTC', days: ['mon'], from: '09:00', to: '17:00', holidays: [] });
  const deps = {
    ...{ store, calendar, judge: makeJudge([]), checks: [], problems: [], remarks: [] },
    ...{ clock: { now: () => MADE }, signal: new AbortController().signal },
  };
  return {
    file,
    ends: new Date(new X509Certificate(certificate).validTo),
    async look(at: Date, certificates = [{ port: 8443, file }]) {
      const changes = noteChanges();
      const problems = await findExpiring({ ...deps, certificates }, at, changes);
      return { problems, opened: changes.opened, closed: changes.closed };
    },
  };
}

const ISSUE = { hostname: 'server-port-8443', name: 'expiring-certificate' };
const before = (end: Date, duration: number) => new Date(end.getTime() - duration);

test("a port's certificate that ends within 7 days is an issue of that port", async (t) => {
  const { look, ends } = await siteOf(t);
  t.deepEqual(await look(before(ends, days(7) + 1)), { problems: [], opened: [], closed: [] });
  t.deepEqual(await look(before(ends, days(7))), { problems: [], opened: [ISSUE], closed: [] });
  t.deepEqual(
    await look(before(ends, days(-1))),
    { problems: [], opened: [], closed: [] },
    'it has ended, and is open already',
  );
});

test('a new certificate closes it, and so does a port that is gone', async (t) => {
  const { look, ends, file } = await siteOf(t);
  await look(ends);
  t.deepEqual((await look(MADE)).closed, [ISSUE]);
  await look(ends);
  t.deepEqual((await look(ends, [{ port: 9443, file }])).closed, [ISSUE]);
});

test('one of the chain that ends soon is enough', async (t) => {
  const { look, ends, file } = await siteOf(t);
  const { certificate } = await makeAuthority({ now: MADE, random: realRandom }, 'other');
  const text = [certificate, await readFile(file, 'utf8')].join('\n');
  await writeFile(file, text);
  t.deepEqual((await look(before(ends, days(6)))).opened, [ISSUE]);
});

test('any of several certificates of one port that ends soon is enough, and the others do not close it', async (t) => {
  const { look, ends, file } = await siteOf(t);
  const { certificate } = await makeAuthority({ now: MADE, random: realRandom }, 'ends later');
  await writeFile(`${file}.other`, certificate);
  const both = [
    { port: 8443, file: `${file}.other` },
    { port: 8443, file },
  ];
  t.deepEqual((await look(before(ends, days(6)), both)).opened, [ISSUE]);
  t.deepEqual((await look(before(ends, days(6)), both.toReversed())).closed, []);
  t.deepEqual((await look(MADE, both)).closed, [ISSUE]);
});

test('a certificate that cannot be read is a problem, and leaves the issue as it is', async (t) => {
  const { look, ends, file } = await siteOf(t);
  await look(ends);
  await writeFile(file, 'no certificate');
  const { problems, closed } = await look(MADE);
  t.deepEqual(closed, []);
  t.is(problems.length, 1);
  t.regex(
    problems[0] ?? '',
    /^cannot tell when the certificate of port 8443 ends: .*server\.crt: it holds no certificate in PEM$/,
  );
});
