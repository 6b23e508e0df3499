import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';

const CLASS = '/sys/class/tpm';
const TABLES = '/sys/firmware/acpi/tables';

export const tpm: Fact = {
  name: 'tpm',
  look: async (host: HostAccess) => {
    const found = (await namesIn(host, CLASS)) ?? [];
    const chip = found.find((name) => /^tpm\d+$/.test(name));
    if (chip !== undefined) return versionOf(host, chip);
    // A driver that is missing or failed is no missing chip: the firmware lists what the board has.
    const tables = await namesIn(host, TABLES);
    if (tables === undefined) return unknown('the kernel shows no TPM, and no list of what the firmware has');
    const listed = tables.find((name) => name === 'TPM2' || name === 'TCPA');
    return listed === undefined ? 'none' : unknown(`the firmware lists a TPM (${listed}), but the kernel shows none`);
  },
};

async function versionOf(host: HostAccess, chip: string): Promise<unknown> {
  const major = (await textOf(host, `${CLASS}/${chip}/tpm_version_major`))?.trim();
  if (major === '2') return '2.0';
  if (major === '1') return '1.2';
  // Kernels before 5.6: only a chip of the old kind has `caps` ("TCG version: 1.2").
  const caps = await textOf(host, `${CLASS}/${chip}/device/caps`);
  return caps?.includes('TCG version: 1.2') ? '1.2' : unknown(`cannot make out the version of ${chip}`);
}
