import type { Plan } from '../plan.ts';
import type { DiskFacts, HeaderFacts } from './disk-facts.ts';

export interface ErasePlan extends Plan {
  /** in the order in which they are erased */
  headers: HeaderFacts[];
}

const OUT_OF_REACH = [
  'backups of LUKS headers that are kept elsewhere: with one of them, and a passphrase of its time, everything can be read again',
  'copies of keys and data in memory, until the power is off',
];

/** Pure: facts to sentences and an order. */
export function planErase(facts: DiskFacts): ErasePlan {
  const headers = facts.headers.filter(({ removable }) => !removable).sort(byOrder);
  const spared = facts.headers.filter(({ removable }) => removable);
  const will = [
    'look for volumes that are not active (LVM, RAID), and take what is on them along',
    ...headers.map((header) => `erase all key slots of ${describe(header)}`),
    'power the machine off',
  ];
  const cannot = [
    ...spared.map(
      ({ path }) =>
        `${path} is on a disk that can be pulled out, and that the system does not run from: it is left alone`,
    ),
    ...facts.withoutHeader.map(
      (name) =>
        `the header of /dev/mapper/${name} is not on this machine: the volume stays readable for whoever has it`,
    ),
    ...facts.missing.map((path) => `the header ${path}, which /etc/crypttab names, is not to be seen`),
    ...facts.otherMappings.map(
      ({ name, kind }) => `/dev/mapper/${name} is of the kind ${kind}, which has no key slots: its key decides`,
    ),
    ...facts.plain.map((what) => `${what} is not encrypted, and stays readable`),
    ...facts.elsewhere,
    ...OUT_OF_REACH,
  ];
  const plan: ErasePlan = { method: 'crypto-erase', will, cannot, headers };
  if (headers.length > 0) return plan;
  return { ...plan, will: [], refused: 'no disk of this machine holds a LUKS header: there is nothing to erase' };
}

/** Headers that are files of the running system before devices, what the system itself runs from last. */
function byOrder(a: HeaderFacts, b: HeaderFacts): number {
  const rank = ({ system, isFile }: HeaderFacts) => (system ? 2 : isFile ? 0 : 1);
  return rank(a) - rank(b) || (a.path < b.path ? -1 : 1);
}

function describe({ path, version, open, isFile, system }: HeaderFacts): string {
  const remarks = [
    `LUKS ${version}`,
    ...(isFile ? ['a header in a file'] : []),
    ...(open.length === 0 ? ['not open'] : [`open as ${open.join(', ')}`]),
    ...(system ? ['the running system is on it: last'] : []),
  ];
  return `${path} (${remarks.join('; ')})`;
}
