import { gzipSync } from 'node:zlib';
import { makeTar, type TarFile } from '../../wire/tar.ts';
import { makerOf, NAME, SETTINGS, type SitePackage, SUMMARY, sizeOf, withFolders } from './content.ts';

/** A Debian package (deb(5)): an ar of a version, and of two tars. */
export function makeDeb({ version, at, url, files }: SitePackage): Uint8Array {
  const control: TarFile[] = [
    { path: 'conffiles', mode: 0o644, content: Buffer.from(`/${SETTINGS}\n`) },
    { path: 'control', mode: 0o644, content: Buffer.from(controlOf(version, url, sizeOf(files))) },
  ];
  return makeAr(
    [
      ['debian-binary', Buffer.from('2.0\n')],
      ['control.tar.gz', packed(control, at)],
      ['data.tar.gz', packed(withFolders(files), at)],
    ],
    at,
  );
}

/**
 * Pre-Depends: the agent's units wait already when the token comes, so that it is used at once.
 * No maintainer scripts: dpkg gives a file its name when it is whole, and that is what penguindome-enroll.path waits for.
 */
function controlOf(version: string, url: string, size: number): string {
  return `Package: ${NAME}
Version: ${version}
Architecture: all
Maintainer: ${makerOf(url)}
Installed-Size: ${Math.ceil(size / 1024)}
Pre-Depends: penguindome-agent
Section: admin
Priority: optional
Description: ${SUMMARY}
 Says where this site's server is and what it is trusted by, and holds a token
 that lets this machine enrol with it, which the agent removes once it has.
`;
}

/** Named as dpkg-deb names them. */
function packed(files: readonly TarFile[], at: number): Uint8Array {
  const named = files.map((file) => ({ ...file, path: `./${file.path}` }));
  return gzipSync(makeTar([{ path: './', mode: 0o755, content: new Uint8Array() }, ...named], at), { level: 9 });
}

/** ar(5), with names of at most 15 bytes. */
function makeAr(members: readonly [name: string, content: Uint8Array][], at: number): Uint8Array {
  const parts = members.flatMap(([name, content]) => [
    Buffer.from(
      `${name.padEnd(16)}${`${at}`.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${`${content.length}`.padEnd(10)}\`\n`,
    ),
    content,
    Buffer.from(content.length % 2 === 0 ? '' : '\n'),
  ]);
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
