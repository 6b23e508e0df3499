import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { isEverShown, namesOf, nameWithoutFirstKind, shownFor } from '../../src/crypto/shown-certificates.ts';
import { whenPresent } from '../support/needs.ts';
import { hasOpenssl, opensslCertificate } from '../support/openssl.ts';
import { scratchFolder } from '../support/scratch.ts';

const withOpenssl = whenPresent(hasOpenssl, 'which certificate is shown: no /usr/bin/openssl');

async function make(t: ExecutionContext, kind: 'ec' | 'rsa', ...names: string[]): Promise<X509Certificate> {
  const { certificate } = await opensslCertificate(await scratchFolder(t), { name: 'x', kind, names });
  return new X509Certificate(await readFile(certificate));
}

withOpenssl('the name decides first, then the kind of key; whoever asks for neither gets the first one', async (t) => {
  const first = await make(t, 'rsa', 'dome.example');
  const twin = await make(t, 'ec', 'dome.example', 'www.example');
  const other = await make(t, 'rsa', '*.other.example');
  const second = await make(t, 'ec', 'x.other.example');
  const all = [first, twin, other, second];
  const cases: [string | undefined, number[]][] = [
    [undefined, [0]],
    ['nobody.example', [0]],
    ['dome.example', [0, 1]],
    ['DOME.example', [0, 1]],
    ['www.example', [1]],
    ['y.other.example', [2]],
    ['x.other.example', [2, 3]],
    ['other.example', [0]],
  ];
  for (const [name, indices] of cases) t.deepEqual(shownFor(all, name), indices, name ?? 'no name');
  t.is(nameWithoutFirstKind(all), 'www.example', 'for which there is no RSA');
  t.is(nameWithoutFirstKind([first, other, second]), undefined);
  t.is(nameWithoutFirstKind([second, other]), 'a.other.example');
  t.deepEqual(namesOf(twin), ['dome.example', 'www.example']);
});

withOpenssl('one that has nothing of its own beside those before it is never shown', async (t) => {
  const first = await make(t, 'rsa', 'dome.example', '*.other.example');
  const again = await make(t, 'rsa', 'dome.example');
  const more = await make(t, 'rsa', 'dome.example', 'more.dome.example');
  const ec = await make(t, 'ec', 'dome.example');
  t.false(isEverShown([first, again], 1));
  t.true(isEverShown([again, first], 1));
  t.true(isEverShown([first, more], 1));
  t.true(isEverShown([first, ec], 1));
  t.false(isEverShown([first], 1));
});
