import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { textOf } from '../lenient.ts';

const DEVICES = '/sys/bus/thunderbolt/devices';

export const thunderbolt: Fact = {
  name: 'thunderbolt',
  look: async (host: HostAccess) => {
    const domains = ((await host.list(DEVICES)) ?? []).filter((name) => /^domain\d+$/.test(name));
    if (domains.length === 0) return undefined;
    const bolt = (await host.find('boltctl')) !== undefined;
    return { bolt, ports: await Promise.all(domains.map((domain) => readDomain(host, domain))) };
  },
};

async function readDomain(host: HostAccess, domain: string) {
  const iommu = (await textOf(host, `${DEVICES}/${domain}/iommu_dma_protection`))?.trim();
  const security = (await textOf(host, `${DEVICES}/${domain}/security`))?.trim();
  return {
    domain,
    iommu_dma_protection: iommu === undefined ? unknown(`the kernel does not tell it of ${domain}`) : iommu === '1',
    security: security ?? unknown(`the kernel does not tell it of ${domain}`),
    protected: isProtected(iommu, security),
  };
}

/**
 * Whether a device that is plugged in reads memory before anybody has allowed it (admin-guide/thunderbolt.rst): not where the IOMMU
 * confines it, nor where the firmware waits for somebody's consent or tunnels no PCIe. Kernels before 4.21 do not know of the former.
 */
function isProtected(iommu: string | undefined, security: string | undefined): unknown {
  if (iommu === '1') return true;
  if (security === undefined) return unknown('neither protection is to be seen');
  if (['user', 'secure', 'dponly', 'usbonly', 'nopcie'].includes(security)) return true;
  return security === 'none' && iommu === '0' ? false : unknown(`cannot tell what ${security} means here`);
}
