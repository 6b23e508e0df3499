import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn } from '../lenient.ts';
import { readEfiVariable } from './efi-variables.ts';
import { grantsSuperusers, hasGrubPassword, hasUserPassword, isEditorOff } from './parse-bootloader.ts';

/** Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE). */
const LOADER_INFO = 'LoaderInfo-4a67b082-0a4c-47cf-b6c7-442aeb8c864c';

export const bootloader: Fact = {
  name: 'bootloader',
  look: async (host: HostAccess) => {
    const loader = (await startedBy(host)) ?? (await installed(host));
    if (loader === undefined) return unknown('neither GRUB nor systemd-boot has its settings below /boot or /efi');
    if (loader === 'both')
      return {
        loader: unknown('GRUB and systemd-boot are there'),
        protected: unknown('one of them starts the machine'),
      };
    return { loader, protected: await (loader === 'grub' ? grubIsProtected(host) : systemdBootIsProtected(host)) };
  },
};

type Loader = 'grub' | 'systemd-boot';

/** What started the machine this time, where it told the firmware: systemd-boot does, and GRUB since 2.12 with its module bli. */
async function startedBy(host: HostAccess): Promise<Loader | undefined> {
  const info = (await readEfiVariable(host, LOADER_INFO).catch(() => undefined))?.contents.replaceAll('\0', '') ?? '';
  if (info.startsWith('systemd-boot')) return 'systemd-boot';
  return info.startsWith('GRUB') ? 'grub' : undefined;
}

async function installed(host: HostAccess): Promise<Loader | 'both' | undefined> {
  const grub = await firstText(host, await grubFolders(host), 'grub.cfg');
  const systemd = await firstText(host, LOADER_FOLDERS, 'loader.conf');
  if (grub !== undefined && systemd !== undefined) return 'both';
  return grub !== undefined ? 'grub' : systemd !== undefined ? 'systemd-boot' : undefined;
}

const LOADER_FOLDERS = ['/efi/loader', '/boot/loader', '/boot/efi/loader'];

/** Fedora and RHEL once kept all of it on the EFI partition; now there is a file there that leads to the other, without menu entries. */
async function grubFolders(host: HostAccess): Promise<string[]> {
  const vendors = ((await namesIn(host, '/boot/efi/EFI')) ?? []).map((name) => `/boot/efi/EFI/${name}`);
  return ['/boot/grub', '/boot/grub2', ...vendors];
}

interface Found {
  folder: string;
  text: string;
}

/** @throws where a file is there that may not be read: nothing can be said then */
async function firstText(host: HostAccess, folders: readonly string[], name: string): Promise<Found | undefined> {
  for (const folder of folders) {
    const text = await host.readText(`${folder}/${name}`);
    if (text !== undefined) return { folder, text };
  }
  return undefined;
}

async function grubIsProtected(host: HostAccess): Promise<unknown> {
  const found = await firstText(host, await grubFolders(host), 'grub.cfg');
  if (found === undefined) return unknown('GRUB started the machine, but its grub.cfg is not where we look');
  const user = await host.readText(`${found.folder}/user.cfg`);
  if (user !== undefined && hasUserPassword(user) && found.text.includes('GRUB2_PASSWORD')) return true;
  // 41_custom reads it, if it is there.
  const custom = found.text.includes('/custom.cfg') ? await host.readText(`${found.folder}/custom.cfg`) : undefined;
  const granted = grantsSuperusers(`${found.text}\n### BEGIN custom.cfg ###\n${custom ?? ''}`);
  if (granted === 'sometimes') return unknown('superusers is set under a condition');
  if (granted === 'always') return true;
  return (await isPending(host)) ? unknown('a password is set in /etc/grub.d, but grub.cfg was not made again') : false;
}

/** What update-grub would put into grub.cfg the next time. */
async function isPending(host: HostAccess): Promise<boolean> {
  for (const name of (await namesIn(host, '/etc/grub.d')) ?? []) {
    if (/~$|^README|\.(?:dpkg|rpm|pac)/.test(name)) continue;
    if (hasGrubPassword((await host.readText(`/etc/grub.d/${name}`)) ?? '')) return true;
  }
  return false;
}

async function systemdBootIsProtected(host: HostAccess): Promise<unknown> {
  const found = await firstText(host, LOADER_FOLDERS, 'loader.conf');
  return found === undefined
    ? unknown('systemd-boot started the machine, but its loader.conf is not where we look')
    : isEditorOff(found.text);
}
