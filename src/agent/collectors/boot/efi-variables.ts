import type { HostAccess } from '../../collector.ts';

/** Where efivarfs is mounted (Documentation/filesystems/efivarfs.rst). */
export const EFIVARS = '/sys/firmware/efi/efivars';

export interface EfiVariable {
  /** kept by the firmware over restarts: anybody who was root once may have written it */
  persistent: boolean;
  contents: string;
}

/**
 * A variable of the firmware; efivarfs puts four bytes of attributes before its contents.
 * @param name with the vendor's GUID
 * @returns undefined where there is none
 * @throws where it may not be read
 */
export async function readEfiVariable(host: HostAccess, name: string): Promise<EfiVariable | undefined> {
  const text = await host.readText(`${EFIVARS}/${name}`);
  if (text === undefined) return undefined;
  // EFI_VARIABLE_NON_VOLATILE is bit 0 (UEFI specification, section 8.2).
  return { persistent: (text.charCodeAt(0) & 1) === 1, contents: text.slice(4) };
}
