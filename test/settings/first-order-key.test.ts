import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import { readFirstOrderKey } from '../../src/settings/first-order-key.ts';
import { scratchFolder } from '../support/scratch.ts';

test('the first order key is read where there is one, and nothing that is not just that', async (t) => {
  const keys = await scratchFolder(t);
  t.is(await readFirstOrderKey({ keys }), undefined);
  const { publicKey, secretKey } = await generateOrderKey({ userId: 'x', createdAt: new Date() });
  const file = join(keys, 'order-public.asc');
  await writeFile(file, publicKey);
  t.is(await readFirstOrderKey({ keys }), publicKey);
  for (const wrong of ['', 'x', secretKey, publicKey + secretKey, publicKey + publicKey, publicKey.slice(0, 100)]) {
    await writeFile(file, wrong);
    await t.throwsAsync(
      readFirstOrderKey({ keys }),
      { message: /^cannot use .*order-public\.asc: / },
      wrong.slice(0, 40),
    );
  }
});
