import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { makeTar, type TarFile } from '../../wire/tar.ts';
import { makerOf, NAME, SETTINGS, type SitePackage, SUMMARY, sizeOf, withFolders } from './content.ts';

/**
 * Arch starts nothing by itself, and this package is there to do it. Once: who stops the agent afterwards is not overruled by an upgrade.
 * After the hooks of systemd (their names begin with digits), which make the agent's users and folders.
 */
const HOOK = `# The agent enrols without a question where this package comes to a machine.
[Trigger]
Type = Package
Operation = Install
Target = ${NAME}

[Action]
Description = Starting the PenguinDome agent...
When = PostTransaction
Exec = /usr/bin/systemctl enable --now penguindome-agent.target
`;

/** An Arch package: a tar of what is installed, behind what pacman is to know of it. */
export function makeArch({ version, at, url, files }: SitePackage): Uint8Array {
  const hook = { path: `usr/share/libalpm/hooks/${NAME}.hook`, mode: 0o644, content: Buffer.from(HOOK) };
  const all = withFolders([...files, hook]);
  const info = { path: '.PKGINFO', mode: 0o644, content: Buffer.from(infoOf(version, url, at, sizeOf(all))) };
  const list = gzipSync(mtreeOf([info, ...all], at), { level: 9 });
  return gzipSync(makeTar([{ path: '.MTREE', mode: 0o644, content: list }, info, ...all], at), { level: 9 });
}

function infoOf(version: string, url: string, at: number, size: number): string {
  return `pkgname = ${NAME}
pkgbase = ${NAME}
xdata = pkgtype=pkg
pkgver = ${version}-1
pkgdesc = ${SUMMARY}
builddate = ${at}
packager = ${makerOf(url)}
size = ${size}
arch = any
backup = ${SETTINGS}
depend = penguindome-agent
`;
}

/** mtree(5): what `pacman -Qkk` compares files with; before pacman 6.1 that was their MD5. */
function mtreeOf(files: readonly TarFile[], at: number): string {
  const lines = files.map(({ path, mode, content }) => {
    const about = `./${path.replace(/\/$/, '')} time=${at}.0 mode=${mode.toString(8)}`;
    if (path.endsWith('/')) return `${about} type=dir`;
    const digest = (kind: 'md5' | 'sha256') => `${kind}digest=${createHash(kind).update(content).digest('hex')}`;
    return `${about} size=${content.length} ${digest('md5')} ${digest('sha256')}`;
  });
  return ['#mtree', '/set type=file uid=0 gid=0', ...lines, ''].join('\n');
}
