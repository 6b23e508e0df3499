import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { factsOf } from '../lenient.ts';
import { EFIVARS, readEfiVariable } from './efi-variables.ts';

const GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c';
const SHIM = '605dab50-e046-4300-abb6-3dd810dd8b23';

export const secureBoot: Fact = {
  name: 'secure_boot',
  look: async (host: HostAccess) => {
    if ((await factsOf(host, '/sys/firmware/efi')) === undefined) return withoutEfi(host);
    const variables = await host.list(EFIVARS);
    if (variables === undefined || variables.length === 0) return unknown(`efivarfs is not mounted at ${EFIVARS}`);
    const enabled = (await readEfiVariable(host, `SecureBoot-${GLOBAL}`))?.contents.charCodeAt(0);
    if (enabled === undefined) return 'unsupported';
    if (enabled !== 0 && enabled !== 1) return unknown('cannot make out what the firmware says');
    if (enabled === 0) return (await flag(host, `SetupMode-${GLOBAL}`)) ? 'setup-mode' : 'off';
    return (await shimIsLenient(host)) ? 'not-enforced' : 'on';
  },
};

/** Where even /sys/firmware is not to be seen (containers), nothing can be said. */
async function withoutEfi(host: HostAccess): Promise<unknown> {
  const firmware = await host.list('/sys/firmware');
  return firmware === undefined || firmware.length === 0 ? unknown('/sys/firmware is not to be seen') : 'no-efi';
}

async function flag(host: HostAccess, name: string): Promise<boolean> {
  return (await readEfiVariable(host, name))?.contents.charCodeAt(0) === 1;
}

/**
 * After `mokutil --disable-validation` shim starts anything, while the firmware still says that Secure Boot is on. As the kernel does
 * (efi_get_secureboot), one that was not made at this start is not believed.
 */
async function shimIsLenient(host: HostAccess): Promise<boolean> {
  const state = await readEfiVariable(host, `MokSBStateRT-${SHIM}`);
  return state !== undefined && !state.persistent && state.contents.charCodeAt(0) === 1;
}
