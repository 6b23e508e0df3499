import type { SupportEnd } from './support-ends.ts';

/**
 * One release of distro-info-data's CSV (/usr/share/distro-info/debian.csv, ubuntu.csv): `eol` is the makers' own end, `eol-lts` that of
 * Debian's long-term support, `eol-esm` that of Ubuntu Pro. The paid ones beyond (`eol-elts`, `eol-legacy`) are for nobody in general.
 * @param version as in VERSION_ID; the file has `24.04 LTS` too
 */
export function parseDistroInfo(csv: string, version: string): (SupportEnd & { esm?: string }) | undefined {
  const [header = '', ...lines] = csv.split(/\r?\n/);
  const columns = header.split(',');
  for (const line of lines) {
    const cells = line.split(',');
    const cell = (name: string) => {
      const text = cells[columns.indexOf(name)] ?? '';
      return text === '' ? undefined : text;
    };
    if (cell('version')?.replace(/ LTS$/, '') !== version) continue;
    const [regular, lts, esm] = [cell('eol'), cell('eol-lts'), cell('eol-esm')];
    if (![regular, lts, esm].every((each) => each === undefined || isDate(each)) || regular === undefined)
      return undefined;
    const end = lts === undefined ? { until: regular } : { until: lts, regular };
    return { ...end, ...(esm === undefined ? {} : { esm }) };
  }
  return undefined;
}

export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}
