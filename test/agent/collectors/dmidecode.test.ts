import test from 'ava';
import { dmidecode, parseDmidecode } from '../../../src/agent/collectors/dmidecode.ts';
import { saying } from './host-in-folder.ts';
import { look } from './look.ts';

/** dmidecode(8), 3.4. */
const OUTPUT = `# dmidecode 3.4
Getting SMBIOS data from sysfs.
SMBIOS 3.3.0 present.

Handle 0x0001, DMI type 0, 26 bytes
BIOS Information
\tVendor: LENOVO
\tCharacteristics:
\t\tPCI is supported

Handle 0x000F, DMI type 1, 27 bytes
System Information
\tManufacturer: LENOVO
\tProduct Name: 21CBCTO1WW
\tVersion: Not Applicable
\tSerial Number: PF3ABCDE
\tUUID: 0a1b2c3d-0000-1111-2222-333344445555
\tWake-up Type: Power Switch
\tSKU Number:
\tNotes: one
\t\ttwo
\tFamily: ThinkPad X1

Handle 0x0010, DMI type 2, 15 bytes
Base Board Information
\tSerial Number: OTHER
`;
const FIELDS = {
  Manufacturer: 'LENOVO',
  'Product Name': '21CBCTO1WW',
  'Serial Number': 'PF3ABCDE',
  UUID: '0a1b2c3d-0000-1111-2222-333344445555',
  'Wake-up Type': 'Power Switch',
  Notes: 'one\n\t\ttwo',
  Family: 'ThinkPad X1',
};

test("dmidecode is told whole, and the system's own fields by name; what is not applicable is left out", async (t) => {
  const answer = await look(t, dmidecode, { '/usr/bin/dmidecode': saying(OUTPUT) });
  t.deepEqual(answer, { full: OUTPUT, 'System Information': FIELDS });
});

test('without dmidecode, without root and without a firmware that tells it is unknown', async (t) => {
  t.is(await look(t, dmidecode, {}), 'unknown');
  t.is(await look(t, dmidecode, { '/usr/bin/dmidecode': saying('/dev/mem: Permission denied', 1) }), 'unknown');
  t.is(
    await look(t, dmidecode, {
      '/usr/bin/dmidecode': saying('# dmidecode 3.4\n# No SMBIOS nor DMI entry point found, sorry.\n'),
    }),
    'unknown',
  );
});

test('cut and binary output does no harm', (t) => {
  t.deepEqual(parseDmidecode(OUTPUT.slice(0, OUTPUT.indexOf('\tVersion')))?.['System Information'], {
    Manufacturer: 'LENOVO',
    'Product Name': '21CBCTO1WW',
  });
  t.is(parseDmidecode('\u0000\uFFFD\n\n'), undefined);
  t.deepEqual(parseDmidecode('System Information'), { full: 'System Information', 'System Information': {} });
});
