import type { FactDoc } from '../doc.ts';
import { battery } from './battery.ts';
import { identity } from './identity.ts';

const OUTPUT = {
  'debian-12': 'output',
  'debian-13': 'output',
  ubuntu: 'output',
  arch: 'output',
  fedora: 'output',
} as const;

export const hardwareDocs: readonly FactDoc[] = [
  {
    fact: battery,
    tells:
      'how much the batteries still hold of what they held when new: `good` from 80 %, `fair` from 60 %, else `worn`; a class is kept until it is missed by 3 points. Left out without a battery',
    reads: ['`/sys/class/power_supply`'],
    shape: '[{name, health: "good" | "fair" | "worn" | "unknown"}]',
    cost: '1 ms',
    tested: OUTPUT,
    sources: ['power_supply class of the kernel documentation (ABI/testing/sysfs-class-power)'],
  },
  {
    fact: identity,
    tells:
      'vendor, product, serial number and asset tag, as the firmware has them; what its maker left blank ("To be filled by O.E.M.") is left out, and all of it where the firmware tells nothing',
    reads: ['`/sys/class/dmi/id`'],
    root: '`serial` is `unknown`',
    shape: '{vendor?, product?, serial?, asset_tag?}',
    cost: '1 ms',
    tested: OUTPUT,
    sources: ['DMTF SMBIOS (DSP0134)', 'dmidecode(8)'],
  },
];
