import test from 'ava';
import { siteInProcess } from './site-in-process.ts';

test('what the timer calls audits nothing where the settings say so; whoever calls the audit by hand has it', async (t) => {
  const site = await siteInProcess(t);
  t.regex(await site.ok('issues', 'audit', '--if-enabled'), /opened 0, closed 0/);
  await site.ok('settings', 'set', 'audit.enabled', 'false');
  t.is(await site.ok('issues', 'audit', '--if-enabled'), 'audit.enabled is false: nothing was audited\n');
  t.deepEqual(await site.json('issues', 'audit', '--if-enabled'), { enabled: false });
  t.regex(await site.ok('issues', 'audit'), /opened 0, closed 0/);
});
