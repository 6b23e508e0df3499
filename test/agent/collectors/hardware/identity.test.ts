import test from 'ava';
import { hardware } from '../../../../src/agent/collectors/hardware/index.ts';
import { look } from '../look.ts';

const dmi = (values: Record<string, string>) =>
  Object.fromEntries(Object.entries(values).map(([file, value]) => [`/sys/class/dmi/id/${file}`, `${value}\n`]));
const LAPTOP = {
  sys_vendor: 'LENOVO',
  product_name: '21CBCTO1WW',
  product_serial: 'PF3ABCDE',
  chassis_asset_tag: 'IT-0042',
};

test('a machine is told by maker, product, serial number and asset tag', async (t) => {
  t.deepEqual(Object(await look(t, hardware, dmi(LAPTOP), { host: { isRoot: true } })).identity, {
    vendor: 'LENOVO',
    product: '21CBCTO1WW',
    serial: 'PF3ABCDE',
    asset_tag: 'IT-0042',
  });
});

test('the serial number is for root alone, and what is missing for others is not taken for none', async (t) => {
  t.like(await look(t, hardware, dmi(LAPTOP), { host: { isRoot: false } }), {
    identity: { vendor: 'LENOVO', serial: 'unknown' },
  });
});

for (const blank of [
  '',
  ' ',
  'None',
  'To Be Filled By O.E.M.',
  'To be filled by OEM',
  'Default string',
  'Not Specified',
  'Not Applicable',
  'No Asset Tag',
  'No Asset Information',
  'System Serial Number',
  'Chassis Asset Tag',
  '0',
  '00000000',
  'xxxx',
  'N/A',
]) {
  test(`"${blank}" stands for nothing`, async (t) => {
    const answer = await look(t, hardware, dmi({ ...LAPTOP, product_serial: blank, chassis_asset_tag: blank }), {
      host: { isRoot: true },
    });
    t.deepEqual(Object(answer).identity, { vendor: 'LENOVO', product: '21CBCTO1WW' });
  });
}

test('without a firmware that tells, there is no answer', async (t) => {
  t.false(Object.hasOwn(Object(await look(t, hardware, {})), 'identity'));
});
