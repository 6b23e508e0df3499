import test from 'ava';
import { thunderbolt } from '../../../../src/agent/collectors/boot/thunderbolt.ts';
import { tellOf } from '../fact.ts';
import { saying } from '../host-in-folder.ts';

const at = (domain: string, iommu: string | undefined, security: string | undefined): Record<string, string> => ({
  [`/sys/bus/thunderbolt/devices/${domain}/boot_acl`]: '',
  ...(iommu === undefined ? {} : { [`/sys/bus/thunderbolt/devices/${domain}/iommu_dma_protection`]: `${iommu}\n` }),
  ...(security === undefined ? {} : { [`/sys/bus/thunderbolt/devices/${domain}/security`]: `${security}\n` }),
});

for (const [iommu, security, told] of [
  ['1', 'none', true],
  ['1', 'user', true],
  ['0', 'user', true],
  ['0', 'secure', true],
  ['0', 'dponly', true],
  ['0', 'usbonly', true],
  ['0', 'nopcie', true],
  ['0', 'none', false],
  [undefined, 'none', 'unknown'],
  [undefined, 'user', true],
  ['0', undefined, 'unknown'],
  ['0', 'something new', 'unknown'],
] as const) {
  test(`IOMMU protection ${iommu ?? 'not told'}, security ${security ?? 'not told'}: protected is ${told}`, async (t) => {
    const { value } = await tellOf(t, thunderbolt, at('domain0', iommu, security));
    t.like(value, { bolt: false, ports: [{ domain: 'domain0', protected: told }] });
  });
}

test('each controller is told, sorted, and whether bolt is there; the devices that are plugged in are not', async (t) => {
  const { value } = await tellOf(t, thunderbolt, {
    ...at('domain1', '0', 'none'),
    ...at('domain0', '1', 'user'),
    '/sys/bus/thunderbolt/devices/0-1/device_name': "Alice's dock\n",
    '/usr/bin/boltctl': saying(''),
  });
  t.deepEqual(value, {
    bolt: true,
    ports: [
      { domain: 'domain0', iommu_dma_protection: true, security: 'user', protected: true },
      { domain: 'domain1', iommu_dma_protection: false, security: 'none', protected: false },
    ],
  });
});

test('without a controller there is nothing to tell', async (t) => {
  t.is((await tellOf(t, thunderbolt, {})).value, undefined);
});
