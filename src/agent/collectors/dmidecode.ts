import { seconds } from '../../core/duration.ts';
import { type Collector, UNKNOWN } from '../collector.ts';

const SECTION = 'System Information';

export const dmidecode = {
  name: 'dmidecode',
  describe: 'what the firmware says of the hardware',
  timeout: seconds(30),
  collect: async (host) => {
    const program = await host.find('dmidecode');
    if (program === undefined) return UNKNOWN;
    const { code, stdout } = await host.run(program, [], { timeout: seconds(20) });
    return (code === 0 ? parseDmidecode(stdout) : undefined) ?? UNKNOWN;
  },
} satisfies Collector;

/**
 * Sections are parted by empty lines: a handle, a title, and `\tField: value` each, which lines with two tabs continue.
 * @returns undefined where there is no section of that title, as without a firmware that tells (virtual machines, containers, ARM boards)
 */
export function parseDmidecode(output: string): Record<string, unknown> | undefined {
  const section = output.split('\n\n').find((each) => each.split('\n').includes(SECTION));
  if (section === undefined) return undefined;
  const fields = [...section.matchAll(/\n\t(\w[^:\n]*):[ \t]*((?:.*\S)?(?:\n\t\t.*\S)*)/g)]
    .map(([, field = '', value = '']) => [field, value.trim()])
    .filter(([, value]) => value !== '' && value !== 'Not Applicable');
  return { full: output, [SECTION]: Object.fromEntries(fields) };
}
