/**
 * Until when releases get security updates for everybody, as their makers said on 2026-11-29. Where the machine itself knows (SUPPORT_END of
 * os-release, distro-info-data), that counts, and not this.
 *
 * Sources: debian.org/releases and wiki.debian.org/LTS; ubuntu.com/about/release-cycle; docs.fedoraproject.org (Fedora Linux End of Life);
 * access.redhat.com/support/policy/updates/errata; wiki.almalinux.org/release-notes; wiki.rockylinux.org/rocky/version; centos.org/cl-vs-cs;
 * linuxmint.com/download_all.php.
 */
export interface SupportEnd {
  /** YYYY-MM-DD, the last day */
  until: string;
  /** until then by its own makers; a later `until` is that of its long-term support */
  regular?: string;
}

/** ID of os-release → VERSION_ID, or its part before the first dot → end. */
const ENDS: Readonly<Record<string, Readonly<Record<string, SupportEnd>>>> = {
  almalinux: { 8: { until: '2029-03-01' }, 9: { until: '2032-05-31' }, 10: { until: '2035-05-31' } },
  centos: { 7: { until: '2024-06-30' }, 8: { until: '2024-05-31' }, 9: { until: '2027-05-31' } },
  debian: {
    9: { until: '2022-06-30', regular: '2020-07-18' },
    10: { until: '2024-06-30', regular: '2022-09-10' },
    11: { until: '2026-08-31', regular: '2024-08-14' },
    12: { until: '2028-06-30', regular: '2026-07-11' },
    13: { until: '2030-06-30', regular: '2028-08-09' },
  },
  fedora: {
    38: { until: '2024-05-21' },
    39: { until: '2024-11-26' },
    40: { until: '2025-05-13' },
    41: { until: '2025-12-15' },
  },
  linuxmint: { 20: { until: '2025-04-30' }, 21: { until: '2027-04-30' }, 22: { until: '2029-04-30' } },
  rhel: {
    7: { until: '2024-06-30' },
    8: { until: '2029-05-31' },
    9: { until: '2032-05-31' },
    10: { until: '2035-05-31' },
  },
  rocky: { 8: { until: '2029-05-31' }, 9: { until: '2032-05-31' }, 10: { until: '2035-05-31' } },
  ubuntu: {
    '16.04': { until: '2021-04-30' },
    '18.04': { until: '2023-05-31' },
    '20.04': { until: '2025-05-29' },
    '22.04': { until: '2027-06-01' },
    '24.04': { until: '2029-05-31' },
    '24.10': { until: '2025-07-10' },
    '25.04': { until: '2026-01-15' },
    '25.10': { until: '2026-07-09' },
    '26.04': { until: '2031-05-29' },
  },
};

/** Ends of Ubuntu's Expanded Security Maintenance, for machines that are attached to Ubuntu Pro. */
const ESM_ENDS: Readonly<Record<string, string>> = {
  '16.04': '2026-04-23',
  '18.04': '2028-04-26',
  '20.04': '2030-04-23',
  '22.04': '2032-04-21',
  '24.04': '2034-04-25',
  '26.04': '2036-04-23',
};

export function supportEndOf(id: string, version: string): SupportEnd | undefined {
  const ends = Object.hasOwn(ENDS, id) ? (ENDS[id] ?? {}) : {};
  const [major = ''] = version.split('.');
  return [version, major].flatMap((each) => (Object.hasOwn(ends, each) ? (ends[each] ?? []) : [])).at(0);
}

export function esmEndOf(version: string): string | undefined {
  return Object.hasOwn(ESM_ENDS, version) ? ESM_ENDS[version] : undefined;
}
